"""Whatever is done to a store in whatever order, it holds what a dictionary would hold."""

from __future__ import annotations

import tempfile

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from keepsake.errors import ConflictError, NotFoundError
from keepsake.stores.base import Appender, AppendStore
from keepsake.stores.local import LocalStore
from keepsake.stores.memory import MemoryStore
from keepsake.testing import strategies

# Few parts, so that keys meet. Directories and objects have names of their own: no key begins another one.
KEYS = st.builds(
    lambda directories, name: "/".join((*directories, f"{name}.o")),
    st.lists(st.sampled_from(["a", "b", "ab"]) | strategies.key_parts().map(lambda part: f"{part}.d"), max_size=3),
    st.sampled_from(["a", "b"]) | strategies.key_parts(),
)
CONTENTS = st.binary(max_size=100)


class StoreModel(RuleBasedStateMachine):
    """Operations on a store beside the same on a dictionary."""

    store: AppendStore
    keys = Bundle("keys")
    appenders = Bundle("appenders")

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, bytes] = {}

    @rule(target=keys, key=KEYS)
    def name(self, key: str) -> str:
        return key

    @rule(key=keys, data=CONTENTS, durable=st.booleans())
    def put(self, key: str, data: bytes, durable: bool) -> None:
        self.store.put(key, data, durable=durable)
        self.objects[key] = data

    @rule(key=keys, parts=st.lists(CONTENTS, max_size=4))
    def create(self, key: str, parts: list[bytes]) -> None:
        assert self.store.create(key, parts) == (key not in self.objects)
        self.objects.setdefault(key, b"".join(parts))

    @rule(key=keys)
    def delete(self, key: str) -> None:
        self.store.delete(key)
        self.objects.pop(key, None)

    @rule(key=keys, new_key=keys)
    def rename(self, key: str, new_key: str) -> None:
        if key in self.objects:
            self.store.rename(key, new_key)
            self.objects[new_key] = self.objects.pop(key)
        else:
            with pytest.raises(NotFoundError):
                self.store.rename(key, new_key)

    @rule(key=keys, parts=st.lists(CONTENTS, max_size=4))
    def append(self, key: str, parts: list[bytes]) -> None:
        if key in self.objects:
            with pytest.raises(ConflictError):
                self.store.open_append(key)
            return
        appender: Appender = self.store.open_append(key)
        for part in parts:
            appender.append(part)
        appender.close()
        self.objects[key] = b"".join(parts)

    @rule(key=keys, start=st.integers(0, 120), size=st.integers(0, 120))
    def read(self, key: str, start: int, size: int) -> None:
        if key in self.objects:
            assert self.store.get(key) == self.objects[key]
            assert self.store.get_range(key, start, start + size) == self.objects[key][start : start + size]
        else:
            with pytest.raises(NotFoundError):
                self.store.get(key)

    @rule(key=keys, cut=st.integers(0, 30))
    def list_beginning(self, key: str, cut: int) -> None:
        prefix = key[:cut]
        listed = [info.key for info in self.store.list(prefix)]
        assert sorted(listed) == sorted(one for one in self.objects if one.startswith(prefix))

    @rule(some=st.lists(keys, max_size=4))
    def sync(self, some: list[str]) -> None:
        self.store.sync(some)

    @rule(key=consumes(keys))
    def forget_name(self, key: str) -> None:
        """Let later rules use other keys."""

    @invariant()
    def it_holds_what_the_dictionary_holds(self) -> None:
        listed = {info.key: info.size_bytes for info in self.store.list()}
        assert listed == {key: len(data) for key, data in self.objects.items()}
        for key, size_bytes in listed.items():
            info = self.store.head(key)
            assert info is not None
            assert info.size_bytes == size_bytes


class MemoryModel(StoreModel):
    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()


class LocalModel(StoreModel):
    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory(prefix="keepsake-model-")
        self.store = LocalStore(self.directory.name)

    def teardown(self) -> None:
        self.directory.cleanup()


SETTINGS = settings(max_examples=60, stateful_step_count=30, deadline=None)

TestMemoryModel = MemoryModel.TestCase
TestMemoryModel.settings = SETTINGS
TestLocalModel = LocalModel.TestCase
TestLocalModel.settings = SETTINGS
