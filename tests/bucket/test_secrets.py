"""Keys and tokens in use are in nothing that is written or said: journals, logs, messages, exceptions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import keepsake
from keepsake import notices
from keepsake._model.keys import CHUNKS
from tests.bucket.conftest import configure
from tests.bucket.places import bucket, content
from tests.courier.processes import until
from tests.durability.scripts import write_script
from tests.servers.fault_proxy import FaultProxy
from tests.servers.seaweedfs import SECRET_KEY, S3Server

TOKEN = "FwoGZXIvYXdzEBYaDHRva2VuLW9mLWEtc2Vzc2lvbg"
SAS = "sv=2021-08-06&ss=b&srt=co&sp=rwdlac&sig=c2lnbmF0dXJlLW9mLWEtU0FT"


def save_with_courier() -> None:
    """Save code and a checkpoint, and have the courier deliver them."""
    Path("train.py").write_text("import keepsake")
    experiment = keepsake.init(path=".", params={"rate": 0.1})
    Path("weights").write_bytes(content(1))
    experiment.checkpoint(path="weights")
    experiment.checkpoint(path=".")
    until(lambda: bucket().list_experiments().experiments)
    experiment.stop()


def assert_written_nowhere(secret: str, user_directory: Path) -> None:
    files = [path for path in user_directory.rglob("*") if path.is_file()]
    assert any(path.name.endswith("courier.log") for path in files)
    assert [path for path in files if secret.encode() in path.read_bytes()] == []
    repository = bucket()
    store = repository.store
    keys = [info.key for info in store.list()]
    assert [key for key in keys if secret.encode() in store.get(key)] == []
    # What is in chunks and manifests is compressed.
    chunks = [key.rpartition("/")[2] for key in keys if key.startswith(CHUNKS)]
    assert [digest for digest in chunks if secret.encode() in bytes(repository.chunks.get(digest))] == []
    (experiment,) = keepsake.experiments.list()
    assert {"train.py", "weights"} <= set(experiment.checkpoints[0].files())


def test_options_stay_in_the_file_that_they_were_written_to(
    project: Path, user_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEEPSAKE_COURIER", "on")
    save_with_courier()
    assert_written_nowhere(SECRET_KEY, user_directory)
    assert SECRET_KEY in (project / "keepsake.yaml").read_text()


def test_a_file_of_settings_that_holds_a_key_is_told_to_be_missing_and_one_without_is_saved(
    project: Path,
    s3_server: S3Server,
    s3_url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(notices, "_said", set())  # other tests of this process may have met the same
    key = (project / "keepsake.yaml").read_text()
    experiment = keepsake.init(path=".")
    first = experiment.checkpoint(path="keepsake.yaml")
    other = {name: s3_server.options[name] for name in ("endpoint", "region", "path_style")}
    configure(project, s3_url, other)
    second = experiment.checkpoint(path=".")
    (project / "keepsake.yaml").write_text(key)  # it counts what is there when something is saved
    third = experiment.checkpoint(path=".")
    experiment.stop()
    said = capsys.readouterr().err
    assert said.count("keepsake.yaml is not saved: it holds a secret, in line 1; put keys where") == 1
    assert "could not be saved" not in said
    assert [set(one.files()) for one in (first, second, third)] == [set(), {"keepsake.yaml"}, set()]
    third.checkout(tmp_path / "out")
    assert "keepsake.yaml" in capsys.readouterr().err


def test_variables_stay_variables(
    project: Path, s3_server: S3Server, s3_url: str, user_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {name: s3_server.options[name] for name in ("endpoint", "region", "path_style")}
    configure(project, s3_url, known)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", str(s3_server.options["access_key_id"]))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("KEEPSAKE_COURIER", "on")
    save_with_courier()
    assert_written_nowhere(SECRET_KEY, user_directory)


def test_the_key_of_an_azure_account_is_written_nowhere(
    project: Path, azurite: dict[str, object], user_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(project, "az://tests/secrets", azurite)
    monkeypatch.setenv("KEEPSAKE_COURIER", "on")
    save_with_courier()
    assert_written_nowhere(str(azurite["account_key"]), user_directory)


SCRIPT = """
    import os
    import keepsake
    experiment = keepsake.init()
    open("weights", "wb").write(os.urandom(100_000))
    experiment.checkpoint(path="weights")
    os.environ["KEEPSAKE_EXIT_TIMEOUT_S"] = "5"
    open("ready", "w").close()
    while not os.path.exists("go"):
        pass
    try:
        keepsake.wait()
    except Exception as error:
        import traceback
        traceback.print_exc()
        print(repr(error), repr(error.__cause__), repr(error.__context__))
"""


@pytest.mark.parametrize("fault", ["reset", "503", "refused"])
def test_no_message_and_no_traceback_has_one(
    fault: str, project: Path, s3_server: S3Server, s3_url: str, proxy: FaultProxy
) -> None:
    configure(project, s3_url, s3_server.options | {"endpoint": proxy.endpoint})
    script = write_script(SCRIPT)
    process = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    until(lambda: Path("ready").exists() or process.poll() is not None)
    if fault == "refused":
        echo = f"<Error><Code>ExpiredToken</Code><Message>no</Message><Token-0>{TOKEN}</Token-0></Error>"
        proxy.refusal = (400, echo.encode())
    else:
        proxy.fault = fault  # type: ignore[assignment]
    Path("go").touch()
    said, _ = process.communicate(timeout=60)
    assert "is not complete in s3://" in said
    assert TOKEN not in said
    assert SECRET_KEY not in said


@pytest.mark.parametrize("command", ["ls", "push", "check", "collect"])
@pytest.mark.parametrize(
    ("url", "options", "secret"),
    [
        ("s3://bucket/x", {"access_key_id": "key", "secret_access_key": "c2VjcmV0", "session_token": TOKEN}, TOKEN),
        ("az://bucket/x", {"account": "team", "account_key": "c2VjcmV0LWtleQ=="}, "c2VjcmV0LWtleQ=="),
        ("az://bucket/x", {"account": "team", "sas_token": SAS}, "c2lnbmF0dXJl"),
    ],
)
def test_a_traceback_that_was_asked_for_has_none(
    command: str, url: str, options: dict[str, object], secret: str, tmp_path: Path
) -> None:
    configure(tmp_path, url, options | {"endpoint": "http://127.0.0.1:9"})
    done = subprocess.run(
        [sys.executable, "-m", "keepsake", "-v", command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "RUST_BACKTRACE": "1"},
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "cannot be reached" in done.stderr
    for hidden in (secret, "c2VjcmV0", "obstore.exceptions"):
        assert hidden not in done.stderr + done.stdout
