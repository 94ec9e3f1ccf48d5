"""The errors that Keepsake raises: one tree, grouped by what a handler would do.

Every error has a stable `kind` for programs, a message for people (what happened, to which object), a `hint` (what to
do next) and the exit code that the command line ends with. Foreign exceptions become one of these once, where they are
met.
"""

from __future__ import annotations

from collections.abc import Sequence


class KeepsakeError(Exception):
    """Base of everything that Keepsake raises on purpose."""

    kind: str = "error"
    exit_code: int = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message


class InvalidInputError(KeepsakeError, ValueError):
    """An argument cannot be used as given: fix the call."""

    kind = "invalid-input"
    exit_code = 2


class UnreadableTextError(InvalidInputError):
    """A filter or a sort key cannot be read from the place `at` on, counted in code points."""

    def __init__(self, message: str, *, at: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.at = at


class ConfigError(KeepsakeError):
    """`keepsake.yaml`, a `KEEPSAKE_*` variable or a repository URL is wrong."""

    kind = "config"


class ConfigNotFoundError(ConfigError):
    """No configuration and no repository where one was looked for."""

    kind = "config-not-found"


class NotFoundError(KeepsakeError, LookupError):
    """The named experiment, checkpoint, file or object is not there."""

    kind = "not-found"
    exit_code = 3


class MetricNotFoundError(NotFoundError, KeyError):
    """Nothing has a metric of that name."""


class FileNotSavedError(NotFoundError, FileNotFoundError):
    """No such file was saved."""


class AmbiguousPrefixError(NotFoundError):
    """A prefix fits several ids, which stand in `candidates`."""

    kind = "ambiguous"

    def __init__(self, message: str, *, candidates: Sequence[str], hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.candidates = tuple(candidates)


class ConflictError(KeepsakeError):
    """The operation collides with what somebody else did meanwhile, or with what is there already."""

    kind = "conflict"


class StoreError(KeepsakeError, OSError):
    """The store failed. `transient` says whether trying again may help."""

    kind = "store"

    def __init__(self, message: str, *, hint: str | None = None, transient: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.transient = transient


class PermissionDeniedError(StoreError):
    """The store refused: credentials, mode bits, or a read-only mount."""

    kind = "permission-denied"


class ReadError(StoreError):
    """Reading from the store failed."""

    kind = "read"


class WriteError(StoreError):
    """Writing to the store failed; nothing half-written is visible under the object's name."""

    kind = "write"


class ForkedProcessError(StoreError):
    """A bucket cannot be used in a forked child of a process that has used one."""

    kind = "forked-process"


class FormatError(KeepsakeError):
    """Stored bytes are not what the format says."""

    kind = "format"


class CorruptionError(FormatError):
    """Stored bytes are damaged: their digest or structure is wrong, also on a second read."""

    kind = "corruption"


class UnsupportedVersionError(FormatError):
    """Another version of Keepsake wrote this: one that is newer, or so old that it can only be read."""

    kind = "unsupported-version"


class InternalError(KeepsakeError):
    """A mistake of ours, not of the caller."""

    kind = "internal"
