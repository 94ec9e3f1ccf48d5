"""Answers of the server as they are exported: what the page asks for, written down beforehand.

`static/core/api.js` is the other side. A kind of export says where answers go (`AnswerWriter.add`).
"""

from __future__ import annotations

import base64
import functools
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from keepsake.errors import KeepsakeError, NotFoundError
from keepsake.ui.api import ENDPOINTS, load_handler
from keepsake.ui.site import Site

CHECKPOINT_DIGITS = 16
"""How much of a checkpoint's id names its answers. (Experiments have as many digits as tell them apart.)"""
MOST_PREVIEWS = 500
"""Files of one experiment or checkpoint of which a preview is exported."""
LARGEST_IMAGE_BYTES = 512 * 1024
"""Larger ones are named only."""

Query = Mapping[str, str | Sequence[str]]
"""What stands behind the `?`; a list is a name that is repeated."""


class Answers:
    """What the server would answer, without one."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._routes = [(Route(path, _unused), name) for path, name in ENDPOINTS.items()]

    def ask(self, path: str, query: Query | None = None) -> Any:
        """Return the document of an endpoint. Raises what its handler raises."""
        scope: dict[str, Any] = {"type": "http", "method": "GET", "path": f"/{path}", "root_path": "", "headers": []}
        scope["query_string"] = encode_query(query or {}).encode()
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


class AnswerWriter(ABC):
    """Takes down answers, and what could not be had."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    @abstractmethod
    def add(self, name: str, document: Any) -> None:
        """Take down one; `name` is what the page asks for, with the ids as they are exported."""

    def try_to_add(self, name: str, ask: Callable[[], Any]) -> Any:
        """Take down what `ask` returns, and return it; what cannot be had is noted, and None returned."""
        try:
            document = ask()
            self.add(name, document)
        except KeepsakeError as error:
            self.problems.append(f"{name}: {error.message}")
            return None
        return document


def add_experiment(answers: Answers, writer: AnswerWriter, experiment_id: str) -> None:
    """Take down what the page asks about one experiment: itself, its curves, its files and what they look like."""
    name = f"experiments/{experiment_id}"
    experiment = writer.try_to_add(name, lambda: answers.ask(name))
    if experiment is None:
        return
    writer.try_to_add(f"{name}/curves", lambda: answers.ask(f"{name}/curves"))
    _add_files(answers, writer, "experiment", experiment_id, experiment_id)
    for checkpoint_id in {experiment["best_checkpoint"], experiment["latest_checkpoint"]} - {None}:
        _add_files(answers, writer, "checkpoint", checkpoint_id, checkpoint_id[:CHECKPOINT_DIGITS])


def _add_files(answers: Answers, writer: AnswerWriter, source: str, identifier: str, short_id: str) -> None:
    """Take down the list of files of an experiment or a checkpoint, and previews of those that are its own."""
    listed = writer.try_to_add(f"{source}s/{short_id}/files", lambda: answers.ask(f"{source}s/{identifier}/files"))
    own = [file for file in (listed or {}).get("files", ()) if file["source"] == source and file["kind"] == "file"]
    for file in own[:MOST_PREVIEWS]:
        name = f"preview/{short_id}?{encode_query({'path': file['path']})}"
        writer.try_to_add(name, functools.partial(answers.preview, identifier, file))


def encode_query(query: Query) -> str:
    """Return a query as `URLSearchParams` of a browser writes it."""
    return urlencode(query, doseq=True).replace("~", "%7E").replace("%2A", "*")


def frozen_name(name: str) -> str:
    """Return the path of an answer below `data`, as the page works it out, too."""
    return re.sub(r"[^A-Za-z0-9_/-]", lambda letter: f".{ord(letter[0]):x}", name)
