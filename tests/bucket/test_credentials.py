"""Who we are on S3: profiles of `~/.aws`, variables and options, in the order of Amazon's own tools.

The server refuses whom it does not know, so what works shows that the right ones were taken.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

import keepsake
from keepsake.errors import ConfigError, PermissionDeniedError
from keepsake.stores.base import Store
from keepsake.stores.url import open_store
from tests.bucket.conftest import configure
from tests.bucket.places import bucket
from tests.courier.processes import until
from tests.servers.seaweedfs import ACCESS_KEY, SECRET_KEY, S3Server

RIGHT = f"aws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n"
WRONG = "aws_access_key_id = unknown\naws_secret_access_key = unknown\n"


def write_credentials(text: str) -> None:
    Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"]).write_text(text)


def write_config(text: str) -> None:
    Path(os.environ["AWS_CONFIG_FILE"]).write_text(text)


@pytest.fixture
def anonymous(s3_server: S3Server) -> dict[str, object]:
    """Options that do not say who we are."""
    return {name: value for name, value in s3_server.options.items() if name in ("endpoint", "path_style")}


def works(url: str, options: dict[str, object]) -> bool:
    """Say whether the server knows who we are."""
    store: Store = open_store(url, options)
    try:
        store.put("a/object", b"content")
    except PermissionDeniedError as error:
        if "InvalidAccessKeyId" in str(error):
            return False
        raise
    return True


def test_the_default_profile_is_taken_when_nothing_else_is_said(s3_url: str, anonymous: dict[str, object]) -> None:
    write_credentials(f"[default]\n{RIGHT}[other]\n{WRONG}")
    assert works(s3_url, anonymous)


def test_a_profile_is_named_by_a_variable_or_by_an_option(
    s3_url: str, anonymous: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_credentials(f"[default]\n{WRONG}[team]\n{RIGHT}")
    assert not works(s3_url, anonymous)
    assert works(s3_url, anonymous | {"profile": "team"})
    monkeypatch.setenv("AWS_PROFILE", "team")
    assert works(s3_url, anonymous)
    assert not works(s3_url, anonymous | {"profile": "default"})


def test_keys_in_variables_count_more_than_a_profile_in_one_and_less_than_an_option(
    s3_url: str, anonymous: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_credentials(f"[team]\n{WRONG}[right]\n{RIGHT}")
    monkeypatch.setenv("AWS_PROFILE", "team")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    assert works(s3_url, anonymous)
    assert not works(s3_url, anonymous | {"profile": "team"})
    assert not works(s3_url, anonymous | {"access_key_id": "unknown", "secret_access_key": "unknown"})


def test_a_program_that_a_profile_names_gives_the_keys_and_its_region_is_taken(
    s3_url: str, anonymous: dict[str, object]
) -> None:
    keys = {"Version": 1, "AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET_KEY}
    program = Path(os.environ["AWS_CONFIG_FILE"]).with_name("keys.py")
    program.write_text(f"print({json.dumps(json.dumps(keys))})")
    write_config(f"[profile sso]\nregion = eu-central-1\ncredential_process = {sys.executable} {program}\n")
    assert works(s3_url, anonymous | {"profile": "sso"})


def test_a_profile_that_is_not_there_is_named(s3_url: str, anonymous: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="no profile nobody") as caught:
        open_store(s3_url, anonymous | {"profile": "nobody"}).head("a/object")
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("program", ["/bin/false", f"{sys.executable} -c 'print(\"topsecret\")'"])
def test_a_profile_that_gives_nothing_says_how_to_sign_in(
    program: str, s3_url: str, anonymous: dict[str, object]
) -> None:
    write_config(f"[profile sso]\ncredential_process = {program}\n")
    with pytest.raises(PermissionDeniedError, match=r"profile sso of ~/\.aws gives no credentials") as caught:
        open_store(s3_url, anonymous | {"profile": "sso"}).head("a/object")
    assert "aws sso login --profile sso" in str(caught.value)
    assert "topsecret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.usefixtures("project")
def test_the_courier_is_who_its_session_is(
    project: Path, s3_url: str, anonymous: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_credentials(f"[team]\n{RIGHT}")
    configure(project, s3_url, anonymous | {"profile": "team"})
    monkeypatch.setenv("KEEPSAKE_COURIER", "on")
    experiment = keepsake.init()
    Path("weights").write_bytes(b"weights")
    experiment.checkpoint(path="weights")
    until(lambda: bucket().list_experiments().experiments)


@pytest.mark.parametrize("how", ["option", "variable"])
def test_a_file_of_credentials_that_is_named_relatively_is_found_from_below_and_by_the_courier(
    how: str, tmp_path: Path, gcs: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    below = tmp_path / "below"
    below.mkdir()
    (tmp_path / "account.json").write_bytes(Path(str(gcs["service_account"])).read_bytes())
    options = {"endpoint": gcs["endpoint"]} | ({"service_account": "account.json"} if how == "option" else {})
    if how == "variable":
        monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT", "../account.json")
    configure(tmp_path, f"gs://tests/relative-{how}", options)
    monkeypatch.chdir(below)
    monkeypatch.setenv("KEEPSAKE_COURIER", "on")
    with keepsake.init() as experiment:
        (tmp_path / "weights").write_bytes(b"weights")
        experiment.checkpoint(path="weights")
        until(lambda: bucket().list_experiments().experiments)
