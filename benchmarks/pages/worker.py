"""Records experiments with one program: `python -m benchmarks.pages.worker NAME FILE`, in the directory for them.

Run by the Python that has the program. The file is JSON; what is printed last is the program's version.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.pages import load_page
from benchmarks.pages.interface import Experiment


def main() -> None:
    """Record what the file has."""
    name, file = sys.argv[1:]
    page = load_page(name)()
    page.record([Experiment(**one) for one in json.loads(Path(file).read_text(encoding="utf-8"))])
    print(page.version())


if __name__ == "__main__":
    main()
