"""`keepsake name`, `note` and `tag`: what people say about experiments."""

from __future__ import annotations

import json

from tests.cli.subjects import RunCli, TwoExperiments


def test_a_name_is_given_shown_and_taken_away(cli: RunCli, trained: TwoExperiments) -> None:
    identifier = trained.first.id
    assert cli("name", identifier, "baseline", at=trained.directory).code == 0
    assert cli("name", identifier).out == "baseline\n"
    assert trained.first.name == "baseline"
    assert cli("name", identifier, "--clear").code == 0
    assert cli("name", identifier).out == ""


def test_notes_are_replaced_or_added_to(cli: RunCli, trained: TwoExperiments) -> None:
    identifier = trained.first.id
    cli("note", identifier, "diverged at step 30", at=trained.directory)
    cli("note", identifier, "-a", "the data was shuffled twice")
    assert cli("note", identifier).out == "diverged at step 30\nthe data was shuffled twice\n"
    cli("note", identifier, "all new")
    assert trained.first.notes == "all new"
    cli("note", identifier, "--clear")
    assert trained.first.notes is None


def test_tags_are_added_and_taken_away(cli: RunCli, trained: TwoExperiments) -> None:
    identifier = trained.first.id
    cli("tag", identifier, "paper", "good", at=trained.directory)
    cli("tag", identifier, "good", "best")
    assert cli("tag", identifier).out.split() == ["paper", "good", "best"]
    cli("tag", "-d", identifier, "paper", "best")
    assert trained.first.tags == ("good",)


def test_contradictions_are_usage_errors(cli: RunCli, trained: TwoExperiments) -> None:
    identifier = trained.first.id
    for arguments in (
        ["name", identifier, "x", "--clear"],
        ["note", identifier, "x", "--clear"],
        ["tag", "-d", identifier],
    ):
        assert cli(*arguments, at=trained.directory).code == 2


def test_what_was_written_can_be_had_as_json(cli: RunCli, trained: TwoExperiments) -> None:
    identifier = trained.first.id
    assert json.loads(cli("tag", identifier, "paper", "--json", at=trained.directory).out)["tags"] == ["paper"]
    assert json.loads(cli("note", identifier, "good", "--json").out)["notes"] == "good"
    assert json.loads(cli("name", identifier, "--json").out) == {
        "id": identifier,
        "name": None,
        "notes": "good",
        "tags": ["paper"],
    }
