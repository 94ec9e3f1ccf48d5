"""The tutorial and the README print what they say they print."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.write_tutorial import README, TUTORIAL, Tutorial, masked, tutorial_environment


@pytest.mark.slow
@pytest.mark.parametrize(("document", "commands"), [(TUTORIAL, 13), (README, 5)], ids=["tutorial", "readme"])
def test_a_document_prints_what_it_says(document: Path, commands: int, tmp_path: Path) -> None:
    directory = tmp_path / "digits"
    directory.mkdir()
    tutorial = Tutorial(document.read_text(encoding="utf-8"))
    tutorial.run(directory, tutorial_environment(tmp_path))
    assert len(tutorial.commands) >= commands
    for command in tutorial.commands:
        assert masked(command.printed) == masked(command.expected), f"{command.line}: run docs/write_tutorial.py"
