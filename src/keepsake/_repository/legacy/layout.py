"""The keys of a repository of format 1, and how they are shown as keys of format 2. Pure.

There are `repository.json` (`{"version":1}`) and
    metadata/experiments/<id>.json        an experiment with all of its checkpoints
    metadata/heartbeats/<id>.json         left by one that runs, or has not ended with `stop()`
    experiments/<id>.tar.gz               the files of an experiment, if it has any
    checkpoints/<id>.tar.gz               the files of a checkpoint, if it has any
"""

from __future__ import annotations

from keepsake._model.ids import SESSION_ID_DIGITS, is_id
from keepsake._model.keys import SegmentName

METADATA = "metadata/experiments/"
OLD_HEARTBEATS = "metadata/heartbeats/"
TARBALLS = ("checkpoints/", "experiments/")
"""What the keys of tarballs begin with. Ids are random, so one id is that of a checkpoint or of an experiment."""

_JSON = ".json"
_TARBALL = ".tar.gz"


def metadata_key(experiment_id: str) -> str:
    """Key of what is known of an experiment."""
    return f"{METADATA}{experiment_id}{_JSON}"


def old_heartbeat_key(experiment_id: str) -> str:
    """Key of an experiment's heartbeat."""
    return f"{OLD_HEARTBEATS}{experiment_id}{_JSON}"


def tarball_keys(owner_id: str) -> tuple[str, ...]:
    """Keys under which the files of a checkpoint or experiment may lie."""
    return tuple(f"{prefix}{owner_id}{_TARBALL}" for prefix in TARBALLS)


def id_of_key(key: str) -> str | None:
    """Return the id that the key of an object names, None when it names none."""
    name = key.rsplit("/", 1)[-1]
    for ending in (_JSON, _TARBALL):
        if name.endswith(ending) and is_id(name[: -len(ending)]):
            return name[: -len(ending)]
    return None


def only_session(experiment_id: str) -> str:
    """Id of the session that an experiment of format 1 is said to have been written by: it knows no sessions."""
    return experiment_id[:SESSION_ID_DIGITS]


def segment_name(experiment_id: str, modified_ns: int) -> SegmentName:
    """Name of the journal segment that an experiment is shown as: another one whenever it was rewritten.

    It is shown as one that may grow, since its length is not known before it is read.
    """
    return SegmentName(experiment_id, only_session(experiment_id), modified_ns, None)
