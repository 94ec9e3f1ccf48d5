"""Paths inside a snapshot: relative to the project directory, `/`-separated, never leaving it. Pure.

Who checks a snapshot out may not trust who saved it, so every path of a manifest passes `why_unusable` before anything
is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

NEVER_SAVED_NAMES = frozenset({".git", ".hg", ".svn", ".keepsake"})
"""Version control and Keepsake's own directory: not saved, not written by a checkout, whatever any rule says."""

_WINDOWS_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {f"{device}{digit}" for device in ("com", "lpt") for digit in "0123456789¹²³"}
)
_WINDOWS_FORBIDDEN = frozenset('<>:"|?*\\') | frozenset(map(chr, range(32)))


def ancestors(path: str) -> Iterator[str]:
    """Yield the directories above `path`, the topmost first; not the project directory itself."""
    stop = path.find("/")
    while stop != -1:
        yield path[:stop]
        stop = path.find("/", stop + 1)


def parent_of(path: str) -> str:
    """Return the directory that `path` lies in, "" when that is the project directory."""
    return path.rpartition("/")[0]


def nearest_paths(path: str, known: Collection[str], *, count: int = 3) -> list[str]:
    """Return up to `count` of the `known` paths that look most like `path`, the nearest first."""
    from difflib import get_close_matches

    near = get_close_matches(path, known, n=count, cutoff=0.5)
    if near:
        return near
    name = path.rpartition("/")[2]
    return sorted(one for one in known if one.rpartition("/")[2] == name)[:count]


def name_nearest(path: str, known: Collection[str]) -> str | None:
    """Return a hint that names the `known` paths nearest to `path`, None when nothing is near."""
    near = nearest_paths(path, known)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else None


def why_unusable(path: object) -> str | None:
    """Say why a snapshot must not hold `path`, on any system; None when it may."""
    if not isinstance(path, str) or not path:
        return "it is no path"
    if path.startswith("/"):
        return "it is absolute"
    if "\0" in path:
        return "it contains a NUL character"
    parts = path.split("/")
    if ".." in parts:
        return "it leaves the directory through '..'"
    if "" in parts or "." in parts:
        return "it has an empty or '.' component"
    if any(part.lower() in NEVER_SAVED_NAMES for part in parts):
        return "Keepsake never saves that directory, so this snapshot was tampered with"
    return None


def why_unusable_on_windows(path: str) -> str | None:
    """Say why Windows cannot hold `path`, or would take it for something else; None when it can.

    Source: "Naming Files, Paths, and Namespaces" in Microsoft's documentation of Win32.
    """
    for part in path.split("/"):
        forbidden = _WINDOWS_FORBIDDEN.intersection(part)
        if forbidden:
            return f"it contains {min(forbidden)!r}"
        if part.endswith((" ", ".")):
            return f"{part!r} ends with a space or a full stop"
        if part.partition(".")[0].rstrip(" ").lower() in _WINDOWS_DEVICES:
            return f"{part!r} is the name of a device"
    return None
