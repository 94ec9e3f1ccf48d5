"""Secrets in a `keepsake.yaml`: which files must not be saved, and which may be."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from keepsake._tracking.configsecrets import find_secret, is_config, read_secret
from keepsake.stores._bucketoptions import OPTIONS, SECRET_OPTIONS

OPTION_NAMES = {name for options in OPTIONS.values() for name in options}


@pytest.mark.parametrize("name", sorted(OPTION_NAMES))
@pytest.mark.parametrize("key", ["repository_options", "other_repositories"])
def test_every_option_that_is_a_secret_is_found_however_it_is_written(name: str, key: str) -> None:
    options: dict[str, object] = {"concurrency": 4, name: "hunter2"}
    document = {"repository": "s3://team/x", key: options if key == "repository_options" else {"s3://b": options}}
    block = f"repository: s3://team/x\n{key}:\n  concurrency: 4\n  {name}: hunter2\n"
    explicit = f"{key}:\n  ? {name}\n  : hunter2"
    texts = [json.dumps(document), json.dumps(document, indent=2), block, explicit]
    assert [find_secret(text) is not None for text in texts] == [name in SECRET_OPTIONS] * 4


@pytest.mark.parametrize(
    "text",
    [
        "repository: s3://x\n\nrepository_options: {endpoint: https://me:hunter2@host}",
        "repository: https://me:hunter2@host/x",
        "a: b\nb: c\nendpoint: https://host/x?sig=hunter2",
        "a: b\n\n# secret_access_key: hunter2",
        "a: b\n\n  aws_secret_key: hunter2",
        'a: "x #y\n\nb: {note: " # ", session_token: hunter2}',
        "a: [b\n\nprofile: AKIAABCDEFGHIJKLMNOP",
    ],
)
def test_urls_tokens_and_misspelt_options_are_found_also_in_what_cannot_be_used(text: str) -> None:
    assert find_secret(text) == text.count("\n", 0, text.find("hunter2") if "hunter2" in text else len(text)) + 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "repository: s3://team/vision\nrepository_options:\n  region: eu-central-1\n  profile: team-secrets\n",
        "# Credentials: those of ~/.aws; secret_access_key belongs there\nrepository: .keepsake\ncourier: false",
        "repository: gs://b\nrepository_options: {service_account: /etc/keys/secret.json}",
    ],
)
def test_what_only_says_where_keys_are_is_none(text: str) -> None:
    assert find_secret(text) is None


def test_a_file_of_settings_is_known_by_its_name_wherever_it_lies() -> None:
    assert all(map(is_config, ["keepsake.yaml", "keepsake.yml", "a/b/keepsake.yaml", "Keepsake.YAML"]))
    assert not any(map(is_config, ["", "keepsake.yaml/x", "my-keepsake.yaml", "config.yaml"]))


def test_a_file_in_no_encoding_is_searched_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "keepsake.yaml").write_bytes(b"\xff\xfe: x\nsecret_access_key: hunter2")
    assert read_secret(tmp_path / "keepsake.yaml") == 2


@pytest.mark.parametrize("text", ["a" * 200_000, "a " * 100_000, " " * 200_000, "#" * 200_000, "a:" * 100_000])
def test_no_text_takes_long(text: str) -> None:
    started_s = time.perf_counter()
    find_secret(text)
    assert time.perf_counter() - started_s < 5
