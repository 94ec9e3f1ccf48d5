"""Secrets in a `keepsake.yaml`: whether somebody who may read what is saved would find a key in it.

The text is searched, not the settings that it makes: what is commented out, or stands in a file that cannot be used, is
a secret all the same.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from keepsake._tracking.secrets import is_secret_name, mask_text
from keepsake.stores.url import SECRET_OPTIONS

CONFIG_NAMES = ("keepsake.yaml", "keepsake.yml")
_MAX_BYTES = 1 << 20
"""No file of settings is larger; a longer one is none, and only its beginning is looked at."""

_COMMENT = re.compile(r"(?:^|\s)#.*")
_KEY = re.compile(r"""(?<![\w.-])([A-Za-z_][\w.-]*)["']?\s*:""")
_OPTION = re.compile(rf"\b(?:{'|'.join(SECRET_OPTIONS)})\b")
_OPTION_WITH_VALUE = re.compile(rf"""{_OPTION.pattern}["']?\s*:\s*\S""")


def is_config(path: str) -> bool:
    """Say whether a path is that of a `keepsake.yaml`, in any case: not every file system tells case apart."""
    lower = path.lower()
    return lower.endswith(CONFIG_NAMES) and lower.replace(os.sep, "/").rpartition("/")[2] in CONFIG_NAMES


def read_secret(path: Path) -> int | None:
    """Read a `keepsake.yaml` and return what `find_secret` does. Raises `OSError`."""
    with path.open("rb") as file:
        return find_secret(file.read(_MAX_BYTES).decode("utf-8", "replace"))


def find_secret(text: str) -> int | None:
    """Return the number of the first line of a `keepsake.yaml` that holds a secret, None without one."""
    for number, line in enumerate(text.splitlines(), 1):
        setting = _COMMENT.sub("", line)
        if _OPTION.search(setting) or any(map(is_secret_name, _KEY.findall(setting))):
            return number
        if _OPTION_WITH_VALUE.search(line) or mask_text(line) != line:
            return number
    return None
