"""Writes the page with what it shows into a directory: a site that needs no server, from a bucket or a folder.

The page is the same. Its modules are joined into one script, and each answer that it would ask the server for is a
script that hands it over (`static/core/api.js` is the other side), since a page that is opened from a folder may fetch
nothing. The index comes last: a site that is not complete does not open.
"""

from __future__ import annotations

import base64
import functools
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from keepsake._analysis.strict_json import json_text
from keepsake.errors import ConflictError, KeepsakeError, NotFoundError
from keepsake.project import Project
from keepsake.ui.api import ENDPOINTS, load_handler
from keepsake.ui.bundle import all_modules, join_modules
from keepsake.ui.files import APP, INDEX, ROOT, SCRIPTS_MARK
from keepsake.ui.site import Site

MARK = "keepsake-export.json"
"""Says that a directory is an export, which the next one may replace."""
CHECKPOINT_DIGITS = 16
"""How much of a checkpoint's id names its answers. (Experiments have as many digits as tell them apart.)"""
MOST_PREVIEWS = 500
"""Files of one experiment or checkpoint of which a preview is exported."""
LARGEST_IMAGE_BYTES = 512 * 1024
"""Larger ones are named only."""
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
        ConflictError: the directory holds something else.
        ConfigNotFoundError: there is no repository.
        StoreError: the repository cannot be read.
    """
    _make_room(directory)
    answers = Answers(Site(project))
    writer = _Writer(directory)
    table = answers.ask("experiments")
    for done, experiment_id in enumerate(table["ids"], start=1):
        _write_experiment(answers, writer, experiment_id)
        if on_progress is not None:
            on_progress(done, len(table["ids"]))
    writer.add("experiments", table)
    writer.try_to_add("storage", lambda: answers.ask("storage"))
    exported = datetime.now(timezone.utc).isoformat(timespec="seconds")
    writer.add("meta", answers.ask("meta") | {"is_static": True, "exported": exported})
    _write_page(directory)
    size_bytes = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
    return ExportResult(directory / INDEX, len(table["ids"]), size_bytes, tuple(writer.problems))


class Answers:
    """What the server would answer, without one."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._routes = [(Route(path, _unused), name) for path, name in ENDPOINTS.items()]

    def ask(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """Return the document of an endpoint. Raises what its handler raises."""
        scope: dict[str, Any] = {"type": "http", "method": "GET", "path": f"/{path}", "root_path": "", "headers": []}
        scope["query_string"] = urlencode(query or {}).encode()
        for route, name in self._routes:
            match, found = route.matches(scope)
            if match is Match.FULL:
                answer = load_handler(name)(self._site, Request({**scope, **found}))
                if isinstance(answer, Response):
                    return json.loads(bytes(answer.body))
                return answer
        raise NotFoundError(f"there is no endpoint {path}")

    def preview(self, identifier: str, file: Mapping[str, Any]) -> Any:
        """Return the preview of a file of a list; small images are part of it. Errors as of `ask`."""
        document = self.ask(f"preview/{identifier}", {"path": file["path"]})
        if document["kind"] != "image" or file["size_bytes"] > LARGEST_IMAGE_BYTES:
            return document
        files = self._site.saved_files(identifier)
        with files.open(files.find(file["path"])) as image:
            data = base64.b64encode(image.read()).decode()
        return {**document, "data": f"data:{document['media_type']};base64,{data}"}


def _unused() -> None:
    """Stand where Starlette wants an endpoint; only the paths of the routes are used."""


class _Writer:
    """Writes answers, each as a script."""

    def __init__(self, directory: Path) -> None:
        self._data = directory / "data"
        self.problems: list[str] = []

    def add(self, name: str, document: Any) -> None:
        """Write one; `name` is what the page asks for, with the ids as they are exported."""
        path = self._data / f"{frozen_name(name)}.js"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"keepsakeAnswer({json_text(name)}, {json_text(document)});\n", encoding="utf-8")

    def try_to_add(self, name: str, ask: Callable[[], Any]) -> Any:
        """Write what `ask` returns, and return it; what cannot be had is noted, and None returned."""
        if len(frozen_name(name).rpartition("/")[2]) > LONGEST_NAME:
            self.problems.append(f"{name}: too long for the name of a file")
            return None
        try:
            document = ask()
        except KeepsakeError as error:
            self.problems.append(f"{name}: {error.message}")
            return None
        self.add(name, document)
        return document


def _write_experiment(answers: Answers, writer: _Writer, experiment_id: str) -> None:
    name = f"experiments/{experiment_id}"
    experiment = writer.try_to_add(name, lambda: answers.ask(name))
    if experiment is None:
        return
    writer.try_to_add(f"{name}/curves", lambda: answers.ask(f"{name}/curves"))
    _write_files(answers, writer, "experiment", experiment_id, experiment_id)
    for checkpoint_id in {experiment["best_checkpoint"], experiment["latest_checkpoint"]} - {None}:
        _write_files(answers, writer, "checkpoint", checkpoint_id, checkpoint_id[:CHECKPOINT_DIGITS])


def _write_files(answers: Answers, writer: _Writer, source: str, identifier: str, short_id: str) -> None:
    """Write the list of files of an experiment or a checkpoint, and previews of those that are its own."""
    listed = writer.try_to_add(f"{source}s/{short_id}/files", lambda: answers.ask(f"{source}s/{identifier}/files"))
    own = [file for file in (listed or {}).get("files", ()) if file["source"] == source and file["kind"] == "file"]
    for file in own[:MOST_PREVIEWS]:
        name = f"preview/{short_id}?{encode_query({'path': file['path']})}"
        writer.try_to_add(name, functools.partial(answers.preview, identifier, file))


def encode_query(query: Mapping[str, str]) -> str:
    """Return a query as `URLSearchParams` of a browser writes it."""
    return urlencode(query).replace("~", "%7E").replace("%2A", "*")


def frozen_name(name: str) -> str:
    """Return the path of an answer below `data`, as the page works it out, too."""
    return re.sub(r"[^A-Za-z0-9_/-]", lambda letter: f".{ord(letter[0]):x}", name)


def _make_room(directory: Path) -> None:
    """Take away an earlier export, its index first."""
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()) and not (directory / MARK).exists():
        raise ConflictError(f"{directory} is not empty, and holds no export", hint="name a directory of its own")
    (directory / INDEX).unlink(missing_ok=True)
    for name in ("data", "css", "vendor"):
        shutil.rmtree(directory / name, ignore_errors=True)
    (directory / MARK).write_text('{"written by": "keepsake ui --export"}\n', encoding="utf-8")


def _write_page(directory: Path) -> None:
    script = join_modules(all_modules(APP, _read_module), _read_module, run=APP)
    (directory / APP).write_text(script, encoding="utf-8")
    for path in _others(ROOT):
        target = directory / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (directory / INDEX).write_text(freeze_index((ROOT / INDEX).read_text(encoding="utf-8")), encoding="utf-8")


def _read_module(name: str) -> str:
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
