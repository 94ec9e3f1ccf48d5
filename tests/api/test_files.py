"""Getting files back: `checkout()`, `open()` and `files()`."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest

import keepsake
from keepsake import Checkpoint
from keepsake._snapshots.overlay import CheckoutPlan
from keepsake.errors import CorruptionError, InvalidInputError, NotFoundError
from tests.api.runs import files_below, only_experiment, write_files


@pytest.fixture
def checkpoint(project: Path) -> Checkpoint:
    """One of an experiment with code and, changed by the checkpoint, notes and weights."""
    write_files(project, {"train.py": "code", "lib/util.py": "util", "notes.txt": "before"})
    experiment = keepsake.init(path=".", quiet=True)
    write_files(project, {"out/model.pt": "weights", "out/notes.txt": "after", "later.txt": "never saved"})
    experiment.checkpoint(path="out", step=1)
    write_files(project, {"notes.txt": "twice"})
    experiment.checkpoint(path="notes.txt", step=2)
    experiment.stop()
    return only_experiment().checkpoints[0]


CODE = {"train.py": "code", "lib/util.py": "util", "notes.txt": "before"}
WEIGHTS = {"out/model.pt": "weights", "out/notes.txt": "after"}


def test_checkout_copies_the_files_of_the_checkpoint_and_its_experiment(checkpoint: Checkpoint, tmp_path: Path) -> None:
    checkpoint.checkout(tmp_path / "my-folder")
    assert files_below(tmp_path / "my-folder") == CODE | WEIGHTS


def test_checkout_lays_the_checkpoint_over_the_experiment(checkpoint: Checkpoint, tmp_path: Path) -> None:
    second = only_experiment().checkpoints[1]
    second.checkout(str(tmp_path / "out"), quiet=True)
    assert files_below(tmp_path / "out") == CODE | {"notes.txt": "twice"}


def test_checkout_keeps_other_files_and_replaces_those_of_the_same_name(checkpoint: Checkpoint, tmp_path: Path) -> None:
    write_files(tmp_path / "out", {"train.py": "a longer text than before", "mine.txt": "mine"})
    checkpoint.checkout(tmp_path / "out")
    assert files_below(tmp_path / "out") == CODE | WEIGHTS | {"mine.txt": "mine"}


def test_checkout_says_what_it_did_unless_it_is_quiet(
    checkpoint: Checkpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    checkpoint.checkout(tmp_path / "loud")
    said = capsys.readouterr()
    assert said.out == ""
    assert str(tmp_path / "loud") in said.err
    checkpoint.checkout(tmp_path / "quiet", quiet=True)
    checkpoint.checkout(tmp_path / "quiet", True)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("path", "files"),
    [
        ("out", ["out/model.pt", "out/notes.txt"]),
        ("out/", ["out/model.pt", "out/notes.txt"]),
        ("./lib", ["lib/util.py"]),
        ("out/model.pt", ["out/model.pt"]),
        (Path("train.py"), ["train.py"]),
        (".", sorted(CODE | WEIGHTS)),
    ],
)
def test_checkout_can_be_of_one_file_or_directory_only(
    checkpoint: Checkpoint, tmp_path: Path, path: str | Path, files: list[str]
) -> None:
    checkpoint.checkout(tmp_path / "part", quiet=True, path=path)
    assert sorted(files_below(tmp_path / "part")) == files


def test_checkout_of_an_unknown_path_writes_nothing_and_names_the_nearest(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    with pytest.raises(NotFoundError) as caught:
        checkpoint.checkout(tmp_path / "part", path="out/modle.pt")
    assert "out/model.pt" in str(caught.value)
    assert not (tmp_path / "part").exists()


def test_checkout_restores_executable_bits_links_and_empty_directories(project: Path, tmp_path: Path) -> None:
    write_files(project, {"run.sh": "#!/bin/sh\n", "data.txt": "d"})
    (project / "run.sh").chmod(0o755)
    (project / "link").symlink_to("data.txt")
    (project / "empty").mkdir()
    keepsake.init(path=".").checkpoint().checkout(tmp_path / "out", quiet=True)
    assert os.access(tmp_path / "out" / "run.sh", os.X_OK)
    assert not os.access(tmp_path / "out" / "data.txt", os.X_OK)
    assert (tmp_path / "out" / "link").readlink() == Path("data.txt")
    assert (tmp_path / "out" / "empty").is_dir()


def test_checkout_of_a_checkpoint_without_any_files_is_an_error(tmp_path: Path) -> None:
    checkpoint = keepsake.init().checkpoint(loss=1.0)
    with pytest.raises(NotFoundError, match="files"):
        checkpoint.checkout(tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("best", [0, 1])
def test_checkout_of_an_experiment_takes_its_best_checkpoint(project: Path, tmp_path: Path, best: int) -> None:
    experiment = keepsake.init()
    for number in range(2):
        write_files(project, {"w": f"weights {number}"})
        experiment.checkpoint("w", loss=0.0 if number == best else 1.0, primary_metric=("loss", "minimize"))
    only_experiment().checkout(tmp_path / "out", quiet=True)
    assert files_below(tmp_path / "out") == {"w": f"weights {best}"}


def test_checkout_of_an_experiment_without_a_best_checkpoint_takes_the_latest(project: Path, tmp_path: Path) -> None:
    experiment = keepsake.init()
    for number in range(2):
        write_files(project, {"w": f"weights {number}"})
        experiment.checkpoint("w", loss=float(number))
    experiment.checkout(tmp_path / "out", quiet=True)
    assert files_below(tmp_path / "out") == {"w": "weights 1"}


def test_checkout_of_an_experiment_without_checkpoints_gives_its_own_files(project: Path, tmp_path: Path) -> None:
    write_files(project, {"train.py": "code", "lib/a.py": "a"})
    keepsake.init(path=".").checkout(tmp_path / "out")
    assert files_below(tmp_path / "out") == {"train.py": "code", "lib/a.py": "a"}
    only_experiment().checkout(tmp_path / "part", quiet=True, path="lib")
    assert files_below(tmp_path / "part") == {"lib/a.py": "a"}
    with pytest.raises(NotFoundError):
        keepsake.init().checkout(tmp_path / "nothing")


def test_open_returns_a_file_of_the_checkpoint_to_read_and_seek(checkpoint: Checkpoint) -> None:
    with checkpoint.open("out/model.pt") as file:
        assert isinstance(file, io.BufferedIOBase)
        assert (file.readable(), file.seekable()) == (True, True)
        assert file.read() == b"weights"
        assert file.seek(-3, os.SEEK_END) == 4
        assert file.read(2) == b"ht"


def test_open_finds_files_of_the_experiment_too(checkpoint: Checkpoint) -> None:
    for path in ("lib/util.py", "./lib/util.py", "lib/../lib/util.py", Path("lib/util.py")):
        with checkpoint.open(path) as file:
            assert file.read() == b"util"


def test_open_looks_into_the_checkpoint_before_the_experiment(checkpoint: Checkpoint) -> None:
    second = only_experiment().checkpoints[1]
    with checkpoint.open("notes.txt") as before, second.open("notes.txt") as after:
        assert (before.read(), after.read()) == (b"before", b"twice")


def test_open_of_an_unknown_path_names_the_nearest(checkpoint: Checkpoint) -> None:
    with pytest.raises(NotFoundError, match=r"out/modle\.pt") as caught:
        checkpoint.open("out/modle.pt")
    assert "out/model.pt" in str(caught.value.hint)


@pytest.mark.parametrize("path", ["out", "lib/"])
def test_open_of_a_directory_says_that_it_is_one(checkpoint: Checkpoint, path: str) -> None:
    with pytest.raises(InvalidInputError, match="is a directory") as caught:
        checkpoint.open(path)
    assert f"{path.rstrip('/')}/" in str(caught.value.hint)


@pytest.mark.parametrize("path", ["../out/model.pt", "/etc/passwd", "", "out/model.pt/x"])
def test_open_reaches_nothing_but_what_was_saved(checkpoint: Checkpoint, path: str) -> None:
    with pytest.raises((InvalidInputError, NotFoundError)):
        checkpoint.open(path)


def test_open_of_a_checkpoint_without_any_files_is_an_error() -> None:
    with pytest.raises(NotFoundError, match="files"):
        keepsake.init().checkpoint(loss=1.0).open("model.pt")


def test_files_lists_paths_and_lengths_of_the_checkpoint_and_its_experiment(checkpoint: Checkpoint) -> None:
    assert checkpoint.files() == {path: len(text) for path, text in sorted((CODE | WEIGHTS).items())}


def test_torch_loads_a_model_from_an_open_file(project: Path) -> None:
    import torch

    torch.save({"w": torch.arange(1000.0)}, project / "model.pkl")
    experiment = keepsake.init()
    experiment.checkpoint("model.pkl", loss=1.0, primary_metric=("loss", "minimize"))
    experiment.stop()
    best = keepsake.experiments.get(experiment.id[:4]).best()
    assert best is not None
    with best.open("model.pkl") as model_file:
        model = torch.load(model_file)
    assert torch.equal(model["w"], torch.arange(1000.0))


def test_damage_names_the_file_and_others_still_open(project: Path) -> None:
    write_files(project, {"a/big.bin": "a" * 2_000_000, "b/other.bin": "b" * 2_000_000})
    experiment = keepsake.init()
    first = experiment.checkpoint("a")
    second = experiment.checkpoint("b")
    experiment.stop()
    damaged = _chunk_of(project, first, "a/big.bin")
    damaged.write_bytes(damaged.read_bytes()[:-3] + b"???")
    with first.open("a/big.bin") as file, pytest.raises(CorruptionError, match=r"a/big\.bin"):
        file.read()
    with second.open("b/other.bin") as file:
        assert file.read() == b"b" * 2_000_000
    report = keepsake.Project().check()
    assert not report.is_clean
    touched = [one for problem in report.problems for one in problem.touches]
    assert {(one.checkpoint_id, one.paths) for one in touched} == {(first.id, ("a/big.bin",))}


def test_a_lost_chunk_names_the_file(project: Path) -> None:
    write_files(project, {"a/big.bin": "a" * 2_000_000})
    with keepsake.init() as experiment:
        checkpoint = experiment.checkpoint("a")
    _chunk_of(project, checkpoint, "a/big.bin").unlink()
    with checkpoint.open("a/big.bin") as file, pytest.raises(NotFoundError, match=r"a/big\.bin"):
        file.read()


def _chunk_of(project: Path, checkpoint: Checkpoint, path: str) -> Path:
    """Find where the repository keeps the first chunk of a file."""
    repository = checkpoint._origin.repository
    entry = repository.load_manifest(checkpoint._manifests()[0]).find(path)
    assert entry is not None
    (found, *_) = (project / ".keepsake" / "chunks").rglob(entry.extents[0].digest)
    return found


@pytest.mark.parametrize("directory", [5, None, "", ["out"], "taken"])
def test_checkout_to_what_is_no_directory_is_refused(checkpoint: Checkpoint, project: Path, directory: Any) -> None:
    write_files(project, {"taken": "a file"})
    with pytest.raises(InvalidInputError, match="directory"):
        checkpoint.checkout(directory)
    assert (project / "taken").read_text() == "a file"


def test_how_far_a_checkout_is_costs_the_same_for_each_file(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(project, {f"many/{number}": str(number) for number in range(300)})
    with keepsake.init(quiet=True) as experiment:
        checkpoint = experiment.checkpoint("many")
    measured: list[CheckoutPlan] = []

    def size_bytes(plan: CheckoutPlan) -> int:
        measured.append(plan)
        return sum(entry.size_bytes for entry in plan.entries)

    monkeypatch.setattr(CheckoutPlan, "size_bytes", property(size_bytes))
    told: list[tuple[int, int]] = []
    checkpoint.plan_checkout(tmp_path / "out").run(quiet=True, on_progress=lambda *progress: told.append(progress))
    assert len(told) == 300
    assert told[-1][0] == told[-1][1] == sum(len(str(number)) for number in range(300))
    assert len(measured) <= 3
