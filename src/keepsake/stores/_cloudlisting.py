"""Listing a bucket: page by page, or what has many pages by its directories, many at once.

A page takes a request that has to wait for the one before it. So when a few have come and the keys in them say that
many more would, the directories are asked for and each is listed by itself. Which way it goes never changes what is
listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import obstore

PAGE_OBJECTS = 1_000
"""What a bucket lists in one answer: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html"""
PAGES_BEFORE = 4
"""So many pages are read before it is looked at how many more there may be."""


def list_pages(client: Any, directory: str, *, threads: int) -> Iterator[Sequence[Any]]:
    """Yield what a client says of all objects in a directory and below, in pages.

    Args:
        client: of obstore.
        directory: where to look, without `/` at its ends; nothing for the whole bucket.
        threads: how many directories to list at once.
    """
    pages = iter(obstore.list(client, directory or None, chunk_size=PAGE_OBJECTS))
    first = []
    for page in islice(pages, PAGES_BEFORE):
        first.append(page)
        yield page
    if len(first) < PAGES_BEFORE or len(first[-1]) < PAGE_OBJECTS:
        return
    below = _find_directories(client, directory, [meta["path"] for page in first for meta in page], threads)
    if below is None:
        yield from pages
        return
    seen = {meta["path"] for page in first for meta in page}
    for page in _list_each(client, below, threads):
        yield [meta for meta in page if meta["path"] not in seen]


def _find_directories(client: Any, directory: str, paths: Sequence[str], threads: int) -> Any | None:
    """Return what is directly in a directory; None when to list it by its parts would not be quicker.

    Servers list in the order of the keys, mostly, so from the directories that the first pages have come to it follows
    how many pages there will be. Where they do not, those are nearly all, and it follows that there is little left.
    """
    start = len(directory) + 1 if directory else 0
    reached = {path[start:].rpartition("/")[0].partition("/")[0] for path in paths}
    if "" in reached:
        return None  # there may be many beside the directories, which would all be listed again
    level = obstore.list_with_delimiter(client, directory or None)
    pages_left = PAGES_BEFORE * (len(level["common_prefixes"]) / len(reached) - 1)
    return level if pages_left > 2 * len(level["common_prefixes"]) / threads else None


def _list_each(client: Any, level: Any, threads: int) -> Iterator[Sequence[Any]]:
    from concurrent.futures import ThreadPoolExecutor

    yield level["objects"]

    def list_one(directory: str) -> list[Any]:
        return [meta for page in obstore.list(client, directory, chunk_size=PAGE_OBJECTS) for meta in page]

    directories = level["common_prefixes"]
    pool = ThreadPoolExecutor(min(threads, len(directories)), thread_name_prefix="keepsake-list")
    try:
        yield from pool.map(list_one, directories)
    finally:
        pool.shutdown(cancel_futures=True)
