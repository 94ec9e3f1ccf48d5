"""Secrets: which values are hidden, and which look alike but are not."""

from __future__ import annotations

import shlex
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._tracking.secrets import is_secret_name, mask_command, mask_params, mask_text, mask_url
from keepsake.testing import strategies

SECRET_NAMES = """
    key token secret password passwd pwd auth credential credentials api_key apikey API_KEY apiKey APIKey api-key
    openai_api_key OPENAI_API_KEY hf_token HFToken authToken auth_token access_token aws_secret_access_key
    AWS_ACCESS_KEY_ID secret_key secretKey client_secret clientSecret private_key ssh_key DB-PASSWORD db_password
    dbpassword mysql.password wandb_key WANDB_API_KEY bearer_token refresh_token oauth_token github-token
    api_keys access_tokens passphrase account_key encryption_key id_token authorization db.auth.user
"""
HARMLESS_NAMES = """
    tokenizer n_tokens max_tokens num_keys keyframe monkey key_dim token_count tokens keys keyboard hotkeys keypoints
    num_key_value_heads max_new_tokens tokenizer_name pad_token eos_token_id bos_token mask_token sort_key image_key
    primary_key author authors secretary key_size keymap token_dropout tokens_per_second lr batch_size x turkey
    passes compass signal design assignment label_key random_key prompt_key query_key n_secretaries
"""


@pytest.mark.parametrize("name", SECRET_NAMES.split())
def test_a_name_of_a_secret_is_known(name: str) -> None:
    assert is_secret_name(name)
    assert mask_params({name: "hunter2"}) == {name: "***"}
    assert mask_params({"a": [{"b": {name: "hunter2"}}]}) == {"a": [{"b": {name: "***"}}]}


@pytest.mark.parametrize("name", HARMLESS_NAMES.split())
def test_a_name_that_only_looks_like_one_is_left_alone(name: str) -> None:
    assert not is_secret_name(name)
    assert mask_params({name: "value"}) == {name: "value"}


def test_everything_under_a_secret_name_is_secret() -> None:
    params: dict[str, Any] = {"credentials": {"user": "me", "parts": ["a", "b"]}, "token": ["a", {"x": "b"}]}

    assert mask_params(params) == {
        "credentials": {"user": "***", "parts": ["***", "***"]},
        "token": ["***", {"x": "***"}],
    }


def test_numbers_are_secrets_only_under_names_that_mean_nothing_else() -> None:
    params: dict[str, Any] = {
        "key": 3,
        "token": 1.5,
        "rng_key": [0, 42],
        "password": 1234,
        "use_auth": True,
        "pwd": None,
    }

    assert mask_params(params) == params | {"password": "***"}


@given(strategies.params())
def test_masking_changes_strings_and_numbers_only_and_no_names(params: dict[str, Any]) -> None:
    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: shape(item) for name, item in value.items()}
        return [shape(item) for item in value] if isinstance(value, list) else None

    masked = mask_params(params)
    assert shape(masked) == shape(params)
    assert repr(mask_params(masked)) == repr(masked)


@pytest.mark.parametrize(
    ("argv", "wanted"),
    [
        (["python", "train.py", "--lr", "0.1"], "python train.py --lr 0.1"),
        (["python", "train.py", "--api-key", "x y"], "python train.py --api-key '***'"),
        (["python", "train.py", "--api-key=x"], "python train.py '--api-key=***'"),
        (["java", "-Dpassword=x", "-Ddb.token=abc"], "java '-Dpassword=***' '-Ddb.token=***'"),
        (["train", "token=abc", "lr=0.1"], "train 'token=***' lr=0.1"),
        (["train", "+wandb.api_key=abc", "++db.password=x"], "train '+wandb.api_key=***' '++db.password=***'"),
        (["train", "--max-tokens", "512", "--tokenizer", "bert"], "train --max-tokens 512 --tokenizer bert"),
        (["train", "--token", "512", "--password", "512"], "train --token 512 --password '***'"),
        (["train", "--use-auth-token", "--lr", "0.1"], "train --use-auth-token --lr 0.1"),
        (["train", "--token", "-Dlr=1", "x"], "train --token -Dlr=1 x"),
        (["train", "--token", "-aBcDeFgHiJkLmNoPqRsTuVwXyZ012345"], "train --token '***'"),
        (["curl", "-H", "Authorization: Bearer abcdefgh12345678"], "curl -H 'Authorization: Bearer ***'"),
        (["train", '{"api_key": "abc", "lr": 0.1}'], """train '{"api_key": "***", "lr": 0.1}'"""),
        (["train", "--db", "postgres://me:pw@host/db"], "train --db 'postgres://me:***@host/db'"),
        (["train", "hf_abcdefghijklmnopqrstuvwxyz"], "train '***'"),
        (["train", "--out", "dir with space"], "train --out 'dir with space'"),
        (["train", "--password", ""], "train --password ''"),
        ([], ""),
    ],
)
def test_a_command_hides_its_secrets_and_can_be_run_again(argv: list[str], wanted: str) -> None:
    assert mask_command(argv) == wanted
    assert len(shlex.split(wanted)) == len(argv)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["train.py", "--api-key=abc", "--lr=0.1"], ["train.py", "--api-key=***", "--lr=0.1"]),
        (["--password", "hunter3", "--lr", "0.1"], ["--password", "***", "--lr", "0.1"]),
        (["--password", 1234, "--token", 5, "x"], ["--password", "***", "--token", 5, "x"]),
        (["--token", "--lr", "0.1"], ["--token", "--lr", "0.1"]),
        (
            [["--token", "abc"], "--", {"argv": ["--secret", "abc"]}],
            [["--token", "***"], "--", {"argv": ["--secret", "***"]}],
        ),
        (["token", "abc", "secret", "-1", "a=b"], ["token", "abc", "secret", "-1", "a=b"]),
    ],
)
def test_words_of_a_command_in_params_hide_their_secrets(words: list[Any], wanted: list[Any]) -> None:
    assert mask_params({"argv": words}) == {"argv": wanted}


@given(st.lists(st.text(min_size=1, max_size=10)))
def test_a_shell_takes_a_command_apart_into_as_many_arguments(argv: list[str]) -> None:
    assert len(shlex.split(mask_command(argv))) == len(argv)


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://user:pw@host/path", "https://user:***@host/path"),
        ("https://user:p@w@host/path", "https://user:***@host/path"),
        ("https://ghp_1234@github.com/a/b.git", "https://***@github.com/a/b.git"),
        ("ssh://git@github.com/a/b.git", "ssh://git@github.com/a/b.git"),
        ("git@github.com:a/b.git", "git@github.com:a/b.git"),
        ("https://host/?X-Amz-Signature=abc&x=1", "https://host/?X-Amz-Signature=***&x=1"),
        ("https://host/?x=1&X-Amz-Credential=abc%2F", "https://host/?x=1&X-Amz-Credential=***"),
        ("https://a.blob.core.windows.net/c?sv=1&sig=ab%3D", "https://a.blob.core.windows.net/c?sv=1&sig=***"),
        ("https://host:8080/path@v1?page=2", "https://host:8080/path@v1?page=2"),
        ("s3://bucket/path", "s3://bucket/path"),
        ("file:///home/me/a@b", "file:///home/me/a@b"),
        ("see https://a:b@c and https://d:e@f", "see https://a:***@c and https://d:***@f"),
        ("key=value without a URL", "key=value without a URL"),
    ],
)
def test_a_url_hides_its_credentials(url: str, wanted: str) -> None:
    assert mask_url(url) == wanted


@pytest.mark.parametrize(
    "token",
    [
        "hf_" + "a" * 34,
        "sk-" + "a1" * 24,
        "sk-proj-" + "a-b_c1" * 8,
        "ghp_" + "a" * 36,
        "github_pat_" + "a" * 30,
        "AKIAIOSFODNN7EXAMPLE",
        "xoxb-123456789012-abcdef",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmN",
    ],
)
def test_tokens_of_well_known_services_are_found_anywhere(token: str) -> None:
    assert mask_text(f"use {token} for it") == "use *** for it"
    assert mask_params({"note": token}) == {"note": "***"}


@pytest.mark.parametrize(
    "text", ["sk-learn-experiment-baseline-number-01", "hf_model", "a=b", "lr=0.1,key_dim=4", "é🦀"]
)
def test_other_text_is_left_alone(text: str) -> None:
    assert mask_text(text) == text


@pytest.mark.parametrize("text", ["a" * 200_000, "a." * 100_000, "://" * 70_000, "bearer " * 30_000, "eyJ" * 60_000])
def test_no_text_takes_long(text: str) -> None:
    started = time.perf_counter()
    mask_text(text)

    assert time.perf_counter() - started < 2
