"""`keepsake init`, `push` and `completion`, and what all commands have in common."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import keepsake
from keepsake.cli.main import ALIASES, COMMANDS
from tests.cli.subjects import RunCli, TwoExperiments


def test_init_makes_a_project_that_is_found_from_below(cli: RunCli, tmp_path: Path) -> None:
    done = cli("init", "../runs", at=_made(tmp_path / "project"))
    assert done.code == 0
    assert (tmp_path / "project" / "keepsake.yaml").read_text() == "repository: ../runs\n"
    assert (tmp_path / "runs" / "repository.json").exists()
    assert cli("ls", at=_made(tmp_path / "project" / "deep")).code == 0


def test_init_does_not_replace_a_configuration(cli: RunCli, tmp_path: Path) -> None:
    (tmp_path / "keepsake.yaml").write_text("repository: elsewhere\n")
    done = cli("init", at=tmp_path)
    assert done.code == 1
    assert "--force" in done.err
    assert (tmp_path / "keepsake.yaml").read_text() == "repository: elsewhere\n"
    assert cli("init", "--force").code == 0
    assert (tmp_path / "keepsake.yaml").read_text() == "repository: .keepsake\n"


def test_init_refuses_a_url_that_cannot_be_a_repository(cli: RunCli, tmp_path: Path) -> None:
    assert cli("init", "ftp://host/x", at=tmp_path).code == 1
    assert not (tmp_path / "keepsake.yaml").exists()


def test_push_copies_everything_and_then_nothing(cli: RunCli, trained: TwoExperiments, tmp_path: Path) -> None:
    other = str(tmp_path / "other")
    assert cli("push", other, at=trained.directory).code == 0
    assert cli("ls", "-q", "-R", other).out == cli("ls", "-q").out
    assert cli("check", "-R", other).code == 0
    assert "has everything already" in cli("push", other).err


def test_push_copies_one_experiment_between_two_other_repositories(
    cli: RunCli, trained: TwoExperiments, tmp_path: Path
) -> None:
    source, target = str(trained.directory / ".keepsake"), str(tmp_path / "target")
    assert cli("push", "-e", trained.second.short_id(), source, target, at=_made(tmp_path / "x")).code == 0
    assert cli("ls", "-q", "-R", target).out.split() == [trained.second.id]


def test_push_of_a_repository_that_is_not_there_makes_nothing(cli: RunCli, tmp_path: Path) -> None:
    done = cli("push", str(tmp_path / "none"), str(tmp_path / "target"), at=tmp_path)
    assert done.code == 1
    assert "there is no repository" in done.err


def test_paths_of_repositories_start_where_they_are_typed(cli: RunCli, trained: TwoExperiments) -> None:
    (trained.directory / "keepsake.yaml").write_text("repository: .keepsake\n")
    inner = _made(trained.directory / "inner")
    assert cli("push", "copy", at=inner).code == 0
    assert (inner / "copy" / "repository.json").is_file()
    assert cli("push", "../.keepsake", "copy").err == "copy has everything already\n"
    assert cli("ls", "-q", "-R", "copy").out == cli("ls", "-q").out
    assert cli("ls", "-q", "-R", "inner/copy", "-D", "..").out == cli("ls", "-q").out


def test_a_repair_finds_its_source_where_it_is_typed(cli: RunCli, trained: TwoExperiments) -> None:
    (trained.directory / "keepsake.yaml").write_text("repository: .keepsake\n")
    inner = _made(trained.directory / "inner")
    assert cli("push", str(inner / "copy"), at=inner).code == 0
    chunk = next(path for path in (trained.directory / ".keepsake" / "chunks").rglob("*") if path.is_file())
    chunk.unlink()
    assert cli("check", "--repair", "--from", "copy").code == 0
    assert chunk.is_file()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(cli: RunCli, shell: str) -> None:
    done = cli("completion", shell)
    assert done.code == 0
    assert "_KEEPSAKE_COMPLETE" in done.out


def test_bash_completes_commands(tmp_path: Path) -> None:
    environment = {"_KEEPSAKE_COMPLETE": "bash_complete", "COMP_WORDS": "keepsake che", "COMP_CWORD": "1"}
    result = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv[0] = 'keepsake'\nfrom keepsake.cli.main import main; main()"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "plain,checkout" in result.stdout
    assert "plain,check" in result.stdout.split()


@pytest.mark.parametrize("name", [*COMMANDS, *ALIASES])
def test_every_command_explains_itself(cli: RunCli, name: str) -> None:
    done = cli(name, "--help")
    assert done.code == 0
    assert "--repository" in done.out
    assert len(done.out.splitlines()) > 8


def test_help_names_every_command(cli: RunCli) -> None:
    out = cli("--help").out
    assert all(f"\n  {name} " in out for name in COMMANDS)
    assert all(f"  {summary}\n" in out for summary in COMMANDS.values()), "a summary takes more than its line"


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_in_help_keep_their_lines(cli: RunCli, name: str) -> None:
    out = cli(name, "--help").out
    assert "\b" not in out
    assert "\\b" not in out


def test_help_of_a_command_is_asked_for_as_in_keepsake_0(cli: RunCli) -> None:
    assert cli("help").out == cli("--help").out
    assert cli("help", "ls").out == cli("ls", "--help").out
    assert cli("help", "list").out.splitlines()[1:] == cli("ls", "--help").out.splitlines()[1:]
    assert cli("help", "lss").code == 2


def test_scripts_that_switch_analytics_off_go_on(cli: RunCli) -> None:
    done = cli("analytics", "off")
    assert (done.code, done.out) == (0, "")
    assert "no analytics" in done.err


def test_a_misspelt_command_is_a_usage_error_that_names_the_nearest(cli: RunCli) -> None:
    done = cli("chekout", "abc")
    assert done.code == 2
    assert "did you mean `keepsake checkout`" in done.err


def test_an_unknown_option_is_a_usage_error(cli: RunCli) -> None:
    assert cli("ls", "--bogus").code == 2


def test_an_error_is_a_message_and_a_hint_but_verbose_shows_the_traceback(cli: RunCli, tmp_path: Path) -> None:
    done = cli("ls", at=tmp_path)
    assert done.code == 1
    assert [line.split(":")[0] for line in done.err.splitlines()] == ["error", "hint"]


def test_verbose_shows_where_an_error_came_from(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "keepsake", "-v", "ls"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1
    assert "Traceback" in result.stderr
    assert "ConfigNotFoundError" in result.stderr


def test_json_of_check_says_what_was_looked_at(cli: RunCli, trained: TwoExperiments) -> None:
    document = json.loads(cli("check", "--json", at=trained.directory).out)
    assert document["experiments"] == 2
    assert document["problems"] == []
    assert keepsake.Project(directory=trained.directory).check().chunks == document["chunks"]


def _made(path: Path) -> Path:
    path.mkdir(parents=True)
    return path
