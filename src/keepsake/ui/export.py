"""Writes the page with what it shows into a directory: a site that needs no server, from a bucket or a folder.

The page is the same. Its modules are joined into one script, and each answer that it would ask the server for is a
script that hands it over (`static/core/api.js` is the other side), since a page that is opened from a folder may fetch
nothing. The index comes last: a site that is not complete does not open.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from keepsake._analysis.strict_json import json_text
from keepsake.errors import ConflictError, InvalidInputError
from keepsake.project import Project
from keepsake.ui.bundle import all_modules, join_modules
from keepsake.ui.files import APP, INDEX, ROOT, SCRIPTS_MARK
from keepsake.ui.frozen import Answers, AnswerWriter, add_experiment, frozen_name
from keepsake.ui.site import Site

MARK = "keepsake-export.json"
"""Says that a directory is an export, which the next one may replace."""
LONGEST_NAME = 240
"""Of a file, in bytes; most systems end at 255."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; base-uri 'none'; "
    "form-action 'none'"
)


@dataclass(frozen=True)
class ExportResult:
    """What was written."""

    index: Path
    """What a browser opens."""
    experiments: int
    size_bytes: int
    problems: tuple[str, ...]
    """What could not be read, and is not part of it."""


def export_page(
    project: Project, directory: Path, *, on_progress: Callable[[int, int], None] | None = None
) -> ExportResult:
    """Write the page of a project into a directory.

    Args:
        project: which one.
        directory: where to; made when it is not there. One that holds an earlier export is replaced.
        on_progress: called with (experiments done, experiments in all).

    Raises:
        ConflictError: the directory holds something else, or is none.
        ConfigNotFoundError: there is no repository.
        StoreError: the repository cannot be read.
    """
    _check_replaceable(directory)
    answers = Answers(Site(project))
    table = answers.ask("experiments")  # which fails where there is no repository: an earlier export stays then
    _make_room(directory)
    writer = _Folder(directory)
    for done, experiment_id in enumerate(table["ids"], start=1):
        add_experiment(answers, writer, experiment_id)
        if on_progress is not None:
            on_progress(done, len(table["ids"]))
    writer.add("experiments", table)
    writer.try_to_add("extremes", lambda: answers.ask("extremes"))
    writer.try_to_add("storage", lambda: answers.ask("storage"))
    writer.add("meta", frozen_meta(answers))
    _write_page(directory)
    size_bytes = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
    return ExportResult(directory / INDEX, len(table["ids"]), size_bytes, tuple(writer.problems))


class _Folder(AnswerWriter):
    """Writes answers into a directory, each as a script."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._data = directory / "data"

    def add(self, name: str, document: Any) -> None:
        """Write one. Raises `InvalidInputError` when no file can be called that."""
        path = self._data / f"{frozen_name(name)}.js"
        if len(path.name) > LONGEST_NAME:
            raise InvalidInputError("too long for the name of a file")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"keepsakeAnswer({json_text(name)}, {json_text(document)});\n", encoding="utf-8")


def frozen_meta(answers: Answers) -> dict[str, Any]:
    """Return the answer of `meta` as an export has it."""
    exported = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return {**answers.ask("meta"), "is_static": True, "exported": exported}


def join_page() -> str:
    """Return the whole page as one script."""
    return join_modules(all_modules(APP, read_module), read_module, run=APP)


def _check_replaceable(directory: Path) -> None:
    """Raise `ConflictError` unless the directory is absent, empty or an earlier export."""
    hint = "name a directory of its own"
    if directory.exists() and not directory.is_dir():
        raise ConflictError(f"{directory} is no directory", hint=hint)
    if directory.exists() and any(directory.iterdir()) and not (directory / MARK).exists():
        raise ConflictError(f"{directory} is not empty, and holds no export", hint=hint)


def _make_room(directory: Path) -> None:
    """Take away an earlier export, its index first."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / INDEX).unlink(missing_ok=True)
    for name in ("data", "css", "vendor"):
        shutil.rmtree(directory / name, ignore_errors=True)
    (directory / MARK).write_text('{"written by": "keepsake ui --export"}\n', encoding="utf-8")


def _write_page(directory: Path) -> None:
    (directory / APP).write_text(join_page(), encoding="utf-8")
    for path in _others(ROOT):
        target = directory / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (directory / INDEX).write_text(freeze_index(read_module(INDEX)), encoding="utf-8")


def read_module(name: str) -> str:
    """Return the text of a file of the page."""
    return (ROOT / name).read_text(encoding="utf-8")


def _others(root: Path) -> Iterator[Path]:
    """Yield what is copied as it is: style sheets, pictures, licences."""
    yield from (path for path in root.rglob("*") if path.is_file() and path.suffix not in (".js", ".html", ".json"))


def freeze_index(text: str) -> str:
    """Return the index with addresses beside it, one script, and the content policy that a server would send."""
    text = re.sub(r'<link rel="preload"[^>]*>\n', "", text)
    text = text.replace('data-mode="server"', 'data-mode="static"').replace('"/static/', '"')
    text = text.replace(SCRIPTS_MARK, f'<script defer src="{APP}"></script>')
    return text.replace("<head>", f'<head>\n<meta http-equiv="Content-Security-Policy" content="{POLICY}">', 1)
