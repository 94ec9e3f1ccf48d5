"""From URL to store: what works gives the store, everything else says what to write instead."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given

from keepsake.errors import ConfigError
from keepsake.stores.local import LocalStore
from keepsake.stores.url import open_store
from keepsake.testing import strategies


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///data/keepsake", "/data/keepsake"),
        ("file:///data/keepsake/", "/data/keepsake"),
        ("file://localhost/data", "/data"),
        ("file:///with%20space/%C3%A9", "/with space/é"),
        ("file:///with space/é", "/with space/é"),
        ("file:///100%25/%23/%3F", "/100%/#/?"),
    ],
)
def test_a_file_url_names_a_directory(url: str, path: str) -> None:
    store = open_store(url)
    assert isinstance(store, LocalStore)
    assert store.root == Path(path)


@given(strategies.file_names())
def test_the_url_of_a_local_store_leads_back_to_it(name: str) -> None:
    store = LocalStore(f"/data/{name}")
    again = open_store(store.url)
    assert isinstance(again, LocalStore)
    assert os.fsencode(again.root) == os.fsencode(store.root)
    assert store.url.isascii()


@pytest.mark.parametrize("url", ["ftp://host", "memory://", "http://bucket"])
def test_a_scheme_that_does_not_work_is_refused_with_those_that_do(url: str) -> None:
    with pytest.raises(ConfigError, match=url.partition("://")[0]) as caught:
        open_store(url)
    assert "file://" in str(caught.value.hint)


def test_credentials_in_a_url_do_not_get_into_a_message() -> None:
    with pytest.raises(ConfigError) as caught:
        open_store("s3://user:topsecret@bucket/path")
    assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "trouble"),
    [
        ("/data/keepsake", "not a URL"),
        ("", "not a URL"),
        ("file:/data", "not a URL"),
        ("file://data/keepsake", "absolute"),
        ("file://", "absolute"),
        ("file://.", "absolute"),
        ("file:///", "root of a file system"),
        ("file:////", "root of a file system"),
        ("file:///data?x", "'?' or '#'"),
        ("file:///data#x", "'?' or '#'"),
        ("file:///a%00b", "null byte"),
    ],
)
def test_a_url_that_is_wrong_is_refused_with_a_hint(url: str, trouble: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_store(url)
    assert trouble in caught.value.message
    assert caught.value.hint


def test_unknown_options_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="region, user"):
        open_store("file:///data", {"user": "x", "region": "y"})
    assert isinstance(open_store("file:///data", {}), LocalStore)
