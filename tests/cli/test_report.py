"""`keepsake report`: experiments as one HTML file."""

from __future__ import annotations

from pathlib import Path

from tests.cli.subjects import RunCli, TwoExperiments


def test_experiments_are_named_by_ids_or_a_filter(cli: RunCli, trained: TwoExperiments, tmp_path: Path) -> None:
    first, second = trained.first.id, trained.second.id
    done = cli("report", first[:8], at=trained.directory)
    assert done.code == 0
    assert done.out.startswith("<!doctype html>")
    assert first[:12] in done.out
    assert second[:12] not in done.out
    target = tmp_path / "report.html"
    done = cli("report", "-f", "status = finished", "-o", str(target), at=trained.directory)
    assert (done.code, done.out) == (0, "")
    assert f"to {target}" in done.err
    assert {first[:12], second[:12]} <= set(target.read_text(encoding="utf-8").split('"'))


def test_who_names_none_is_told_how(cli: RunCli, trained: TwoExperiments) -> None:
    done = cli("report", at=trained.directory)
    assert done.code == 2
    assert "by their ids, or with -f" in done.err
    done = cli("report", "-f", "status = running", at=trained.directory)
    assert done.code == 2
    assert "no experiment to report on" in done.err


def test_an_id_that_is_not_there_is_named(cli: RunCli, trained: TwoExperiments, tmp_path: Path) -> None:
    done = cli("report", "0000000", "-o", str(tmp_path / "report.html"), at=trained.directory)
    assert done.code == 3
    assert "0000000" in done.err
    assert not (tmp_path / "report.html").exists()


def test_a_place_that_is_not_there_is_named(cli: RunCli, trained: TwoExperiments, tmp_path: Path) -> None:
    done = cli("report", trained.first.id, "-o", str(tmp_path / "missing" / "report.html"), at=trained.directory)
    assert done.code == 1
    assert "missing/report.html cannot be written" in done.err
