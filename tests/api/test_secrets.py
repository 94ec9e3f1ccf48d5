"""Secrets: neither their values nor their files are saved."""

from __future__ import annotations

from pathlib import Path

import pytest

import keepsake
from tests.api.runs import files_below, only_experiment, run_script, write_files
from tests.durability.scripts import open_repository


def test_params_named_like_a_secret_are_masked() -> None:
    made = keepsake.init(
        params={
            "api_key": "abc123", "hf_token": "t0k", "db": {"password": "hunter2"}, "client_secret": "s",
            "lr": 0.1, "max_tokens": 512, "tokenizer": "bpe",
        }
    )  # fmt: skip
    for experiment in (made, only_experiment()):
        assert experiment.params == {
            "api_key": "***", "hf_token": "***", "db": {"password": "***"}, "client_secret": "***",
            "lr": 0.1, "max_tokens": 512, "tokenizer": "bpe",
        }  # fmt: skip


def test_arguments_named_like_a_secret_are_masked(project: Path) -> None:
    run_script(
        "import keepsake\nkeepsake.init()",
        "--api-key", "abc123", "--password=hunter2", "--lr", "0.1", "--data", "https://me:pass4word@example.com/x",
    )  # fmt: skip
    command = only_experiment().command
    assert command is not None
    assert "--lr 0.1" in command
    assert command.count("***") == 3
    stored = b"".join(place.read_bytes() for place in (project / ".keepsake").rglob("*") if place.is_file())
    for secret in (b"abc123", b"hunter2", b"pass4word"):
        assert secret not in stored


def test_credentials_in_urls_are_masked_in_params() -> None:
    keepsake.init(params={"data": "s3://AKIA:topsecret@bucket/x", "tracker": "https://user:pw0rd@host/"})
    text = str(only_experiment().params)
    assert "topsecret" not in text
    assert "pw0rd" not in text
    assert "bucket/x" in text


NEVER_SAVED = [
    ".env", ".env.local", "id_rsa", "keys/server.pem", ".netrc", ".aws/credentials", ".ssh/config",
    "node_modules/x/index.js", "wandb/run-1/log.txt", "mlruns/0/meta.yaml", ".ipynb_checkpoints/a.ipynb",
    "__pycache__/a.cpython-311.pyc", "lib/__pycache__/b.pyc", ".git/config", ".hg/x", ".keepsake/x",
    "env/pyvenv.cfg", "env/lib/site.py", "sub/.venv/pyvenv.cfg", "sub/.venv/x.py",
]  # fmt: skip
SAVED = [".env.example", "train.py", "environment.yml", "keys.py", "lib/env.py", ".gitignore", "sub/empty.txt"]


@pytest.fixture
def files(project: Path) -> None:
    write_files(project, dict.fromkeys([*NEVER_SAVED, *SAVED], "content"))
    write_files(project, dict.fromkeys(("id_rsa", "keys/server.pem"), "-----BEGIN PRIVATE KEY-----\n"))


def test_secret_files_environments_and_caches_are_never_saved(files: None, tmp_path: Path) -> None:
    keepsake.init(path=".").checkout(tmp_path / "out", quiet=True)
    assert sorted(files_below(tmp_path / "out")) == sorted(SAVED)


def test_a_checkpoint_leaves_them_out_too(files: None) -> None:
    assert sorted(keepsake.init().checkpoint(path=".").files()) == sorted(SAVED)


def test_keepsakeignore_brings_them_back(files: None, project: Path) -> None:
    write_files(project, {".keepsakeignore": "!.env\n!wandb/\n"})
    saved = keepsake.init().checkpoint(path=".").files()
    assert {".env", "wandb/run-1/log.txt"} <= saved.keys()
    assert not {".env.local", "id_rsa", ".git/config", ".keepsake/x"} & saved.keys()


def test_settings_with_a_key_are_not_saved_wherever_they_lie_and_whatever_leads_there(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = "repository: s3://team/x\nrepository_options:\n  secret_access_key: hunter2\n"
    write_files(
        project, {"old/keepsake.yml": settings, "other.yaml": "x: 1", "new/keepsake.yaml": "repository: s3://x"}
    )
    (project / "link").symlink_to("old/keepsake.yml")
    experiment = keepsake.init(path=".")
    linked = experiment.checkpoint(path="link")
    experiment.checkpoint(path="old", quiet=True)
    experiment.stop()
    assert "old/keepsake.yml is not saved: it holds a secret, in line 3" in capsys.readouterr().err
    assert set(linked.files()) == {"other.yaml", "new/keepsake.yaml"}
    repository = open_repository()
    manifests = [repository.load_manifest(digest) for digest in only_experiment().manifests()]
    reasons = {entry.path: entry.reason for one in manifests for entry in one.entries if entry.kind == "missing"}
    assert reasons == dict.fromkeys(["old/keepsake.yml", "link"], "it holds a secret, in line 3")
