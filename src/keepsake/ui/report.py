"""One file with the page and some experiments: to be sent or kept, and opened by any browser without a network.

The page is the same as in an export (`export`). Scripts, styles and answers stand in the file itself; its content
policy lets run what has the digests of that one script and those styles, and nothing else.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import re
from collections.abc import Callable, Sequence
from typing import Any

from keepsake._analysis.strict_json import json_text
from keepsake.errors import InvalidInputError
from keepsake.experiment import Experiment
from keepsake.project import Project
from keepsake.ui.export import frozen_meta, join_page, read_module
from keepsake.ui.files import ICON, INDEX, SCRIPTS_MARK, VIEW_STYLES, put_icon
from keepsake.ui.frozen import Answers, AnswerWriter, add_experiment, encode_query
from keepsake.ui.site import Site

STYLES = ("css/base.css", "css/table.css", *VIEW_STYLES)
MOST_COMPARED = 8
"""So many experiments are compared at once; of more, the report begins with the table."""
PARTS_OF_DIFF = (("params", "metrics", "environment", "packages", "git"), ("code", "tensors"))
"""What the page asks of a comparison, in two questions."""


def make_report(
    project: Project, experiments: Sequence[Experiment], *, on_progress: Callable[[int, int], None] | None = None
) -> tuple[str, list[str]]:
    """Return the page with these experiments as one HTML document, and what could not be read and is not part of it.

    It begins with the experiment if there is one, with their comparison if there are two to eight, else with the table.

    Args:
        project: of the experiments.
        experiments: which ones.
        on_progress: called with (experiments done, experiments in all).

    Raises:
        InvalidInputError: there are none.
        StoreError: the repository cannot be read.
    """
    if not experiments:
        raise InvalidInputError("there is no experiment to report on", hint="`keepsake ls` lists them")
    answers, pages = Answers(Site(project)), _Pages()
    table = answers.ask("experiments")
    digits = len(table["ids"][0])  # the same for all
    ids = list(dict.fromkeys(experiment.id[:digits] for experiment in experiments))
    for done, experiment_id in enumerate(ids, start=1):
        add_experiment(answers, pages, experiment_id)
        if on_progress is not None:
            on_progress(done, len(ids))
    if 2 <= len(ids) <= MOST_COMPARED:
        _add_comparison(answers, pages, ids)
    pages.add("experiments", restrict(table, [place for place, one in enumerate(table["ids"]) if one in ids]))
    pages.try_to_add("extremes", lambda: answers.ask("extremes", {"ids": ",".join(ids)}))
    pages.add("meta", {**frozen_meta(answers), "experiments": len(ids)})
    return _write_page(pages.documents, _start(ids)), pages.problems


class _Pages(AnswerWriter):
    """Keeps answers by their names."""

    def __init__(self) -> None:
        super().__init__()
        self.documents: dict[str, Any] = {}

    def add(self, name: str, document: Any) -> None:
        """Keep one."""
        self.documents[name] = document


def restrict(table: dict[str, Any], places: Sequence[int]) -> dict[str, Any]:
    """Return the answer of `experiments` with those at some places only."""

    def pick(column: dict[str, Any]) -> dict[str, Any]:
        part = "codes" if "codes" in column else "values"
        return {**column, part: [column[part][place] for place in places]}

    return {**table, "ids": [table["ids"][place] for place in places], "columns": list(map(pick, table["columns"]))}


def _start(ids: Sequence[str]) -> str:
    """Return the address with which the page begins."""
    if len(ids) == 1:
        return f"/e/{ids[0]}"
    return f"/compare/{'...'.join(ids)}" if len(ids) <= MOST_COMPARED else "/"


def _add_comparison(answers: Answers, pages: _Pages, ids: Sequence[str]) -> None:
    for only in PARTS_OF_DIFF:
        query = {"ids": ",".join(ids), "only": only, "all": "1"}
        pages.try_to_add(f"diff?{encode_query(query)}", functools.partial(answers.ask, "diff", query))


def _write_page(documents: dict[str, Any], start: str) -> str:
    script, style = _without_ends(join_page()), "\n".join(map(read_module, STYLES))
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    head = [
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        f"<style>{style}</style>",
        *(_data(name, document) for name, document in documents.items()),
    ]
    text = re.sub(r'<link rel="(?:preload|stylesheet)"[^>]*>\n', "", read_module(INDEX))
    text = put_icon(text, read_module(ICON))
    text = text.replace('data-mode="server"', f'data-mode="static" data-start="{html.escape(start)}"')
    text = text.replace("<head>", "<head>\n" + head[0], 1)
    text = text.replace("</body>", f"<script>{script}</script>\n</body>")
    return text.replace(SCRIPTS_MARK, "\n".join(head[1:]))  # last, since what is in the data looks like anything


def _data(name: str, document: Any) -> str:
    text = json_text(document).replace("<", r"\u003c")  # which JSON has in strings only
    return f'<script type="application/json" data-answer="{html.escape(name)}">{text}</script>'


def _without_ends(text: str) -> str:
    """Return a script in which nothing ends the element that it stands in, or begins a comment.

    `<` may be written so within a string, and `</script` or `<!--` are nowhere else.
    """
    return re.sub(r"<(?=/script|script|!--)", r"\\u003c", text, flags=re.IGNORECASE)


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
