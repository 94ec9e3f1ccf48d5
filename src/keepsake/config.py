"""Configuration: `keepsake.yaml` and the `KEEPSAKE_*` variables. Nothing else reads them.

Where the project is: the directory that was given, else `KEEPSAKE_DIRECTORY`, else the nearest directory from the
current one upwards with a `keepsake.yaml`, else the current one. Of a given directory only its own `keepsake.yaml`
counts, not one above.

Where the repository is: the one that was given, else `KEEPSAKE_REPOSITORY`, else what `keepsake.yaml` says, else
`.keepsake` in the project directory. It is a URL or a path; a relative one (`../runs`, `file://runs`) counts from the
project directory wherever it was written, so that it means the same in every process of a project. Only paths that are
typed after a command count from where it is typed: `cli/context.py` makes them absolute before they come here.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import unquote_to_bytes, urlsplit

from keepsake._tracking.configsecrets import CONFIG_NAMES
from keepsake._tracking.secrets import mask_url
from keepsake.directories import staging_directory
from keepsake.errors import ConfigError, ConfigNotFoundError, ConflictError
from keepsake.stores.url import PATH_OPTIONS, SCHEMES, bucket_url, is_bucket

if TYPE_CHECKING:
    from keepsake._yaml import Document

_KEYS = ("repository", "repository_options", "other_repositories", "courier", "storage")
DEFAULT_REPOSITORY = ".keepsake"
_DIRECTORY = "directory (on the command line: -D)"
_REPOSITORY = "repository (on the command line: -R)"
"""What messages call arguments that are options of the command line as well."""

Mode: TypeAlias = Literal["online", "offline", "disabled"]
MODES: tuple[Mode, ...] = ("online", "offline", "disabled")

Source: TypeAlias = Literal["argument", "variable", "keepsake.yaml", "default"]


@dataclass(frozen=True, slots=True)
class ProjectConfig:
    """Where a project is, and where its repository."""

    directory: Path
    """The project directory: absolute, links kept as they were written."""
    repository_url: str
    """With an absolute path when it is `file://`. It may hold credentials: show `mask_url` of it."""
    options: dict[str, object] = field(default_factory=dict)
    """Settings for the store's client: `repository_options` of `keepsake.yaml`."""
    source: Source = "default"
    """Who said where the repository is. The caller tells people about a `default`."""
    config_path: Path | None = None
    """The `keepsake.yaml` that was read."""
    courier: bool = True
    """Whether work may be left to a background process: `courier` of `keepsake.yaml`."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the remaining `KEEPSAKE_*` variables say."""

    staging: Path | None = None
    """`KEEPSAKE_STAGING`: where sessions stage what they write; absolute. None: in the user's cache directory."""
    exit_timeout_s: float = math.inf
    """`KEEPSAKE_EXIT_TIMEOUT_S`: how long the end of a program may wait for what is not yet stored."""
    courier: bool | None = None
    """`KEEPSAKE_COURIER`: whether work may be left to a background process. None: what `keepsake.yaml` says."""
    cache_limit_bytes: int = 10 * 10**9
    """`KEEPSAKE_CACHE_GB`: how much copies of what was read from a bucket may take on this machine."""
    mode: Mode = "online"
    """`KEEPSAKE_MODE`: `offline` saves to staging what belongs into a bucket; `disabled` saves nothing."""


def find_project(
    directory: str | os.PathLike[str] | None, repository: str | None, env: Mapping[str, str]
) -> ProjectConfig:
    """Find a project and its repository, by the rules of this module; nothing is created.

    Args:
        directory: the project directory; None to look for it.
        repository: URL or path of the repository; None to look for it.
        env: the environment variables.

    Raises:
        ConfigError: a `keepsake.yaml` cannot be used (the message says file, line and key), the directory does not
            exist, or the repository's scheme does not work.
    """
    given = directory if directory is not None else env.get("KEEPSAKE_DIRECTORY") or None
    if given is not None:
        project = _given_directory(given, _DIRECTORY if directory is not None else "KEEPSAKE_DIRECTORY")
        config_path = _find_config(project)
    else:
        config_path = _find_config_upwards(current_directory())
        project = config_path.parent if config_path else current_directory()
    # A broken file is an error even where it is not needed: it will be the next time.
    written = _read_config(config_path) if config_path else _Written()
    source: Source
    if repository is not None:
        source, url = "argument", _given_url(repository, project, _REPOSITORY)
    elif env.get("KEEPSAKE_REPOSITORY"):
        source, url = "variable", _given_url(env["KEEPSAKE_REPOSITORY"], project, "KEEPSAKE_REPOSITORY")
    elif written.repository is not None:
        source, url = "keepsake.yaml", _to_url(written.repository, project, written.place)
    else:
        source, url = "default", (project / DEFAULT_REPOSITORY).as_uri()
    return ProjectConfig(project, url, _find_options(url, source, written), source, config_path, written.courier)


def _find_options(url: str, source: Source, written: _Written) -> dict[str, object]:
    """Return the options for a repository: those of its bucket, whoever named it, and no other's."""
    if source in ("keepsake.yaml", "default"):
        return written.options
    if not is_bucket(url):
        return {}
    own = {written.repository: written.options} if written.repository and is_bucket(written.repository) else {}
    in_bucket = {one: options for one, options in (written.others | own).items() if _lies_in(url, _bucket_of(one))}
    # Of several in one bucket, the one that says most of where.
    exact = [one for one in in_bucket if _lies_in(url, bucket_url(one))]
    nearest = max(exact, key=len) if exact else next(iter(in_bucket), "")
    return in_bucket.get(nearest, {})


def _lies_in(url: str, outer: str) -> bool:
    return f"{bucket_url(url)}/".startswith(f"{outer}/")


def _bucket_of(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def read_settings(env: Mapping[str, str]) -> Settings:
    """Read the variables that have nothing to do with where the project is.

    Raises:
        ConfigError: one has a value that makes no sense.
    """
    staging = env.get("KEEPSAKE_STAGING")
    return Settings(
        staging=Path(staging).expanduser().absolute() if staging else None,
        exit_timeout_s=_read_number(env, "KEEPSAKE_EXIT_TIMEOUT_S", "seconds", math.inf),
        courier=_read_switch(env, "KEEPSAKE_COURIER"),
        cache_limit_bytes=int(_read_number(env, "KEEPSAKE_CACHE_GB", "gigabytes", 10.0) * 1e9),
        mode=_read_mode(env),
    )


def find_staging(settings: Settings, env: Mapping[str, str]) -> Path:
    """Return the directory that holds this user's staging repositories; it exists unless a setting names it."""
    return settings.staging or staging_directory(env)


def write_config(directory: str | os.PathLike[str] | None, repository: str | None, *, replace: bool = False) -> Path:
    """Write a `keepsake.yaml` that names a repository; return its path.

    Args:
        directory: where; the current directory when None.
        repository: URL or path, relative to `directory`; `.keepsake` in it when None.
        replace: whether one that is there may be replaced.

    Raises:
        ConfigError: the repository cannot be one, or the directory does not exist.
        ConflictError: there is a `keepsake.yaml` already.
    """
    import yaml

    path = check_no_config(directory, repository, replace=replace)
    text = yaml.safe_dump({"repository": repository or DEFAULT_REPOSITORY}, allow_unicode=True)
    try:
        with path.open("w" if replace else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise _conflict(path) from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from error
    return path


def check_no_config(directory: str | os.PathLike[str] | None, repository: str | None, *, replace: bool = False) -> Path:
    """Return the path at which `write_config` would write; raises what it would raise."""
    project = _given_directory(directory, _DIRECTORY) if directory is not None else current_directory()
    _to_url(repository or DEFAULT_REPOSITORY, project, "repository")
    path = project / CONFIG_NAMES[0]
    if path.exists() and not replace:
        raise _conflict(path)
    return path


def _conflict(path: Path) -> ConflictError:
    return ConflictError(f"{path} is there already", hint="change it by hand, or replace it with --force")


def repository_not_found(project: ProjectConfig, mode: Mode = "online") -> ConfigNotFoundError:
    """Return the error for a reader that found no repository: what was looked for, and what may have been meant."""
    if mode == "offline" and is_bucket(project.repository_url):
        return ConfigNotFoundError(
            f"nothing waits on this machine for {mask_url(project.repository_url)}, which is not asked offline",
            hint="unset KEEPSAKE_MODE, where there is a network; or is KEEPSAKE_STAGING another one than in the job?",
        )
    message = f"there is no repository at {mask_url(project.repository_url)}"
    if project.source == "default":
        message += f"; no {CONFIG_NAMES[0]} in {project.directory} names another one"
        if project.config_path is None:
            message = message.replace(f" in {project.directory} ", f" in {project.directory} or above it ")
    inner = _default_repository_in(project.repository_url)
    if inner is not None:
        return ConfigNotFoundError(message, hint=f"that is a project directory; its repository is {inner}")
    for parent in project.directory.parents:
        if (parent / DEFAULT_REPOSITORY / "repository.json").is_file():
            return ConfigNotFoundError(
                message,
                hint=f"there is one in {parent}: go there, or put a {CONFIG_NAMES[0]} there to use it from below",
            )
    return ConfigNotFoundError(
        message,
        hint="run the training script that calls keepsake.init() first, or say where the repository is: `keepsake init "
        f"URL` writes it to {CONFIG_NAMES[0]}; or KEEPSAKE_REPOSITORY, -R, or keepsake.Project(repository=…)",
    )


def _default_repository_in(url: str) -> Path | None:
    """Return the repository in a project directory that was given as a repository; None when it is no such thing."""
    if not url.startswith("file:///"):
        return None
    inner = Path(os.fsdecode(unquote_to_bytes(urlsplit(url).path)), DEFAULT_REPOSITORY)
    return inner if (inner / "repository.json").is_file() else None


@dataclass(frozen=True, slots=True)
class _Written:
    """What a `keepsake.yaml` says."""

    repository: str | None = None
    options: dict[str, object] = field(default_factory=dict)
    others: dict[str, dict[str, object]] = field(default_factory=dict)
    """Options of other buckets, by URL."""
    place: str = ""
    """File and line of the repository, for messages."""
    courier: bool = True


def _read_config(path: Path) -> _Written:
    from keepsake._yaml import load_mapping

    document = load_mapping(path, known=_KEYS)
    if "repository" in document and "storage" in document:
        raise ConfigError(
            f"{document.place('storage')}: `storage` is the old name of `repository`, and both are given",
            hint="keep `repository`",
        )
    name = "storage" if "storage" in document else "repository"
    return _Written(
        repository=document.get_text(name),
        options=_with_whole_paths(document.get_mapping("repository_options"), path.parent),
        others={
            url: _with_whole_paths(document.get_mapping("other_repositories", url), path.parent)
            for url in _other_urls(document)
        },
        place=document.place(name),
        courier=document.get_switch("courier", default=True),
    )


def _with_whole_paths(options: dict[str, object], directory: Path) -> dict[str, object]:
    """Return options with absolute paths: those that are read here may be needed anywhere else."""
    texts = {name: text for name in PATH_OPTIONS if isinstance(text := options.get(name), str) and text}
    return options | {name: str(directory / _expand_home(text)) for name, text in texts.items()}


def _other_urls(document: Document) -> list[str]:
    urls = list(document.get_mapping("other_repositories"))
    for url in urls:
        if not is_bucket(url):
            raise ConfigError(
                f"{document.place('other_repositories')}: {mask_url(url)} is not a bucket",
                hint="the keys are URLs such as s3://BUCKET, the values options as in repository_options",
            )
    return urls


def _find_config(directory: Path) -> Path | None:
    found = [directory / name for name in CONFIG_NAMES if (directory / name).is_file()]
    if len(found) > 1:
        raise ConfigError(f"{directory} holds both {CONFIG_NAMES[0]} and {CONFIG_NAMES[1]}", hint="remove one of them")
    return found[0] if found else None


def _find_config_upwards(directory: Path) -> Path | None:
    for candidate in (directory, *directory.parents):
        found = _find_config(candidate)
        if found is not None:
            return found
    return None


def current_directory() -> Path:
    """Return the current directory. Raises `ConfigError` when it has been deleted."""
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise ConfigError("the current directory has been deleted", hint="change into one that exists") from error


def _given_directory(given: object, name: str) -> Path:
    if not isinstance(given, (str, os.PathLike)) or not isinstance(os.fspath(given), str):
        raise ConfigError(f"{name} must be a path, not {type(given).__name__}")
    # An absolute path needs no current directory, which may have been deleted.
    directory = _expand_home(os.fspath(given))
    directory = directory if directory.is_absolute() else current_directory() / directory
    if not directory.is_dir():
        raise ConfigError(
            f"the project directory {directory} {'is not a directory' if directory.exists() else 'does not exist'}",
            hint=f"correct {name}, or create the directory",
        )
    # Links are kept as they were written, for messages; but what ".." leads to, only the file system knows.
    return directory.resolve() if ".." in directory.parts else directory


def _given_url(given: object, project: Path, name: str) -> str:
    if isinstance(given, os.PathLike):
        given = os.fspath(given)
    if not isinstance(given, str):
        raise ConfigError(f"{name} must be a URL or a path, not {type(given).__name__}")
    return _to_url(given, project, name)


def _to_url(text: str, project: Path, place: str) -> str:
    """Make an absolute URL of a URL or path.

    Args:
        text: what was written.
        project: the directory that relative ones count from.
        place: where it was written, for messages.
    """
    if not text.strip():
        raise ConfigError(f"{place}: the repository is empty", hint="give a URL or a path, or leave it out")
    if "://" not in text:
        return _file_url(project / _expand_home(text))
    scheme, _, rest = text.partition("://")
    if scheme not in SCHEMES:
        raise ConfigError(
            f"{place}: this version cannot keep a repository at {mask_url(text)}",
            hint=f"these schemes work: {', '.join(f'{name}://' for name in SCHEMES)}; so does a plain path",
        )
    if scheme != "file" or rest.startswith(("/", "localhost/")) or urlsplit(text).query or urlsplit(text).fragment:
        return text  # absolute, or malformed; the store has the last word
    return _file_url(project / _expand_home(os.fsdecode(unquote_to_bytes(rest))))


def _file_url(path: Path) -> str:
    return Path(os.path.abspath(path)).as_uri()  # noqa: PTH100 (Path.absolute keeps "..", Path.resolve follows links)


def _expand_home(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"the home directory in {text!r} cannot be found", hint="write the whole path") from error


def _read_number(env: Mapping[str, str], name: str, unit: str, default: float) -> float:
    text = env.get(name)
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not number >= 0:
        raise ConfigError(f"{name} is {text!r}, which is not a number of {unit}", hint=f"for example {name}=60")
    return number


def _read_mode(env: Mapping[str, str]) -> Mode:
    text = env.get("KEEPSAKE_MODE") or "online"
    for mode in MODES:
        if text == mode:
            return mode
    raise ConfigError(f"KEEPSAKE_MODE is {text!r}", hint=f"write KEEPSAKE_MODE={' or '.join(MODES)}")


def _read_switch(env: Mapping[str, str], name: str) -> bool | None:
    text = env.get(name)
    if not text:
        return None
    if text not in ("on", "off"):
        raise ConfigError(f"{name} is {text!r}", hint=f"write {name}=on or {name}=off")
    return text == "on"
