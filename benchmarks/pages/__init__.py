"""Web pages of other programs, shown the same experiments: one module a program, each with one class `Page`.

A module imports nothing but the standard library until an object is made: it is also run by a Python that has only the
program (`python -m benchmarks.pages.worker`).
"""

from __future__ import annotations

import importlib

from benchmarks.pages.interface import WebPage

PAGES = ("mlflow", "trackio", "tensorboard", "aim")


def load_page(name: str) -> type[WebPage]:
    """Return the class of the page in the module `name`."""
    page: type[WebPage] = importlib.import_module(f"benchmarks.pages.{name}").Page
    return page
