"""Listing a bucket: page by page, or what has many pages by its directories, many at once.

A page takes a request that has to wait for the one before it. So when two have come and the keys in them say that many
more would, each of the directories is listed by itself. They are asked for along with the second page, so that nobody
waits for the answer. Which way it goes never changes what is listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import obstore

PAGE_OBJECTS = 1_000
"""What a bucket lists in one answer: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html"""


def list_pages(client: Any, directory: str, *, threads: int) -> Iterator[Sequence[Any]]:
    """Yield what a client says of all objects in a directory and below, in pages.

    Args:
        client: of obstore.
        directory: where to look, without `/` at its ends; nothing for the whole bucket.
        threads: how many directories to list at once.
    """
    pages: Iterator[Sequence[Any]] = iter(obstore.list(client, directory or None, chunk_size=PAGE_OBJECTS))
    first = next(pages, [])
    yield first
    if len(first) < PAGE_OBJECTS:
        return
    if "" in _directories_of(first, directory):  # there may be many beside the directories, to be listed twice
        yield from pages
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1, thread_name_prefix="keepsake-list") as pool:
        coming = pool.submit(obstore.list_with_delimiter, client, directory or None)
        second = next(pages, [])
        level: Any = coming.result()
    yield second
    if len(second) < PAGE_OBJECTS:
        return
    listed = [*first, *second]
    if _pages_left(level, _directories_of(listed, directory)) <= -(-len(level["common_prefixes"]) // threads):
        yield from pages
        return
    seen = {meta["path"] for meta in listed}
    for page in _list_each(client, level, threads):
        yield [meta for meta in page if meta["path"] not in seen]


def _directories_of(metas: Sequence[Any], directory: str) -> set[str]:
    """Return which directories in `directory` these objects are in; an empty name for what is in none."""
    start = len(directory) + 1 if directory else 0
    return {meta["path"][start:].rpartition("/")[0].partition("/")[0] for meta in metas}


def _pages_left(level: Any, reached: set[str]) -> float:
    """Estimate how many pages follow two, by the directories that those have come to.

    Servers list in the order of the keys, mostly. Where they do not, two pages have come to nearly all directories, and
    it follows that there is little left.
    """
    return 2 * (len(level["common_prefixes"]) / len(reached) - 1)


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
