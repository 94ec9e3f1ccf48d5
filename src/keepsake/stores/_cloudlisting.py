"""Listing a bucket: page by page, or what has many pages by ranges of its keys, many at once.

A page takes a request that has to wait for the one before it. Ids and digests are spread evenly, so the first page says
how many more there will be and, roughly, where each of them begins: they are asked for at once. What a range lists is
taken only if it is in order and begins with the keys that the one before it has ended with. Where that is not so (a
server that knows no order, or no beginning; an object that came or went in between), the listing goes on page by page.
So which way it goes never changes what is listed.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Generator, Iterator, Sequence
from typing import Any, NamedTuple

import obstore

from keepsake._model.keys import SPREAD_PLACES, place_of_name, spread_name

PAGE_OBJECTS = 1_000
"""What a bucket lists in one answer: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html"""
_RANGE_SHARE = 0.85
"""How much of a page a range is expected to fill: with a thousand objects, four deviations are below the whole."""
_OVERLAP_OBJECTS = 20
"""So many objects are expected in what two ranges share, so that there is practically always one."""

_Page = Sequence[Any]


class _Range(NamedTuple):
    """Keys between two, the first exclusive, the last inclusive; None where there is no end."""

    start: str
    stop: str | None


def list_pages(client: Any, directory: str, *, threads: int, can_start_anywhere: bool) -> Iterator[_Page]:
    """Yield what a client says of all objects in a directory and below, in pages.

    Args:
        client: of obstore.
        directory: where to look, without `/` at its ends; nothing for the whole bucket.
        threads: how many ranges to list at once.
        can_start_anywhere: whether the service lists from a given key on. For one that does not, the client lists
            everything, and leaves out what comes before.
    """
    pages: Iterator[_Page] = iter(obstore.list(client, directory or None, chunk_size=PAGE_OBJECTS))
    page = next(pages, [])
    yield page
    if len(page) < PAGE_OBJECTS:
        return
    ranges = _choose_ranges(page, directory) if can_start_anywhere else []
    if not ranges:
        yield from pages
        return
    reached, taken = _last_path(page), ""
    with contextlib.closing(_list_each(client, directory, ranges, threads)) as listings:
        for range_, listed in zip(ranges, listings, strict=True):
            if not _continues(listed, page, range_.start):
                break
            page = [meta for meta in listed if meta["path"] > reached]
            yield page
            if page:
                reached = taken = _last_path(page)
        else:
            return
    # Where no range was taken, nothing is known of an order, and nothing left out.
    for page in pages:
        yield [meta for meta in page if meta["path"] > taken]


def _last_path(page: _Page) -> str:
    path: str = page[-1]["path"]
    return path


def _choose_ranges(first: _Page, directory: str) -> list[_Range]:
    """Return ranges of about a page each for what follows the first one; none where that is little, or unknown."""
    start = f"{directory}/"
    place = place_of_name(_last_path(first).removeprefix(start))
    if place is None or not _is_in_order(first):
        return []
    places_a_page = max(place, 1)
    width = math.ceil(places_a_page * _RANGE_SHARE)
    overlap = math.ceil(places_a_page * _OVERLAP_OBJECTS / PAGE_OBJECTS)
    ranges = []
    for cut in range(place, SPREAD_PLACES, width):
        stop = start + spread_name(cut + width) if cut + width < SPREAD_PLACES else None
        ranges.append(_Range(start + spread_name(max(cut - overlap, 0)), stop))
    return ranges if len(ranges) > 1 else []  # one would be the next page


def _is_in_order(page: _Page) -> bool:
    return all(one["path"] < next_["path"] for one, next_ in itertools.pairwise(page))


def _continues(listed: _Page, before: _Page, start: str) -> bool:
    """Say whether what was listed from `start` on begins with what the page before it has from there on."""
    expected = [meta["path"] for meta in before if meta["path"] > start]
    found = [meta["path"] for meta in listed[: len(expected)]]
    return bool(expected) and found == expected and _is_in_order(listed)


def _list_each(client: Any, directory: str, ranges: list[_Range], threads: int) -> Generator[_Page, None, None]:
    """List ranges, many at once, and yield what is in each, in their order."""
    from concurrent.futures import ThreadPoolExecutor

    def list_one(range_: _Range) -> _Page:
        listed: list[Any] = []
        for page in obstore.list(client, directory, offset=range_.start, chunk_size=PAGE_OBJECTS):
            listed += page
            if range_.stop is not None and _last_path(page) > range_.stop:
                break
        return listed if range_.stop is None else [meta for meta in listed if meta["path"] <= range_.stop]

    pool = ThreadPoolExecutor(min(threads, len(ranges)), thread_name_prefix="keepsake-list")
    try:
        yield from pool.map(list_one, ranges)
    finally:
        pool.shutdown(cancel_futures=True)
