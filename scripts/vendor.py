"""Fetches the libraries of the web page into `src/keepsake/ui/static/vendor`: `make vendor`.

Versions are pinned here. What is written is committed, with each library's licence and `vendor.json`, which has the
versions and SHA-256 digests; a test compares the files with those. Needs npm. Two things are changed on the way, as
browsers resolve no bare module names and uPlot's small build is a script: see `EDITS`.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

TARGET = Path(__file__).parent.parent / "src" / "keepsake" / "ui" / "static" / "vendor"

PACKAGES = {
    "preact": (
        "11.2.0",
        {"dist/preact.mjs": "preact.js", "hooks/dist/hooks.mjs": "hooks.js", "LICENSE": "preact.LICENSE"},
    ),
    "htm": ("3.1.1", {"dist/htm.mjs": "htm.js", "LICENSE": "htm.LICENSE"}),
    "uplot": (
        "1.6.32",
        {"dist/uPlot.iife.min.js": "uplot.js", "dist/uPlot.min.css": "uplot.css", "LICENSE": "uplot.LICENSE"},
    ),
    "@highlightjs/cdn-assets": (
        "11.12.0",
        {"es/core.min.js": "highlight.js", "LICENSE": "highlight.LICENSE"}
        | {
            f"es/languages/{name}.min.js": f"highlight-{name}.js"
            for name in ("bash", "diff", "ini", "json", "markdown", "python", "yaml")
        },
    ),
}
"""Package: its version, and which of its files are kept under which names."""

EDITS = {
    "hooks.js": ('from"preact"', 'from"./preact.js"'),
    "uplot.js": ("", "export default uPlot;\n"),
}
"""File: text to replace, and its replacement; an empty text stands for the end of the file."""


def main() -> None:
    """Write all files and their record."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for old in TARGET.iterdir():
        old.unlink()
    record = {name: _fetch(name, version, files) for name, (version, files) in PACKAGES.items()}
    (TARGET / "vendor.json").write_text(json.dumps(record, indent=2) + "\n")


def _fetch(name: str, version: str, files: dict[str, str]) -> dict[str, object]:
    digests: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as directory:
        command = ["npm", "pack", "--silent", "--pack-destination", directory, f"{name}@{version}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(directory).glob("*.tgz")
        with tarfile.open(archive) as package:
            for source, target in files.items():
                member = package.extractfile(f"package/{source}")
                assert member is not None, f"{name} has no {source}"
                text = _edit(target, member.read().decode())
                (TARGET / target).write_text(text)
                digests[target] = hashlib.sha256(text.encode()).hexdigest()
    return {"version": version, "files": digests}


def _edit(name: str, text: str) -> str:
    if name.endswith(".js"):
        text = "\n".join(line for line in text.splitlines() if not line.startswith("//# sourceMappingURL=")) + "\n"
    old, new = EDITS.get(name, ("", ""))
    if not old:
        return text + new
    assert old in text, f"{name} does not say {old}"
    return text.replace(old, new)


if __name__ == "__main__":
    main()
