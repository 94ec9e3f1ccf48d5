"""The words of a comparison, for terminal and notebook alike: each returns printable text for one cell or line.

Nothing from a repository gets past here but printable characters: others are shown as pictures of themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from keepsake._analysis.diff import Diff, FileChange, FilesDiff, MetricRow, Row, Side, TensorChange, TensorsDiff
from keepsake._analysis.text import format_bytes, format_value
from keepsake._model.ids import short_id
from keepsake._model.times import LocalTime

HEADINGS = {
    "params": "Params", "environment": "Environment", "git": "Git", "packages": "Python packages",
    "metrics": "Metrics", "code": "Files", "tensors": "Tensors",
}  # fmt: skip
"""What each section is called."""
NOT_SET = "(not set)"
_LARGEST = 1e300
"""No share is said of larger numbers: a whole one may be too large to be divided by."""


def diff_summary(diff: Diff) -> str:
    """Return the `repr`: `Diff(72467c5, 4ce0854: params 2, packages 1, files 3)`."""
    counts = {name: sum(row.differs for row in diff.rows(name)) for name in diff.sections}
    counts["files"] = sum(len(one.changes) for one in diff.files)
    facts = [f"{name} {count}" for name, count in counts.items() if count]
    return f"Diff({', '.join(short_id(side.id) for side in diff.sides)}: {', '.join(facts) or 'no difference'})"


def printable(text: str) -> str:
    """Return text in which nothing moves the cursor, changes the colour or turns the writing direction; tabs stay."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() or letter == "\t" else _picture(letter) for letter in text)


def equal_sections(diff: Diff) -> list[str]:
    """Return the names of what was compared and is the same everywhere."""
    equal = [name for name in diff.sections if not any(row.differs for row in diff.rows(name))]
    files = [change for one in diff.files for change in one.changes]
    if files or any(one.problem for one in diff.files):
        equal = [name for name in equal if name != "code"]
    if any(one.problem for one in diff.files) or any(_has_other_tensors(change) for change in files):
        equal = [name for name in equal if name != "tensors"]
    return ["files" if name == "code" else name for name in equal]


def side_facts(sides: Sequence[Side]) -> list[tuple[str, list[str]]]:
    """Return what is known of the sides, a name and a printable text for each; without what none of them has."""
    facts: list[tuple[str, list[str]]] = [
        ("experiment", [short_id(side.experiment_id) for side in sides]),
        ("checkpoint", [_checkpoint_text(side) for side in sides]),
        ("name", [side.name or "" for side in sides]),
        ("status", [side.status or "" for side in sides]),
        ("created", [f"{LocalTime.from_text(side.created):%Y-%m-%d %H:%M:%S}" for side in sides]),
        ("step", ["" if side.step is None else str(side.step) for side in sides]),
        ("path", [side.path or "" for side in sides]),
    ]
    return [(name, [printable(text) for text in texts]) for name, texts in facts if any(texts)]


def cell_text(row: Row, number: int) -> str:
    """Return what one side has for a row."""
    return format_value(row.values[number], longest=1000) if row.is_set[number] else NOT_SET


def difference_text(row: MetricRow) -> str:
    """Return how much more the second of two sides has, and whether that is better: `-0.5 (-50 %), better`.

    Of a NaN or an infinity there is nothing to be said.
    """
    difference, first = row.differences[1], row.values[0]
    if not difference or not math.isfinite(difference) or isinstance(first, (str, list, dict)) or first is None:
        return ""
    share = f" ({100 * difference / abs(first):+.3g} %)" if first and abs(first) < _LARGEST else ""
    if row.goal is None:
        return f"{difference:+.6g}{share}"
    is_better = (difference < 0) == (row.goal == "minimize")
    return f"{difference:+.6g}{share}, {'better' if is_better else 'worse'}"


def count_changes(files: FilesDiff) -> str:
    """Return how many files changed: `1 added, 2 changed, 12 unchanged`."""
    return _count(files.changes, files.unchanged)


def count_tensors(tensors: TensorsDiff) -> str:
    """Return how many tensors changed: `2 changed, 40 unchanged`."""
    return _count(tensors.changes, tensors.unchanged) or "none"


def change_facts(change: FileChange) -> str:
    """Return what changed about a file, in a few words: `+3 -1`, `not executable -> executable`."""
    facts = []
    if change.text is not None and (change.text.added_lines or change.text.removed_lines):
        facts.append(f"+{change.text.added_lines} -{change.text.removed_lines}")
    if change.tensors is not None:
        facts.append(f"tensors: {count_tensors(change.tensors)}")
        if not change.tensors.changes:
            facts.append("other bytes differ")
    if change.text is None and change.tensors is None:
        facts += _size_facts(change)
    old, new = change.old, change.new
    if old is not None and new is not None:
        if old.kind == new.kind == "file" and old.executable != new.executable:
            facts.append("executable now" if new.executable else "not executable any more")
        if old.kind != new.kind:
            facts.append(f"{old.kind} -> {new.kind}")
    targets = [state.target for state in (old, new) if state is not None and state.kind == "link"]
    if targets:
        facts.append(f"link to {' -> '.join(targets)}")
    facts += [fact for fact in (change.note, change.problem and f"PROBLEM: {change.problem}") if fact]
    return printable(", ".join(facts))


TENSOR_COLUMNS = ("", "tensor", "type and shape", "items changed", "largest change", "relative L2", "cosine")


def tensor_cells(change: TensorChange) -> list[str]:
    """Return the cells of a tensor below `TENSOR_COLUMNS`."""
    states = [f"{one.dtype}{list(one.shape)}" for one in (change.old, change.new) if one is not None]
    cells = [change.change, change.name or "(array)", " -> ".join(dict.fromkeys(states))]
    values = change.values
    if values is None:
        return [*map(printable, cells), "", "", "", ""]
    share = "" if values.changed_items is None else _percent(values.changed_items / values.items)
    cosine = "" if values.cosine is None else f"{values.cosine:.6f}"
    numbers = [_number(values.max_abs_difference), _number(values.relative_l2)]
    return [*map(printable, cells), share, *numbers, cosine]


def tensor_note(change: TensorChange) -> str:
    """Return what has to be said of a tensor besides its cells; mostly nothing."""
    if change.problem:
        return f"PROBLEM: {printable(change.problem)}"
    values = change.values
    if values is None or not (values.nonfinite_old or values.nonfinite_new):
        return ""
    return f"NaN or infinite: {values.nonfinite_old} -> {values.nonfinite_new} of {values.items} items"


def _count(changes: Sequence[FileChange | TensorChange], unchanged: int) -> str:
    counts = [(sum(one.change == kind for one in changes), kind) for kind in ("added", "removed", "changed")]
    return ", ".join(f"{count} {kind}" for count, kind in [*counts, (unchanged, "unchanged")] if count)


def _has_other_tensors(change: FileChange) -> bool:
    """Say whether tensors of a file changed, or may have."""
    return bool(change.problem or (change.tensors is not None and change.tensors.changes))


def _checkpoint_text(side: Side) -> str:
    if side.checkpoint_id is None:
        return ""
    return short_id(side.checkpoint_id) + (f" ({side.chosen})" if side.chosen else "")


def _size_facts(change: FileChange) -> list[str]:
    sizes = [one.size_bytes for one in (change.old, change.new) if one is not None and one.kind == "file"]
    is_new = len(sizes) == 1 or len(set(sizes)) > 1
    return [" -> ".join(dict.fromkeys(map(format_bytes, sizes)))] if is_new else []


def _percent(share: float) -> str:
    return "100 %" if share == 1 else f"{100 * share:.2g} %"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _picture(letter: str) -> str:
    """Return a visible character for one that is not: control pictures for C0, else the replacement character."""
    code = ord(letter)
    return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\ufffd"
