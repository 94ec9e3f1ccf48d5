"""Saved files: which there are, what they look like, their bytes, and the values of a tensor."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from keepsake._analysis.histogram import tensor_histogram
from keepsake._analysis.images import IMAGE_HEAD_BYTES, media_type_of
from keepsake._analysis.preview import preview_entry
from keepsake.errors import InvalidInputError
from keepsake.ui.downloads import answer_file
from keepsake.ui.queries import text_of
from keepsake.ui.saved import SavedFiles, check_file
from keepsake.ui.site import Site


def get_experiment_files(site: Site, request: Request) -> dict[str, Any]:
    """Return the files that were saved when an experiment began."""
    return _document(SavedFiles(site.get_experiment(request.path_params["id"]).saved_files()))


def get_checkpoint_files(site: Site, request: Request) -> dict[str, Any]:
    """Return the files of a checkpoint, laid over those of its experiment."""
    return _document(SavedFiles(site.get_checkpoint(request.path_params["id"]).saved_files()))


def get_preview(site: Site, request: Request) -> dict[str, Any]:
    """Return what a file looks like."""
    files = site.saved_files(request.path_params["id"])
    return preview_entry(files.find(text_of(request, "path")), files.open)


def get_histogram(site: Site, request: Request) -> dict[str, Any]:
    """Return how the values of a tensor are distributed."""
    files = site.saved_files(request.path_params["id"])
    entry = files.find(text_of(request, "path"))
    check_file(entry)
    return tensor_histogram(files.open(entry), entry.size_bytes, request.query_params.get("tensor", ""))


def get_file(site: Site, request: Request) -> Response:
    """Return the bytes of a file."""
    files = site.saved_files(request.path_params["id"])
    entry = files.find(text_of(request, "path"))
    check_file(entry)
    shown_as = request.query_params.get("as")
    if not shown_as:
        return answer_file(request, files, entry)
    with files.open(entry) as file:
        media_type = media_type_of(file.read(IMAGE_HEAD_BYTES))
    if shown_as != "image" or media_type is None:
        raise InvalidInputError(f"{entry.path!r} cannot be shown as {shown_as!r}", hint="PNG, JPEG, GIF and WebP can")
    return answer_file(request, files, entry, media_type=media_type)


def _document(files: SavedFiles) -> dict[str, Any]:
    return {"files": files.documents(), "unsaved": files.unsaved}
