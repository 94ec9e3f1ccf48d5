"""How endpoints answer: JSON as `--json` has it, compressed where that helps, and errors as JSON, too."""

from __future__ import annotations

import gzip
import sys
import traceback
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from keepsake._analysis.strict_json import json_text
from keepsake._tracking.secrets import mask_url
from keepsake.errors import (
    AmbiguousPrefixError,
    ConfigNotFoundError,
    InternalError,
    InvalidInputError,
    KeepsakeError,
    NotFoundError,
    StoreError,
    UnreadableTextError,
)

JSON = "application/json"
GZIP_LEVEL = 1
"""Ten times as fast as the usual one, and a tenth larger: most readers are on the same machine."""
_WORTH_COMPRESSING_BYTES = 2_000


def answer_json(request: Request, document: Any) -> Response:
    """Answer with a document of dictionaries, lists and values."""
    return answer_text(request, json_text(document).encode(), JSON)


def answer_text(request: Request, body: bytes, media_type: str) -> Response:
    """Answer with bytes that are text, compressed for who takes that."""
    headers = {"content-type": media_type, "vary": "accept-encoding"}
    if len(body) >= _WORTH_COMPRESSING_BYTES and accepts_gzip(request):
        body = gzip.compress(body, GZIP_LEVEL, mtime=0)
        headers["content-encoding"] = "gzip"
    return Response(body, headers=headers)


def accepts_gzip(request: Request) -> bool:
    """Say whether who asks takes gzip."""
    return "gzip" in request.headers.get("accept-encoding", "")


def answer_failure(error: Exception) -> Response:
    """Answer with what went wrong. What nobody expected is told to who runs the server, and not to who asks."""
    if not isinstance(error, KeepsakeError):
        traceback.print_exception(error, file=sys.stderr)
        error = InternalError("this could not be answered", hint="the terminal of `keepsake ui` says more")
    return _answer(status_of(error), document_of(error))


def document_of(error: KeepsakeError) -> dict[str, Any]:
    """Return an error as it stands in an answer."""
    document = _document(error.kind, error.message, error.hint)
    if isinstance(error, AmbiguousPrefixError):
        document["candidates"] = list(error.candidates)
    if isinstance(error, UnreadableTextError):
        document["at"] = error.at
    return document


def answer_error(
    status: int, kind: str, message: str, *, hint: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with an error of this status."""
    return _answer(status, _document(kind, message, hint), headers)


def _answer(status: int, error: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    return Response(json_text({"error": error}).encode(), status, headers, JSON)


def _document(kind: str, message: str, hint: str | None) -> dict[str, Any]:
    return {"kind": kind, "message": mask_url(message), "hint": hint and mask_url(hint)}


def status_of(error: KeepsakeError) -> int:
    """Return the HTTP status for an error."""
    if isinstance(error, InvalidInputError):
        return 400
    if isinstance(error, NotFoundError):
        return 404
    return 503 if isinstance(error, (StoreError, ConfigNotFoundError)) else 500
