"""The tutorial prints what it says it prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.write_tutorial import TUTORIAL, Tutorial, masked, tutorial_environment


@pytest.mark.slow
def test_the_tutorial_prints_what_it_says(tmp_path: Path) -> None:
    directory = tmp_path / "digits"
    directory.mkdir()
    tutorial = Tutorial(TUTORIAL.read_text(encoding="utf-8"))
    tutorial.run(directory, tutorial_environment(tmp_path))
    assert len(tutorial.commands) > 12
    for command in tutorial.commands:
        assert masked(command.printed) == masked(command.expected), f"{command.line}: run docs/write_tutorial.py"
