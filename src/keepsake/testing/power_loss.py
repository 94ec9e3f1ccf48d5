"""A store that keeps apart what is on the disk and what is only in memory, so that a test can cut the power.

What was written and not synced is gone then, or there in part, in whatever mixture: an object or its deletion may be
missing, also when later ones are there; an object may be empty, short, or have zeros where its bytes had not arrived.
File systems that keep a journal of their names (ext4, xfs, btrfs) lose no more than that: a rename happened or did not,
and what was synced stays.
"""

from __future__ import annotations

import random as random_module
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from keepsake.errors import WriteError
from keepsake.stores.around import AppenderAround, StoreAround
from keepsake.stores.base import Appender, AppendStore, Data, buffers_of

PAGE_BYTES = 512
"""What a disk writes at once: a page is there or not."""


@dataclass(eq=False, slots=True)
class _File:
    """The bytes of one object, whatever its name."""

    content: bytearray = field(default_factory=bytearray)
    synced_bytes: int = 0
    """So many from the start are on the disk."""

    @property
    def is_synced(self) -> bool:
        return self.synced_bytes == len(self.content)


class PowerLossStore(StoreAround):
    """A store around an `AppendStore` that loses what was not synced when `cut_power` is called.

    What the wrapped store holds already counts as on the disk. A write with `durable`, and `sync`, bring an object
    and its name there; nothing does that for a deletion. It keeps a copy of everything in memory.

    Example:
        >>> from random import Random
        >>> from keepsake.stores.memory import MemoryStore
        >>> store = PowerLossStore(MemoryStore())
        >>> store.put("chunks/aa", b"first", durable=True)
        >>> store.put("chunks/bb", b"second")
        >>> store.cut_power(Random(0), survival=0)
        frozenset({'chunks/bb'})
        >>> [info.key for info in store.list()]
        ['chunks/aa']

    Args:
        store: the store that holds what can be seen.
    """

    def __init__(self, store: AppendStore) -> None:
        super().__init__(store)
        self._lock = threading.RLock()
        self._cuts = 0
        self._on_disk: dict[str, _File] = {}
        """The objects as they are surely found after the next power loss, but for their unsynced bytes."""
        for info in store.list():
            content = bytearray(store.get(info.key))
            self._on_disk[info.key] = _File(content, len(content))
        self._seen = dict(self._on_disk)
        """The objects as they are now."""
        self._changes: list[dict[str, _File | None]] = []
        """What has happened to names, in order, and is not on the disk: the file that a key names, or None."""

    def cut_power(self, random: random_module.Random, *, survival: float = 0.5) -> frozenset[str]:
        """Lose what was not synced; afterwards the store is as the machine finds it when it starts again.

        Args:
            random: decides what is lost.
            survival: how likely each unsynced name and content is there all the same, from 0 to 1.

        Returns:
            The keys whose object is not the one that could be read before.
        """
        with self._lock:
            self._cuts += 1
            self._lose_names(random, survival)
            for file in dict.fromkeys(self._on_disk.values()):
                if not file.is_synced:
                    file.content = _lose_content(file, random, survival)
                file.synced_bytes = len(file.content)
            changed = frozenset(key for key in self._seen.keys() | self._on_disk.keys() if self._show(key))
            self._seen = dict(self._on_disk)
            return changed

    def put(self, key: str, data: Data, *, durable: bool = False) -> None:
        """Write the object, replacing any other, atomically. With `durable` it survives a power loss on return."""
        with self._lock:
            self.store.put(key, data, durable=durable)
            self._write(key, data, durable=durable)

    def create(self, key: str, data: Data, *, durable: bool = False) -> bool:
        """Write the object unless there is one; say whether it was written. Of several creators, one wins."""
        with self._lock:
            created = self.store.create(key, data, durable=durable)
            if created:
                self._write(key, data, durable=durable)
            return created

    def delete(self, key: str) -> None:
        """Delete the object; an absent one is no error."""
        with self._lock:
            self.store.delete(key)
            if key in self._seen:
                self._change({key: None})

    def sync(self, keys: Iterable[str]) -> None:
        """Return when the named objects survive a power loss. Absent ones are passed over."""
        with self._lock:
            named = list(keys)
            self.store.sync(named)
            for key in named:
                if key in self._seen:
                    self._bring_to_disk(key)

    def _open_append(self, key: str) -> Appender:
        with self._lock:
            appender = self._append_store.open_append(key)
            file = _File()
            self._change({key: file})
            cuts = self._cuts

        def grow(data: bytes) -> None:
            with self._lock:
                if cuts != self._cuts:
                    raise WriteError(f"{key} was opened before the power was cut")
                appender.append(data)
                file.content += data

        return _PowerLossAppender(appender, key, self, grow)

    def _rename(self, key: str, new_key: str) -> None:
        with self._lock:
            self._append_store.rename(key, new_key)
            if new_key != key:
                self._change({key: None, new_key: self._seen[key]})

    def _write(self, key: str, data: Data, *, durable: bool) -> None:
        file = _File(bytearray(b"".join(buffers_of(data))))
        self._change({key: file})
        if durable:
            self._bring_to_disk(key)

    def _change(self, names: dict[str, _File | None]) -> None:
        self._changes.append(names)
        _apply(names, self._seen)

    def _bring_to_disk(self, key: str) -> None:
        """Sync the content of an object and every change of names that its own rests on."""
        file = self._seen[key]
        file.synced_bytes = len(file.content)
        keys = {key}
        waiting: list[dict[str, _File | None]] = []
        synced: list[dict[str, _File | None]] = []
        for names in reversed(self._changes):
            if keys.isdisjoint(names):
                waiting.append(names)
            else:
                keys.update(names)
                synced.append(names)
        for names in reversed(synced):
            _apply(names, self._on_disk)
        self._changes = waiting[::-1]

    def _lose_names(self, random: random_module.Random, survival: float) -> None:
        """Let each change of names happen or not; one that rests on a lost change is lost, too."""
        lost: set[str] = set()
        for names in self._changes:
            if lost.isdisjoint(names) and random.random() < survival:
                _apply(names, self._on_disk)
            else:
                lost.update(names)
        self._changes = []

    def _show(self, key: str) -> bool:
        """Have the wrapped store hold what is on the disk under `key`; say whether that is something else."""
        file = self._on_disk.get(key)
        info = self.store.head(key)
        if file is None:
            self.store.delete(key)
            return info is not None
        if info is not None and self.store.get(key) == file.content:
            return False
        self.store.put(key, file.content)
        return True


class _PowerLossAppender(AppenderAround):
    def __init__(self, appender: Appender, key: str, store: PowerLossStore, grow: Callable[[bytes], None]) -> None:
        super().__init__(appender, key, store)
        self._grow = grow

    def append(self, data: bytes) -> None:
        self._grow(data)


def _apply(names: dict[str, _File | None], objects: dict[str, _File]) -> None:
    for key, file in names.items():
        if file is None:
            objects.pop(key, None)
        else:
            objects[key] = file


def _lose_content(file: _File, random: random_module.Random, survival: float) -> bytearray:
    """Return what is left of the bytes that were not synced: all, a first part, or holes of zeros."""
    content, start = bytearray(file.content), file.synced_bytes
    if random.random() < survival:
        return content
    kind = random.choice(("nothing", "part", "holes")) if survival > 0 else "nothing"
    if kind == "nothing":
        return content[:start]
    if kind == "part":
        return content[: random.randrange(start, len(content))]
    for page in range(start, len(content), PAGE_BYTES):
        if random.random() >= survival:
            stop = min(page + PAGE_BYTES, len(content))
            content[page:stop] = bytes(stop - page)
    return content
