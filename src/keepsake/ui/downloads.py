"""Bytes of a saved file as an answer: a range or all of it, as something to keep and never as a page.

The first block is read before the answer begins, so that damage there is an error and not half a file. Damage further
on breaks the connection off, which who asks can tell from the length.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from typing import BinaryIO
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from keepsake._model.manifest import Entry
from keepsake.errors import KeepsakeError
from keepsake.ui.answers import answer_error
from keepsake.ui.saved import SavedFiles, tag_of

BLOCK_BYTES = 1024 * 1024
FILE_POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"
_NAME_BYTES = 180
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def answer_file(request: Request, files: SavedFiles, entry: Entry, *, media_type: str | None = None) -> Response:
    """Answer with a file.

    Args:
        request: with `Range`, `If-Range` and `If-None-Match` as they are.
        files: where it is.
        entry: the file.
        media_type: to show it as; an attachment of no type when None.
    """
    tag = f'"{tag_of(entry)}"'
    headers = {
        "content-type": media_type or "application/octet-stream",
        "content-disposition": "inline" if media_type else disposition_of(entry.path),
        "content-security-policy": FILE_POLICY,
        "accept-ranges": "bytes",
        "etag": tag,
        "cache-control": "private, no-cache",
    }
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    start, stop, status = 0, entry.size_bytes, 200
    if request.headers.get("if-range", tag) == tag:
        wanted = parse_range(request.headers.get("range", ""), entry.size_bytes)
        if wanted is not None and wanted[0] >= wanted[1]:
            return answer_error(
                416, "range", "the file has no such bytes", headers={"content-range": f"bytes */{entry.size_bytes}"}
            )
        if wanted is not None:
            start, stop, status = *wanted, 206
            headers["content-range"] = f"bytes {start}-{stop - 1}/{entry.size_bytes}"
    headers["content-length"] = str(stop - start)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return _stream(files.open(entry), start, stop, status, headers)


def parse_range(text: str, size_bytes: int) -> tuple[int, int] | None:
    """Return start and stop of the one range that is asked for, empty when the file has nothing of it; else None.

    Several ranges at once are answered with the whole file, as RFC 9110, 14.2, allows.
    """
    found = _RANGE.fullmatch(text.strip())
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        return max(size_bytes - int(last), 0), size_bytes
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last) + 1, size_bytes) if last else size_bytes


def disposition_of(path: str) -> str:
    """Return the header that makes a browser keep a file under its own name (RFC 6266).

    Characters that are not shown, or that turn text around, are replaced, so that nobody takes the name for another.
    """
    name = "".join("_" if _is_unseen(letter) or letter in '/\\"' else letter for letter in path.rpartition("/")[2])
    name = name.strip(" .") or "file"
    if len(name.encode()) > _NAME_BYTES:
        ending = name[name.rfind(".") :] if 0 < len(name) - name.rfind(".") < 16 else ""
        name = name.encode()[: _NAME_BYTES - len(ending.encode())].decode(errors="ignore") + ending
    plain = "".join(letter if letter.isascii() and letter not in "%;" else "_" for letter in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _is_unseen(letter: str) -> bool:
    return unicodedata.category(letter)[0] == "C" or unicodedata.category(letter) in ("Zl", "Zp")


def _stream(file: BinaryIO, start: int, stop: int, status: int, headers: Mapping[str, str]) -> Response:
    try:
        file.seek(start)
        first = file.read(min(BLOCK_BYTES, stop - start))
    except BaseException:
        file.close()
        raise
    if len(first) == stop - start:
        file.close()
        return Response(first, status, headers)
    return StreamingResponse(_blocks(file, first, stop - start), status, headers)


def _blocks(file: BinaryIO, first: bytes, size_bytes: int) -> Iterator[bytes]:
    with file:
        yield first
        left = size_bytes - len(first)
        while left:
            try:
                block = file.read(min(BLOCK_BYTES, left))
            except KeepsakeError as error:
                # The answer has begun, so there is no other way to say it: what was promised does not come.
                print(f"a download broke off: {error.message}", file=sys.stderr)  # noqa: T201
                return
            left -= len(block)
            yield block
