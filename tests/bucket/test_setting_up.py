"""What is wrong with a bucket shows at once, in our words: in `keepsake init` and in a script."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bucket.conftest import configure
from tests.servers.fault_proxy import FaultProxy
from tests.servers.seaweedfs import READER_KEY, READER_SECRET, SECRET_KEY, S3Server

TOKEN = "FwoGZXIvYXdzEBYaDtoken"
SECONDS = 20
"""Most take one; a host that answers nothing is waited for."""

# The words are those of "Error responses" in the manual of Amazon S3; no server that runs here says them.
_EXPIRED = (
    400,
    b"<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message><Token-0>%s</Token-0></Error>"
    % TOKEN.encode(),
)
_REGION = b"The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-central-1'"
_MALFORMED = (
    400,
    b"<Error><Code>AuthorizationHeaderMalformed</Code><Message>%s</Message></Error>" % _REGION,
)
_MOVED = (301, b"")

CASES: dict[str, tuple[dict[str, object], tuple[int, bytes] | None, str, str]] = {
    "wrong key": ({"access_key_id": "unknown"}, None, "InvalidAccessKeyId", "credentials in use"),
    "wrong secret": ({"secret_access_key": "not-it"}, None, "SignatureDoesNotMatch", "credentials in use"),
    "read-only": (
        {"access_key_id": READER_KEY, "secret_access_key": READER_SECRET},
        None,
        "AccessDenied",
        "the permissions that are needed",
    ),
    "unreachable": ({"endpoint": "http://127.0.0.1:9"}, None, "the server 127.0.0.1:9 cannot be reached", "network"),
    "unknown host": ({"endpoint": "http://no-such-host.invalid"}, None, "no-such-host.invalid", "network"),
    "expired token": ({"session_token": TOKEN}, _EXPIRED, "token has expired", "aws sso login"),
    "wrong region": ({}, _MALFORMED, "expecting 'eu-central-1'", "`region`"),
    "wrong region, no words": ({}, _MOVED, "not in the region that was asked", "`region`"),
}


@pytest.fixture
def proxied(s3_server: S3Server) -> Iterator[FaultProxy]:
    with FaultProxy(s3_server.endpoint) as proxy:
        yield proxy


def run(*command: str, at: Path, env: dict[str, str] | None = None) -> tuple[int, str, float]:
    """Run a program; return exit code, standard error and seconds."""
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=at, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **(env or {})}
    )
    return done.returncode, done.stderr, time.monotonic() - started


def keepsake(*arguments: str, at: Path, env: dict[str, str] | None = None) -> tuple[int, str, float]:
    return run(sys.executable, "-m", "keepsake", *arguments, at=at, env=env)


@pytest.mark.parametrize("case", CASES)
def test_what_keeps_a_bucket_from_being_used_is_said_within_seconds(
    case: str, tmp_path: Path, s3_server: S3Server, s3_url: str, proxied: FaultProxy
) -> None:
    changed, proxied.refusal, says, hints = CASES[case]
    options = s3_server.options | {"endpoint": proxied.endpoint} | changed
    configure(tmp_path, s3_url, options)
    script = tmp_path / "train.py"
    script.write_text("import keepsake\nkeepsake.init()\n")
    status, said, taken_s = run(sys.executable, str(script), at=tmp_path)
    assert status == 1
    assert says in said
    assert hints in said.partition("hint: ")[2]
    assert taken_s < SECONDS
    # The traceback is that of the user's script: it leads to an error of ours, without another one behind it.
    assert said.count("Traceback") == 1
    assert "keepsake.errors." in said
    for hidden in ("obstore", "botocore", "Debug source", SECRET_KEY, READER_SECRET, "not-it", TOKEN):
        assert hidden not in said


@pytest.mark.parametrize("case", CASES)
def test_init_says_it_too_and_leaves_no_configuration(
    case: str, tmp_path: Path, s3_server: S3Server, s3_url: str, proxied: FaultProxy
) -> None:
    changed, proxied.refusal, says, hints = CASES[case]
    options = s3_server.options | {"endpoint": proxied.endpoint} | changed
    names = {"access_key_id": "AWS_ACCESS_KEY_ID", "secret_access_key": "AWS_SECRET_ACCESS_KEY"}
    names |= {"session_token": "AWS_SESSION_TOKEN", "endpoint": "AWS_ENDPOINT_URL", "region": "AWS_REGION"}
    env = {names[name]: str(value) for name, value in options.items() if name in names}
    status, said, taken_s = keepsake("init", s3_url, at=tmp_path, env=env)
    assert status == 1
    assert taken_s < SECONDS
    assert [line.partition(":")[0] for line in said.splitlines()] == ["error", "hint"]
    assert says in said
    assert hints in said
    assert list(tmp_path.iterdir()) == []


def test_a_missing_bucket_is_named_with_what_makes_it_which_then_works(tmp_path: Path, s3_server: S3Server) -> None:
    configure(tmp_path, "s3://made-later/root", s3_server.options)
    status, said, _ = run(sys.executable, "-c", "import keepsake; keepsake.init()", at=tmp_path)
    assert status == 1
    assert "there is no bucket s3://made-later" in said
    assert "`keepsake init --create-bucket`" in said
    before = (tmp_path / "keepsake.yaml").read_text()
    status, said, _ = keepsake("init", "--create-bucket", at=tmp_path)
    assert (status, "s3://made-later/root" in said) == (0, True), said
    assert (tmp_path / "keepsake.yaml").read_text() == before
    status, said, _ = run(sys.executable, "-c", "import keepsake; keepsake.init()", at=tmp_path)
    assert status == 0, said


def test_a_configuration_of_another_repository_is_kept_when_a_bucket_shall_be_made(
    tmp_path: Path, s3_server: S3Server
) -> None:
    configure(tmp_path, "s3://one/root", s3_server.options)
    before = (tmp_path / "keepsake.yaml").read_text()
    status, said, _ = keepsake("init", "s3://two/root", "--create-bucket", at=tmp_path)
    assert status == 1
    assert "--force" in said
    assert (tmp_path / "keepsake.yaml").read_text() == before


def test_an_azure_without_encryption_is_reached_when_a_variable_says_so(
    tmp_path: Path, azurite: dict[str, object]
) -> None:
    env = {"AZURE_STORAGE_ACCOUNT_NAME": str(azurite["account"]), "AZURE_STORAGE_ENDPOINT": str(azurite["endpoint"])}
    env["AZURE_STORAGE_ACCOUNT_KEY"] = str(azurite["account_key"])
    status, said, _ = keepsake("init", "az://tests/by-variables", at=tmp_path, env=env)
    assert status == 0, said
    status, said, _ = keepsake("init", "az://missing/x", "--force", at=tmp_path, env=env)
    assert status == 1
    assert "there is no bucket az://missing" in said
    assert "az storage container create --name missing" in said
