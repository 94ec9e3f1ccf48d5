"""What a saved file looks like, from as few of its bytes as show that, and nothing of it executed.

- Images, weights and text are known by their content; which kind of text, by the name. What cannot be read as what its
  name says is shown as text, and what is no text as bytes.
- A text is cut at `MAX_TEXT_BYTES`. Of weights only headers are read.
- Everything in the result is data for somebody who draws it: names, cells and cells of notebooks come as they are.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, BinaryIO

from keepsake._analysis.images import IMAGE_HEAD_BYTES, media_type_of, read_image
from keepsake._analysis.tabletext import TextTable, read_csv, read_json_lines
from keepsake._analysis.tensors import WEIGHTS_HEAD_BYTES, is_weights, read_tensors
from keepsake._analysis.textdiff import TEXT_HEAD_BYTES, is_text
from keepsake._model.manifest import Entry
from keepsake.errors import FormatError

MAX_TEXT_BYTES = 256 * 1024
MAX_NOTEBOOK_BYTES = 8 * 1024 * 1024
"""Outputs make notebooks long, so one is read further than it is shown."""
MAX_TENSORS_SHOWN = 10_000
BINARY_HEAD_BYTES = 256
_DEEPEST = 50
"""How deep a JSON document may be nested to be shown as a tree."""

_LANGUAGES = {
    "python": (".py", ".pyi", ".pyw"),
    "yaml": (".yaml", ".yml"),
    "json": (".json", ".jsonl", ".ndjson", ".ipynb"),
    "toml": (".toml",),
    "markdown": (".md", ".markdown"),
    "shell": (".sh", ".bash", ".zsh", ".ksh"),
    "diff": (".diff", ".patch"),
}


def preview_entry(entry: Entry, open_entry: Callable[[Entry], BinaryIO]) -> dict[str, Any]:
    """Describe what is at a path of a snapshot; `docs/ui-api.md` has the fields.

    Args:
        entry: what is there.
        open_entry: opens it for reading: binary, buffered, seekable.

    Raises:
        KeepsakeError: from reading.
    """
    found: dict[str, Any] = {"path": entry.path, "size_bytes": entry.size_bytes, "kind": entry.kind}
    if entry.kind == "missing":
        return found | {"note": entry.reason or "it could not be read"}
    if entry.kind == "link":
        return found | {"target": entry.target}
    if entry.kind == "directory":
        return found
    with open_entry(entry) as file:
        return found | _preview_file(entry.path, entry.size_bytes, file)


def _preview_file(path: str, size_bytes: int, file: BinaryIO) -> dict[str, Any]:
    # No more than this at first: what follows may be in another chunk, of many megabytes.
    head = file.read(max(IMAGE_HEAD_BYTES, WEIGHTS_HEAD_BYTES))
    media_type = media_type_of(head)
    if media_type is not None:
        return _image(head + file.read(MAX_TEXT_BYTES) if media_type == "image/jpeg" else head)
    if is_weights(head, size_bytes):
        return _tensors(size_bytes, file)
    head += file.read(TEXT_HEAD_BYTES - len(head))
    if not is_text(head):
        return _binary(head)
    return _text(path.lower(), size_bytes, head, file)


def _image(head: bytes) -> dict[str, Any]:
    image = read_image(head)
    assert image is not None
    return {"kind": "image"} | image._asdict()


def _binary(head: bytes, note: str | None = None) -> dict[str, Any]:
    return {"kind": "binary", "head": head[:BINARY_HEAD_BYTES].hex(), "note": note}


def _tensors(size_bytes: int, file: BinaryIO) -> dict[str, Any]:
    note = None
    tensors = None
    try:
        tensors = read_tensors(file, size_bytes)
    except FormatError as error:
        if type(error) is not FormatError:
            raise  # damage of what is stored
        note = f"its tensors cannot be read: {error.message}"
    if tensors is None:
        file.seek(0)
        return _binary(file.read(BINARY_HEAD_BYTES), note)
    shown = [
        {"name": one.name, "dtype": one.dtype, "shape": list(one.shape), "size_bytes": one.size_bytes}
        for one in list(tensors.values())[:MAX_TENSORS_SHOWN]
    ]
    return {"kind": "tensors", "tensors": shown, "is_cut": len(tensors) > MAX_TENSORS_SHOWN}


def _text(path: str, size_bytes: int, head: bytes, file: BinaryIO) -> dict[str, Any]:
    if path.endswith(".ipynb") and size_bytes <= MAX_NOTEBOOK_BYTES:
        head += file.read(size_bytes - len(head))
        cells = _cells(head)
        if cells is not None:
            return cells
    head += file.read(max(MAX_TEXT_BYTES - len(head), 0))
    is_cut = size_bytes > MAX_TEXT_BYTES
    text = _decode(head[:MAX_TEXT_BYTES], is_cut=is_cut)
    if path.endswith(".json"):
        return _json(text, is_cut=is_cut)
    table = _table(path, text, is_cut=is_cut)
    if table is not None:
        return {"kind": "table", "columns": table.columns, "rows": table.rows, "is_cut": table.is_cut}
    return {"kind": "text", "text": text, "language": language_of(path, text), "is_cut": is_cut}


def _decode(data: bytes, *, is_cut: bool) -> str:
    """Decode UTF-8, with a mark where it is none; a character that was cut through is left out."""
    text = data.decode("utf-8-sig", "replace")
    return text.rstrip("\ufffd") if is_cut else text


def _table(path: str, text: str, *, is_cut: bool) -> TextTable | None:
    if path.endswith(".csv"):
        return read_csv(text, is_cut=is_cut)
    if path.endswith(".tsv"):
        return read_csv(text, separator="\t", is_cut=is_cut)
    if path.endswith((".jsonl", ".ndjson")):
        return read_json_lines(text, is_cut=is_cut)
    return None


def _json(text: str, *, is_cut: bool) -> dict[str, Any]:
    """Return a document as a tree; as text when it is too long, too deep, or none."""
    try:
        value = None if is_cut else json.loads(text)
    except (ValueError, RecursionError):
        return {"kind": "text", "text": text, "language": "json", "is_cut": is_cut}
    if is_cut or not _is_shallow(value):
        return {"kind": "json", "text": text, "is_cut": is_cut}
    return {"kind": "json", "value": value, "is_cut": False}


def _is_shallow(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        containers = [one for one in level if isinstance(one, (dict, list))]
        level = [item for one in containers for item in (one.values() if isinstance(one, dict) else one)]
        if not level:
            return True
    return False


def _cells(data: bytes) -> dict[str, Any] | None:
    """Return the cells of a notebook without their outputs; None when this is none."""
    try:
        document = json.loads(data)
        found = document["cells"]
        cells = [{"kind": str(cell["cell_type"]), "source": _joined(cell["source"])} for cell in found]
    except (ValueError, RecursionError, TypeError, KeyError):
        return None
    left = MAX_TEXT_BYTES
    shown: list[dict[str, str]] = []
    for cell in cells:
        left -= len(cell["source"])
        if left < 0:
            break
        shown.append(cell)
    return {"kind": "notebook", "cells": shown, "is_cut": len(shown) < len(cells)}


def _joined(source: Any) -> str:
    return source if isinstance(source, str) else "".join(map(str, source))


def language_of(path: str, text: str = "") -> str | None:
    """Guess the language of a text, from the end of its path or its first line."""
    path = path.lower()
    for language, suffixes in _LANGUAGES.items():
        if path.endswith(suffixes):
            return language
    first = text.partition("\n")[0]
    if first.startswith("#!"):
        return "python" if "python" in first else "shell" if "sh" in first else None
    return None
