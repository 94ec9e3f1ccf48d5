"""The token: the same for ever, and nobody else's."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from keepsake.ui.token import load_token


@pytest.fixture
def token_file(user_directory: Path) -> Path:
    return user_directory / "cache" / "keepsake" / "ui" / "token"


@pytest.fixture
def readable_by_default() -> Iterator[None]:
    """A user whose files anybody may read unless they say otherwise."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_the_token_stays_the_same_and_only_its_user_can_read_it(readable_by_default: None, token_file: Path) -> None:
    token = load_token(os.environ)
    assert len(token) >= 40
    assert load_token(os.environ) == token
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(token_file.parent.stat().st_mode) == 0o700
    assert [one.name for one in token_file.parent.iterdir()] == ["token"]


def test_processes_that_start_at_once_have_one_token(token_file: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        for _ in range(20):
            assert len(set(pool.map(lambda _: load_token(os.environ), range(64)))) == 1
            token_file.unlink()


def test_a_token_that_others_could_read_is_replaced(token_file: Path) -> None:
    token = load_token(os.environ)
    token_file.chmod(0o644)
    assert load_token(os.environ) != token
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "short", "x" * 40 + "\n; rm -rf", "ä" * 50, "\0" * 50])
def test_what_is_no_token_is_replaced(token_file: Path, content: str) -> None:
    load_token(os.environ)
    token_file.write_text(content)
    token = load_token(os.environ)
    assert token != content
    assert load_token(os.environ) == token


def test_a_link_is_not_followed(token_file: Path, tmp_path: Path) -> None:
    token = load_token(os.environ)
    token_file.rename(tmp_path / "elsewhere")
    token_file.symlink_to(tmp_path / "elsewhere")
    assert load_token(os.environ) != token
    assert not token_file.is_symlink()
    assert (tmp_path / "elsewhere").read_text().strip() == token


def test_where_nothing_can_be_kept_there_is_a_token_all_the_same(token_file: Path) -> None:
    token_file.mkdir(parents=True)
    assert len(load_token(os.environ)) >= 40
