"""Configuration: where the project and its repository are, and what a wrong `keepsake.yaml` says."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._yaml import load_mapping
from keepsake.config import ProjectConfig, Settings, find_project, find_staging, read_settings, repository_not_found
from keepsake.errors import ConfigError
from keepsake.stores.url import open_store


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a new directory that has no `keepsake.yaml` above it."""
    directory = tmp_path / "project"
    (directory / "sub" / "deep").mkdir(parents=True)
    monkeypatch.chdir(directory)
    return directory


def write(directory: Path, text: str, name: str = "keepsake.yaml") -> None:
    (directory / name).write_text(text)


def test_without_a_file_the_current_directory_is_the_project(project: Path) -> None:
    assert find_project(None, None, {}) == ProjectConfig(project, (project / ".keepsake").as_uri(), {}, "default", None)


@pytest.mark.parametrize("name", ["keepsake.yaml", "keepsake.yml"])
def test_a_file_above_moves_the_project_there(project: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    write(project, "repository: runs", name)
    monkeypatch.chdir(project / "sub" / "deep")

    found = find_project(None, None, {})
    assert found == ProjectConfig(project, (project / "runs").as_uri(), {}, "keepsake.yaml", project / name)


def test_a_repository_above_does_not_move_the_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / ".keepsake").mkdir()
    monkeypatch.chdir(project / "sub")

    assert find_project(None, None, {}).directory == project / "sub"


def test_the_nearest_file_counts(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, "repository: far")
    write(project / "sub", "repository: near")
    monkeypatch.chdir(project / "sub" / "deep")

    assert find_project(None, None, {}).repository_url == (project / "sub" / "near").as_uri()


def test_of_a_given_directory_only_its_own_file_counts(project: Path) -> None:
    write(project, "repository: runs")

    assert find_project("sub", None, {}) == ProjectConfig(
        project / "sub", (project / "sub" / ".keepsake").as_uri(), {}, "default", None
    )
    assert find_project(project, None, {}).repository_url == (project / "runs").as_uri()


def test_a_given_repository_leaves_the_project_where_the_file_is(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project, "repository: runs\nrepository_options: {region: x}")
    monkeypatch.chdir(project / "sub")

    found = find_project(None, "/elsewhere", {})
    assert (found.directory, found.repository_url, found.source) == (project, "file:///elsewhere", "argument")
    assert found.options == {}, "options belong to the repository beside which they stand"


def test_variables_override_the_file_and_arguments_override_variables(project: Path) -> None:
    write(project, "repository: runs")
    write(project / "sub", "repository: other")
    env = {"KEEPSAKE_REPOSITORY": "file:///from/variable", "KEEPSAKE_DIRECTORY": str(project / "sub")}

    found = find_project(None, None, env)
    assert (found.directory, found.repository_url, found.source) == (
        project / "sub",
        "file:///from/variable",
        "variable",
    )
    found = find_project(project, "file:///given", env)
    assert (found.directory, found.repository_url, found.source) == (project, "file:///given", "argument")
    assert find_project(None, None, dict.fromkeys(env, "")).source == "keepsake.yaml", "empty ones say nothing"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("runs", "{project}/runs"),
        ("./runs/", "{project}/runs"),
        ("../runs", "{parent}/runs"),
        ("/abs/a b#c", "/abs/a b#c"),
        ("~/runs", "{home}/runs"),
        ("file://runs", "{project}/runs"),
        ("file://./runs%20x", "{project}/runs x"),
        ("file:///abs", "/abs"),
        ("file://~/runs", "{home}/runs"),
    ],
)
def test_a_repository_is_a_path_or_a_url(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, wanted: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    write(project, f"repository: '{text}'")
    path = Path(wanted.format(project=project, parent=project.parent, home=tmp_path / "home"))
    monkeypatch.chdir(project / "sub")

    for found in (
        find_project(None, None, {}),
        find_project(project, text, {}),
        find_project(None, None, {"KEEPSAKE_REPOSITORY": text}),
    ):
        assert found.repository_url == path.as_uri()
        assert open_store(found.repository_url).url == path.as_uri()


@pytest.mark.parametrize("scheme", ["hdfs", "http", "ftp", "S3"])
def test_a_scheme_that_does_not_work_names_those_that_do(project: Path, scheme: str) -> None:
    url = f"{scheme}://user:secret@bucket/path"
    write(project, f"lines: before\nrepository: {url}".replace("lines: before\n", "# a comment\n"))

    with pytest.raises(ConfigError) as caught:
        find_project(None, None, {})
    assert f"{project / 'keepsake.yaml'}, line 2: " in str(caught.value)
    assert "these schemes work: file://" in str(caught.value)
    assert "secret" not in str(caught.value)
    with pytest.raises(ConfigError, match="KEEPSAKE_REPOSITORY: this version cannot keep"):
        find_project(None, None, {"KEEPSAKE_REPOSITORY": url})


def test_options_and_the_old_name_of_the_repository(project: Path) -> None:
    write(project, "storage: runs\nrepository_options:\n  threads: 4\n  nested: {a: [1]}\n")

    found = find_project(None, None, {})
    assert found.repository_url == (project / "runs").as_uri()
    assert found.options == {"threads": 4, "nested": {"a": [1]}}


def test_paths_among_options_start_at_the_file(project: Path) -> None:
    other = "other_repositories:\n  gs://other:\n    service_account: ~/other.json\n    ca_bundle: /etc/ca.pem\n"
    write(project, "repository: gs://b\nrepository_options:\n  service_account: keys/a.json\n" + other)
    assert find_project(None, None, {}).options == {"service_account": str(project / "keys/a.json")}
    found = find_project(None, "gs://other/x", {}).options
    assert found == {"service_account": str(Path("~/other.json").expanduser()), "ca_bundle": "/etc/ca.pem"}


def test_a_file_without_a_repository_keeps_the_default(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, "repository_options: {}")
    monkeypatch.chdir(project / "sub")

    found = find_project(None, None, {})
    assert (found.directory, found.source) == (project, "default")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "is empty", "write for example: repository: .keepsake"),
        ("# only a comment\n", "is empty", "repository: .keepsake"),
        ("repository: a\nrepositry: b", "line 2: unknown key `repositry`", "did you mean `repository`?"),
        ("a\n: b", "line 2: this is not YAML", None),
        (
            "zzz: 1",
            "line 1: unknown key `zzz`",
            "the keys are repository, repository_options, other_repositories, courier",
        ),
        ("1: 2", "line 1: unknown key `1`", "the keys are"),
        ("repository: a\n\nrepository: b", "line 3: the key `repository` stands there again, after line 1", "keep one"),
        ("repository_options:\n  a: 1\n  a: 2", "line 3: the key `a` stands there again, after line 2", "keep one"),
        ("repository: a\nstorage: b", "line 2: `storage` is the old name of `repository`, and both", "keep `rep"),
        ("repository: 5", "line 1: `repository` must be text, not 5", "for example"),
        ("repository:", "line 1: `repository` must be text, not nothing", "for example"),
        ("repository: [a]", "line 1: `repository` must be text, not a list", "for example"),
        ("repository: ''", "line 1: the repository is empty", "give a URL or a path"),
        ("\nrepository_options: [a]", "line 2: `repository_options` must be a mapping", None),
        ("repository_options: {1: 2}", "line 1: `repository_options` must be a mapping", None),
        ("- repository: a", "line 1: these are no settings", "repository: .keepsake"),
        ("just text", "line 1: these are no settings", "repository: .keepsake"),
        ("repository: [a", "line 1: this is not YAML", None),
        ("repository: a\n\tb: c", "line 2: this is not YAML", None),
        ("repository: !!python/object:os.system a", "line 1: this is not YAML", None),
        ("a: 1\n---\nb: 2", "this is not YAML", None),
        ("? [a, b]\n: c", "line 1: unknown key `…`", None),
        ("repository: *nobody", "line 1: this is not YAML", None),
        ("repository_options: " + "[" * 5000, "keepsake.yaml", None),
    ],
)
def test_a_wrong_file_says_where_and_what(project: Path, text: str, message: str, hint: str | None) -> None:
    write(project, text)

    with pytest.raises(ConfigError) as caught:
        find_project(None, None, {})
    assert str(project / "keepsake.yaml") in caught.value.message
    assert message in caught.value.message
    assert hint is None or hint in (caught.value.hint or "")


def test_a_file_in_another_encoding_names_the_line(project: Path) -> None:
    (project / "keepsake.yaml").write_bytes(b"# fine\nrepository: \xff\xfe\n")

    with pytest.raises(ConfigError, match="line 2: this is not UTF-8"):
        find_project(None, None, {})


def test_a_file_of_windows_is_read(project: Path) -> None:
    (project / "keepsake.yaml").write_bytes(b"\xef\xbb\xbfrepository: runs\r\n")

    assert find_project(None, None, {}).repository_url == (project / "runs").as_uri()


@given(st.binary(max_size=60) | st.text("repository_options: -[]{}\n&*!'\"#|>%@a1\t", max_size=60).map(str.encode))
def test_no_file_crashes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(data)
    try:
        document = load_mapping(path, known=("repository", "repository_options"))
    except ConfigError as error:
        assert str(path) in error.message  # noqa: PT017
    else:
        assert set(document.values) <= {"repository", "repository_options"}


def test_aliases_do_not_unfold_without_end(project: Path) -> None:
    bomb = "repository_options:\n  a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
    write(project, bomb)

    assert len(find_project(None, None, {}).options) == 30


def test_a_file_that_cannot_be_settings_is_not_read_whole(project: Path) -> None:
    with (project / "keepsake.yaml").open("wb") as file:
        file.truncate(1 << 34)

    with pytest.raises(ConfigError, match="larger than"):
        find_project(None, None, {})


def test_two_files_side_by_side_are_refused(project: Path) -> None:
    write(project, "repository: a")
    write(project, "repository: b", "keepsake.yml")

    with pytest.raises(ConfigError, match=r"holds both keepsake\.yaml and keepsake\.yml"):
        find_project(None, None, {})


def test_a_broken_file_is_an_error_even_when_the_repository_is_given(project: Path) -> None:
    write(project, "repositry: a")

    with pytest.raises(ConfigError, match="repositry"):
        find_project(None, "/elsewhere", {})


def test_a_project_directory_must_exist(project: Path) -> None:
    with pytest.raises(ConfigError, match=r"the project directory .*nowhere does not exist"):
        find_project("nowhere", None, {})
    (project / "file").write_text("")
    with pytest.raises(ConfigError, match="is not a directory"):
        find_project(None, None, {"KEEPSAKE_DIRECTORY": "file"})


@pytest.mark.parametrize("wrong", [5, b"bytes", ["a"], object()])
def test_arguments_of_another_type_are_refused(project: Path, wrong: object) -> None:
    with pytest.raises(ConfigError, match="must be"):
        find_project(wrong, None, {})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="must be"):
        find_project(None, wrong, {})  # type: ignore[arg-type]


def test_paths_may_be_path_objects_and_lead_upwards(project: Path) -> None:
    found = find_project(project / "sub" / "..", project / "runs", {})  # type: ignore[arg-type]

    assert found.directory == project
    assert found.repository_url == (project / "runs").as_uri()


def test_a_current_directory_that_is_gone_is_an_error_of_ours(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    program = (
        f"import os; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r})\n"
        "from keepsake.config import find_project\nfrom keepsake.errors import ConfigError\n"
        f"print(find_project({str(tmp_path)!r}, None, {{}}).directory)\n"
        "try: find_project(None, None, {})\nexcept ConfigError as error: print(error.message)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == [str(tmp_path), "the current directory has been deleted"]


def test_yaml_is_imported_only_for_a_file(project: Path) -> None:
    program = (
        "import sys; from keepsake.config import find_project\n"
        "find_project(None, None, {}); print('yaml' in sys.modules)"
    )
    run = [sys.executable, "-c", program]

    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip() == "False"
    write(project, "repository: a")
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip() == "True"


def test_the_error_of_a_reader_says_what_was_looked_for(project: Path) -> None:
    error = repository_not_found(find_project(None, None, {}))

    assert error.kind == "config-not-found"
    assert (project / ".keepsake").as_uri() in error.message
    assert f"no keepsake.yaml in {project} or above it" in error.message
    assert "keepsake.init()" in (error.hint or "")


def test_the_error_of_a_reader_names_a_repository_in_a_parent(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / ".keepsake").mkdir()
    (project / ".keepsake" / "repository.json").write_text("{}")
    monkeypatch.chdir(project / "sub" / "deep")

    assert f"there is one in {project}:" in (repository_not_found(find_project(None, None, {})).hint or "")


def test_the_error_of_a_reader_who_gave_a_project_directory_names_its_repository(project: Path) -> None:
    old = project / "old project"
    (old / ".keepsake").mkdir(parents=True)
    (old / ".keepsake" / "repository.json").write_text("{}")

    assert f"its repository is {old / '.keepsake'}" in (
        repository_not_found(find_project(None, str(old), {})).hint or ""
    )


def test_the_error_of_a_reader_hides_credentials(project: Path) -> None:
    config = ProjectConfig(project, "s3://key:secret@bucket", source="argument")

    assert "secret" not in str(repository_not_found(config))


def test_settings_are_read_from_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert read_settings({}) == Settings(staging=None, exit_timeout_s=math.inf)
    assert read_settings({"KEEPSAKE_STAGING": "", "KEEPSAKE_EXIT_TIMEOUT_S": ""}) == Settings()
    assert read_settings({"KEEPSAKE_STAGING": "here", "KEEPSAKE_EXIT_TIMEOUT_S": "1.5"}) == Settings(
        tmp_path / "here", 1.5
    )
    assert read_settings({"KEEPSAKE_EXIT_TIMEOUT_S": "0"}).exit_timeout_s == 0


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "1s"])
def test_a_setting_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="KEEPSAKE_EXIT_TIMEOUT_S"):
        read_settings({"KEEPSAKE_EXIT_TIMEOUT_S": text})


def test_staging_lies_where_the_setting_says_else_in_the_cache(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path)}

    assert find_staging(Settings(), env) == tmp_path / ".cache" / "keepsake" / "staging"
    assert find_staging(Settings(staging=tmp_path / "other"), env) == tmp_path / "other"


@pytest.mark.parametrize(
    ("text", "variable", "allowed"),
    [
        (None, None, True),
        ("courier: false", None, False),
        ("courier: off", None, False),
        ("courier: false", "on", True),
        ("courier: true", "off", False),
        (None, "off", False),
    ],
)
def test_the_courier_can_be_switched_off_in_the_file_and_the_variable_decides(
    project: Path, text: str | None, variable: str | None, allowed: bool
) -> None:
    if text is not None:
        write(project, text)
    env = {"KEEPSAKE_COURIER": variable} if variable is not None else {}
    in_file, in_environment = find_project(None, None, env).courier, read_settings(env).courier
    assert (in_file if in_environment is None else in_environment) == allowed


def test_a_switch_that_is_neither_on_nor_off_is_an_error(project: Path) -> None:
    with pytest.raises(ConfigError, match="KEEPSAKE_COURIER is 'false'") as caught:
        read_settings({"KEEPSAKE_COURIER": "false"})
    assert caught.value.hint == "write KEEPSAKE_COURIER=on or KEEPSAKE_COURIER=off"
    write(project, "repository: runs\ncourier: maybe")
    with pytest.raises(ConfigError, match="line 2: `courier` must be true or false, not 'maybe'"):
        find_project(None, None, {})
