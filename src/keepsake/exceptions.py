"""The names by which scripts for Keepsake 0.x know the errors; new code imports `keepsake.errors`."""

from keepsake.errors import (
    AmbiguousPrefixError,
    ConfigError,
    KeepsakeError,
    ReadError,
    WriteError,
)
from keepsake.errors import (
    ConfigError as RepositoryConfigurationError,
)
from keepsake.errors import (
    ConfigNotFoundError as ConfigNotFound,
)
from keepsake.errors import (
    CorruptionError as CorruptedRepositorySpec,
)
from keepsake.errors import (
    NotFoundError as DoesNotExist,
)
from keepsake.errors import (
    UnsupportedVersionError as IncompatibleRepositoryVersion,
)

__all__ = [
    "AmbiguousPrefixError",
    "ConfigError",
    "ConfigNotFound",
    "CorruptedRepositorySpec",
    "DoesNotExist",
    "IncompatibleRepositoryVersion",
    "KeepsakeError",
    "ReadError",
    "RepositoryConfigurationError",
    "WriteError",
]
