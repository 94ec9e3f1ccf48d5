"""`keepsake checkout` and `keepsake open`: files out of the repository."""

from __future__ import annotations

from pathlib import Path

from tests.cli.subjects import RunCli, TwoExperiments


def contents(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_an_experiment_comes_with_its_best_checkpoint(cli: RunCli, trained: TwoExperiments, tmp_path: Path) -> None:
    done = cli("checkout", trained.first.short_id(), "-o", str(tmp_path / "out"), at=trained.directory)
    assert done.code == 0
    found = contents(tmp_path / "out")
    assert found["weights.bin"] == b"\x01" * 5000
    assert found["data/a.txt"] == b"a"
    assert "it was run like this" in done.err


def test_a_checkpoint_comes_with_its_experiment(cli: RunCli, trained: TwoExperiments, tmp_path: Path) -> None:
    cli("checkout", trained.first.checkpoints[0].id, "-o", str(tmp_path / "out"), at=trained.directory)
    assert contents(tmp_path / "out")["weights.bin"] == b"\x00" * 5000


def test_a_whole_directory_can_be_had_alone(cli: RunCli, trained: TwoExperiments, tmp_path: Path) -> None:
    cli("checkout", trained.first.id, "-o", str(tmp_path / "out"), "--path", "data", at=trained.directory)
    assert contents(tmp_path / "out") == {"data/a.txt": b"a", "data/b.txt": b"b"}


def test_files_that_are_there_already_are_not_written_again(
    cli: RunCli, trained: TwoExperiments, tmp_path: Path
) -> None:
    target = tmp_path / "out"
    cli("checkout", trained.first.id, "-o", str(target), at=trained.directory)
    before = {path: path.stat().st_ino for path in target.rglob("*")}
    done = cli("checkout", trained.first.id, "-o", str(target))
    assert done.code == 0
    assert "4 files of " in done.err
    assert "already: nothing to write" in done.err
    assert {path: path.stat().st_ino for path in target.rglob("*")} == before


def test_nothing_is_overwritten_when_nobody_can_be_asked(cli: RunCli, trained: TwoExperiments, tmp_path: Path) -> None:
    target = tmp_path / "out"
    cli("checkout", trained.first.id, "-o", str(target), at=trained.directory)
    (target / "train.py").write_text("my own work")
    before = contents(target)
    done = cli("checkout", trained.first.id, "-o", str(target))
    assert done.code == 2
    assert "train.py" in done.err
    assert "hint: pass -f" in done.err
    assert contents(target) == before


def test_an_answer_of_no_leaves_everything_and_yes_overwrites(
    cli: RunCli, trained: TwoExperiments, tmp_path: Path
) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "train.py").write_text("my own work")
    refused = cli("checkout", trained.first.id, "-o", str(target), answer="n\n", at=trained.directory)
    assert refused.code == 1
    assert contents(target) == {"train.py": b"my own work"}
    assert cli("checkout", trained.first.id, "-o", str(target), answer="maybe\ny\n").code == 0
    assert contents(target)["train.py"] == b"print('training')\n"


def test_force_overwrites_without_a_question(cli: RunCli, trained: TwoExperiments, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "weights.bin").write_text("old")
    assert cli("checkout", trained.first.id, "-f", "-o", str(target), at=trained.directory).code == 0
    assert contents(target)["weights.bin"] == b"\x01" * 5000


def test_without_a_directory_files_go_to_the_project(cli: RunCli, trained: TwoExperiments) -> None:
    (trained.directory / "keepsake.yaml").write_text("repository: .keepsake\n")
    (trained.directory / "train.py").unlink()
    (trained.directory / "own.txt").write_text("mine")
    assert cli("checkout", trained.first.id, "-f", at=trained.directory / "data").code == 0
    assert (trained.directory / "train.py").read_text() == "print('training')\n"
    assert (trained.directory / "own.txt").read_text() == "mine"


def test_a_path_that_was_not_saved_exits_with_3_and_names_the_nearest(
    cli: RunCli, trained: TwoExperiments, tmp_path: Path
) -> None:
    done = cli("checkout", trained.first.id, "--path", "trian.py", "-o", str(tmp_path / "out"), at=trained.directory)
    assert done.code == 3
    assert "train.py" in done.err
    assert not (tmp_path / "out").exists()


def test_open_writes_a_file_to_standard_output(cli: RunCli, trained: TwoExperiments) -> None:
    assert cli("open", trained.first.id, "weights.bin", at=trained.directory).data == b"\x01" * 5000
    assert cli("open", trained.first.checkpoints[0].id, "weights.bin").data == b"\x00" * 5000
    assert cli("open", trained.first.id, "data/b.txt").data == b"b"


def test_open_of_a_file_that_is_not_there_exits_with_3(cli: RunCli, trained: TwoExperiments) -> None:
    done = cli("open", trained.first.id, "wieghts.bin", at=trained.directory)
    assert (done.code, done.data) == (3, b"")
    assert "weights.bin" in done.err
