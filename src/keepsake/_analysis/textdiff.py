r"""What changed between two texts, line by line, as the hunks of a unified diff.

Lines are matched as in patience diff: those that stand exactly once in both texts are anchors, the longest run of
anchors in the same order is kept, and what lies between two of them is compared alike (Bram Cohen,
https://bramcohen.livejournal.com/73318.html). Stretches without an anchor go to `difflib` as long as they are short. So
the time grows with the length of the texts, not with its square, and functions that moved read well.

A line ends with `\n`; a carriage return belongs to it. Bytes that are no UTF-8 become lone surrogates
(`surrogateescape`), so that the hunks hold the texts exactly.
"""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

CONTEXT_LINES = 3
NO_NEWLINE = "\\ No newline at end of file"
"""What stands below a last line without an end, as POSIX and GNU diff have it."""
TEXT_HEAD_BYTES = 8000
"""Where git looks for a zero byte, too."""
_PRODUCT_BUDGET = 4_000_000
"""Pairs of lines that `difflib` may look at for one text, which takes it a second at worst."""
_PASSES = 64
"""How often a line is looked at, on average, before the rest counts as replaced."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """A place that changed, with some lines around it."""

    old_start: int
    """Number of its first line in the old text, from 1; of the line before when it has none."""
    old_count: int
    new_start: int
    new_count: int
    lines: tuple[str, ...]
    """Each behind a space, a minus or a plus, without its end; `NO_NEWLINE` stands below a line that has none."""

    @property
    def heading(self) -> str:
        """The line that introduces it: `@@ -1,7 +1,8 @@`."""
        return f"@@ -{_range(self.old_start, self.old_count)} +{_range(self.new_start, self.new_count)} @@"


@dataclass(frozen=True, slots=True)
class TextDiff:
    """How to make one text from another."""

    hunks: tuple[Hunk, ...]
    added_lines: int
    removed_lines: int


def is_text(head: bytes) -> bool:
    """Say whether what a file begins with is text, as git decides it: there is no zero byte in it."""
    return b"\0" not in head[:TEXT_HEAD_BYTES]


def diff_texts(old: bytes, new: bytes, *, context_lines: int = CONTEXT_LINES) -> TextDiff:
    """Compare two texts.

    Args:
        old: the one text.
        new: the other.
        context_lines: how many lines around a change go with it.
    """
    old_lines, new_lines = _split_lines(old), _split_lines(new)
    changes = list(_changes(old_lines, new_lines))
    hunks = tuple(_hunk(group, old_lines, new_lines, context_lines) for group in _groups(changes, context_lines))
    return TextDiff(
        hunks,
        added_lines=sum(change.new_stop - change.new_start for change in changes),
        removed_lines=sum(change.old_stop - change.old_start for change in changes),
    )


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Lines of the old text and lines of the new; of a change, the ones that are replaced by the others."""

    old_start: int
    old_stop: int
    new_start: int
    new_stop: int

    @property
    def is_empty(self) -> bool:
        return self.old_start == self.old_stop or self.new_start == self.new_stop


def _split_lines(text: bytes) -> list[bytes]:
    lines = text.split(b"\n")
    last = lines.pop()
    return [line + b"\n" for line in lines] + ([last] if last else [])


def _changes(old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[_Stretch]:
    """Yield what lies between the lines that match, in order."""
    numbers: dict[bytes, int] = {}
    a = [numbers.setdefault(line, len(numbers)) for line in old]
    b = [numbers.setdefault(line, len(numbers)) for line in new]
    old_position = new_position = 0
    for i, j in [*sorted(_Matching(a, b).pairs()), (len(a), len(b))]:
        if i > old_position or j > new_position:
            yield _Stretch(old_position, i, new_position, j)
        old_position, new_position = i + 1, j + 1


class _Matching:
    """The search for lines that match, and how much it may still look at."""

    def __init__(self, a: Sequence[int], b: Sequence[int]) -> None:
        self._a = a
        self._b = b
        self._lines_left = _PASSES * (len(a) + len(b))
        self._products_left = _PRODUCT_BUDGET

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Yield the numbers of matching lines in both texts, in any order; no two pairs cross."""
        waiting = [_Stretch(0, len(self._a), 0, len(self._b))]
        while waiting:
            stretch = waiting.pop()
            matched, rest = self._trim(stretch)
            yield from matched
            if rest.is_empty:
                continue
            self._lines_left -= rest.old_stop - rest.old_start + rest.new_stop - rest.new_start
            if self._lines_left < 0:
                return
            anchors = self._anchors(rest)
            if not anchors:
                yield from self._match_short(rest)
                continue
            yield from anchors
            i, j = rest.old_start, rest.new_start
            for next_i, next_j in [*anchors, (rest.old_stop, rest.new_stop)]:
                waiting.append(_Stretch(i, next_i, j, next_j))
                i, j = next_i + 1, next_j + 1

    def _trim(self, stretch: _Stretch) -> tuple[list[tuple[int, int]], _Stretch]:
        """Match the lines at both ends, and return what is left in the middle."""
        a, b = self._a, self._b
        i, i_stop, j, j_stop = stretch.old_start, stretch.old_stop, stretch.new_start, stretch.new_stop
        matched = []
        while i < i_stop and j < j_stop and a[i] == b[j]:
            matched.append((i, j))
            i, j = i + 1, j + 1
        while i < i_stop and j < j_stop and a[i_stop - 1] == b[j_stop - 1]:
            i_stop, j_stop = i_stop - 1, j_stop - 1
            matched.append((i_stop, j_stop))
        return matched, _Stretch(i, i_stop, j, j_stop)

    def _anchors(self, stretch: _Stretch) -> list[tuple[int, int]]:
        """Return the longest run of lines that are unique on both sides and stand in the same order there."""
        a = self._a[stretch.old_start : stretch.old_stop]
        b = self._b[stretch.new_start : stretch.new_stop]
        counts_a, counts_b = Counter(a), Counter(b)
        place_in_b = {line: stretch.new_start + j for j, line in enumerate(b) if counts_b[line] == 1}
        unique = [
            (stretch.old_start + i, place_in_b[line])
            for i, line in enumerate(a)
            if counts_a[line] == 1 and line in place_in_b
        ]
        return _longest_increasing(unique)

    def _match_short(self, stretch: _Stretch) -> Iterator[tuple[int, int]]:
        a = self._a[stretch.old_start : stretch.old_stop]
        b = self._b[stretch.new_start : stretch.new_stop]
        self._products_left -= len(a) * len(b)
        if self._products_left < 0:
            return
        for block in difflib.SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks():
            for offset in range(block.size):
                yield stretch.old_start + block.a + offset, stretch.new_start + block.b + offset


def _longest_increasing(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest run of `pairs`, which rise in the first number, that rises in the second, too."""
    tops: list[int] = []  # the smallest second number in which a run of each length can end
    ends: list[int] = []  # which pair that is
    before: list[int] = []  # for each pair, the one before it in its run
    for number, (_, j) in enumerate(pairs):
        length = bisect_left(tops, j)
        before.append(ends[length - 1] if length else -1)
        tops[length : length + 1] = [j]
        ends[length : length + 1] = [number]
    run = []
    number = ends[-1] if ends else -1
    while number != -1:
        run.append(pairs[number])
        number = before[number]
    return run[::-1]


def _groups(changes: Sequence[_Stretch], context_lines: int) -> Iterator[list[_Stretch]]:
    """Put changes together whose context meets."""
    group: list[_Stretch] = []
    for change in changes:
        if group and change.old_start - group[-1].old_stop > 2 * context_lines:
            yield group
            group = []
        group.append(change)
    if group:
        yield group


def _hunk(group: Sequence[_Stretch], old: Sequence[bytes], new: Sequence[bytes], context_lines: int) -> Hunk:
    first, last = group[0], group[-1]
    before = min(context_lines, first.old_start)
    old_start, new_start = first.old_start - before, first.new_start - before
    old_stop = min(last.old_stop + context_lines, len(old))
    new_stop = last.new_stop + old_stop - last.old_stop
    lines: list[str] = []
    position = old_start
    for change in group:
        lines += _marked(" ", old[position : change.old_start])
        lines += _marked("-", old[change.old_start : change.old_stop])
        lines += _marked("+", new[change.new_start : change.new_stop])
        position = change.old_stop
    lines += _marked(" ", old[position:old_stop])
    old_count, new_count = old_stop - old_start, new_stop - new_start
    return Hunk(old_start + (old_count > 0), old_count, new_start + (new_count > 0), new_count, tuple(lines))


def _marked(mark: str, lines: Sequence[bytes]) -> Iterator[str]:
    for line in lines:
        text = line.decode("utf-8", "surrogateescape")
        yield mark + text.removesuffix("\n")
        if not line.endswith(b"\n"):
            yield NO_NEWLINE


def _range(start: int, count: int) -> str:
    return str(start) if count == 1 else f"{start},{count}"
