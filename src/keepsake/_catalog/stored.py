"""The segments of an experiment as the catalog keeps them: their bytes as they were read, compressed together."""

from __future__ import annotations

import json
from collections.abc import Mapping

from keepsake._catalog.encoding import CatalogDamagedError
from keepsake._chunks.zstd import TABLE_LEVEL, compress, decompress
from keepsake._model.events import ExperimentState, fold_events
from keepsake._model.keys import parse_segment_key
from keepsake._repository.journal import Journal, read_events
from keepsake._repository.packs import split_contents
from keepsake.errors import FormatError


def encode_segments(contents: Mapping[str, bytes]) -> tuple[str, bytes]:
    """Return the keys with the lengths of the contents, as text, and the contents."""
    lengths = json.dumps([[key, len(content)] for key, content in contents.items()])
    return lengths, compress(b"".join(contents.values()), level=TABLE_LEVEL)


def decode_segments(lengths: str, data: bytes) -> dict[str, bytes]:
    """Return what `encode_segments` was given. Raises `CatalogDamagedError` when this is something else."""
    try:
        sizes: list[tuple[str, int]] = json.loads(lengths)
        whole = decompress(data, size_bytes=sum(size_bytes for _, size_bytes in sizes))
    except (FormatError, ValueError, TypeError) as error:
        raise CatalogDamagedError(str(error)) from error
    return split_contents(sizes, whole)


def fold_stored(experiment_id: str, lengths: str, data: bytes, *, with_logs: bool = True) -> ExperimentState | None:
    """Fold an experiment from what the catalog keeps of it; None when that does not make one.

    Raises:
        CatalogDamagedError: this is not what `encode_segments` returned.
    """
    journal = Journal(experiment_id)
    for key, content in decode_segments(lengths, data).items():
        name = parse_segment_key(key)
        if name is not None:
            read_events(name, content, journal, with_logs=with_logs)
    return fold_events(experiment_id, journal.events)
