"""The command line as a user meets it: real processes, their output and their exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import keepsake


def run(*arguments: str, directory: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "keepsake", *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "weights.bin").write_bytes(b"weights" * 1000)
    for rate in (0.1, 0.01):
        experiments = keepsake.Project(directory=tmp_path).experiments
        experiment = experiments.create(params={"learning_rate": rate, "layers": 2}, quiet=True)
        for step in range(2):
            experiment.checkpoint(
                path="weights.bin", step=step, metrics={"loss": rate / (step + 1)}, primary_metric=("loss", "minimize")
            )
        experiment.stop()
    return tmp_path


def experiments_of(project: Path) -> keepsake.ExperimentList:
    return keepsake.Project(directory=project).experiments.list()


def test_ls_shows_a_row_an_experiment_with_the_params_that_differ(project: Path) -> None:
    result = run("ls", directory=project)
    header, first, second = result.stdout.splitlines()
    assert result.returncode == 0
    assert header.split()[:3] == ["EXPERIMENT", "STARTED", "STATUS"]
    for line, experiment in zip((first, second), experiments_of(project), strict=True):
        best = experiment.best()
        assert best is not None
        assert line.startswith(experiment.short_id())
        assert "finished" in line
        assert best.short_id() in line
    place = header.index("learning_rate")
    assert [line[place:].split()[0] for line in (first, second)] == ["0.1", "0.01"]
    assert "layers" not in result.stdout


def test_ls_prints_ids_only_when_asked_to_be_quiet(project: Path) -> None:
    assert run("ls", "-q", directory=project).stdout.split() == [one.id for one in experiments_of(project)]


def test_ls_prints_json_that_says_what_the_api_says(project: Path) -> None:
    documents = json.loads(run("ls", "--json", directory=project).stdout)
    experiments = experiments_of(project)
    assert [one["id"] for one in documents] == [one.id for one in experiments]
    for document, experiment in zip(documents, experiments, strict=True):
        best, latest = experiment.best(), experiment.latest()
        assert best is not None
        assert latest is not None
        assert document["params"] == experiment.params
        assert document["best_checkpoint"]["id"] == best.id
        assert document["latest_checkpoint"]["metrics"] == latest.metrics
        assert (document["status"], document["running"], document["num_checkpoints"]) == ("finished", False, 2)


def test_ls_json_keeps_the_fields_that_keepsake_0_printed(project: Path) -> None:
    documents = json.loads(run("ls", "--json", directory=project).stdout)
    old = {"id", "created", "params", "command", "num_checkpoints", "latest_checkpoint", "best_checkpoint", "user"}
    assert all(document.keys() >= old | {"host", "running"} for document in documents)


def test_ps_says_that_nothing_runs(project: Path) -> None:
    assert run("ps", directory=project).stderr == "no running experiments\n"
    assert run("ps", "-f", "loss < 1", directory=project).stderr == "no running experiments match\n"


def test_list_is_another_name_of_ls(project: Path) -> None:
    assert run("list", "-q", directory=project).stdout == run("ls", "-q", directory=project).stdout


def test_ls_finds_a_repository_by_its_url_from_anywhere(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    result = run("ls", "-q", "-R", (project / ".keepsake").as_uri(), directory=elsewhere)
    assert result.stdout == run("ls", "-q", directory=project).stdout


def test_ls_without_a_repository_says_where_it_looked(tmp_path: Path) -> None:
    result = run("ls", directory=tmp_path)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert (tmp_path / ".keepsake").as_uri() in result.stderr
    assert "hint: " in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / ".keepsake").exists()


def test_ls_into_a_closed_pipe_ends_quietly(project: Path) -> None:
    command = f"{sys.executable} -m keepsake ls --json | head -n 1"
    result = subprocess.run(command, shell=True, cwd=project, capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout == "[\n"
    assert result.stderr == ""


@pytest.mark.parametrize("arguments", ["ls --json", "export", "--version", "--help", "ls --help", "completion bash"])
def test_a_pipe_that_was_closed_before_anything_is_written_is_no_failure(project: Path, arguments: str) -> None:
    command = f"{sys.executable} -m keepsake {arguments} | true; exit ${{PIPESTATUS[0]}}"
    result = subprocess.run(
        ["bash", "-c", command], cwd=project, capture_output=True, text=True, timeout=60, check=False
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("arguments", ["ls", "--version"])
def test_an_output_that_is_full_is_an_error_of_one_line(project: Path, arguments: str) -> None:
    command = f"{sys.executable} -m keepsake {arguments} > /dev/full"
    result = subprocess.run(command, shell=True, cwd=project, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (1, "error: No space left on device\n")


def test_check_of_a_sound_repository_exits_with_0(project: Path) -> None:
    result = run("check", directory=project)
    assert result.returncode == 0
    assert "2 experiments, 4 checkpoints" in result.stderr
    assert "all is well" in result.stderr
    assert result.stdout == ""


def test_check_names_what_a_missing_chunk_takes_away_and_exits_with_1(project: Path) -> None:
    for chunk in (project / ".keepsake" / "chunks").rglob("*"):
        if chunk.is_file():
            chunk.unlink()
    result = run("check", directory=project)
    assert result.returncode == 1
    for experiment in experiments_of(project):
        for checkpoint in experiment.checkpoints:
            assert checkpoint.short_id() in result.stdout
    assert "weights.bin" in result.stdout
    assert "1 problem" in result.stderr


def test_an_unknown_command_is_a_usage_error(tmp_path: Path) -> None:
    result = run("bogus", directory=tmp_path)
    assert result.returncode == 2
    assert "bogus" in result.stderr


def test_version_and_help_are_answered_without_a_project(tmp_path: Path) -> None:
    assert run("--version", directory=tmp_path).stdout.strip().endswith(keepsake.__version__)
    assert "check" in run("--help", directory=tmp_path).stdout


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_asking_for_the_version_or_help_loads_no_command_and_nothing_heavy(tmp_path: Path, option: str) -> None:
    code = (
        "import sys\nfrom keepsake.cli.main import cli\n"
        f"cli([{option!r}], standalone_mode=False)\n"
        "print(sorted({'numpy', 'rich', 'matplotlib', 'pandas', 'yaml', 'keepsake.cli.ls', 'keepsake.project'} "
        "& set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.splitlines()[-1] == "[]"


def test_listing_loads_nothing_that_it_does_not_need(project: Path) -> None:
    run("ls", directory=project)  # so that there is a catalog
    code = (
        "import sys\nfrom keepsake.cli.main import cli\n"
        "cli(['ls'], standalone_mode=False)\n"
        "print(sorted({'asyncio', 'difflib', 'hashlib', 'matplotlib', 'numpy', 'obstore', 'pandas', 'pathspec', "
        "'rich', 'shutil', 'socket', 'subprocess', 'tempfile', 'yaml'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.splitlines()[-1] == "[]"
