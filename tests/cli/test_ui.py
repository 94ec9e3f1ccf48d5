"""`keepsake ui`, as far as it does not serve; `tests/ui` has the rest."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.subjects import RunCli, TwoExperiments


@pytest.mark.parametrize("package", ["starlette", "uvicorn"])
def test_a_missing_package_is_named_with_the_extra_that_brings_it(
    trained: TwoExperiments, cli: RunCli, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    for name in [one for one in sys.modules if one.split(".")[0] == package or one.startswith("keepsake.ui.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    done = cli("ui", "--port", "0", "--no-browser", at=trained.directory)
    assert done.code == 1
    assert package in done.err
    assert "pip install 'keepsake[ui]'" in done.err
    assert done.out == ""


def test_a_repository_that_is_not_there_is_told_before_anything_is_served(cli: RunCli, tmp_path: Path) -> None:
    done = cli("ui", "--port", "0", "--no-browser", at=tmp_path)
    assert done.code == 1
    assert "hint:" in done.err
    assert done.out == ""


@pytest.mark.parametrize("arguments", [("--port", "65536"), ("--port", "-1"), ("--port", "many"), ("--export",)])
def test_options_that_make_no_sense_are_refused(
    cli: RunCli, trained: TwoExperiments, arguments: tuple[str, ...]
) -> None:
    assert cli("ui", *arguments, at=trained.directory).code == 2


def test_an_earlier_export_stays_where_there_is_no_repository(
    cli: RunCli, trained: TwoExperiments, tmp_path: Path
) -> None:
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    assert cli("ui", "--export", str(site), at=trained.directory).code == 0
    index = (site / "index.html").read_bytes()
    elsewhere.mkdir()
    for directory in (site, tmp_path / "new"):
        done = cli("ui", "--export", str(directory), at=elsewhere)
        assert (done.code, "there is no repository" in done.err) == (1, True)
    assert (site / "index.html").read_bytes() == index
    assert (site / "data" / "experiments.js").exists()
    assert not (tmp_path / "new").exists()


def test_an_export_over_a_file_is_refused(cli: RunCli, trained: TwoExperiments, tmp_path: Path) -> None:
    path = tmp_path / "site"
    path.write_text("mine")
    done = cli("ui", "--export", str(path), at=trained.directory)
    assert (done.code, f"{path} is no directory" in done.err) == (1, True)
    assert path.read_text() == "mine"
