from __future__ import annotations

import gzip
import io
import itertools
import resource
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keepsake._repository.legacy.tarball import WINDOW_BYTES, Member, Unwanted, open_tarball
from keepsake.errors import CorruptionError, NotFoundError, StoreError
from keepsake.stores.base import Store
from keepsake.stores.memory import MemoryStore
from keepsake.testing import FaultyStore
from tests.legacy.repositories import CHECKPOINT, file_member, special_member, tarball

KEY = f"checkpoints/{CHECKPOINT}.tar.gz"


def store_with(data: bytes) -> MemoryStore:
    store = MemoryStore()
    store.put(KEY, data)
    return store


def read(store: Store) -> tuple[dict[str, bytes], list[Unwanted]]:
    files: dict[str, bytes] = {}
    unwanted: list[Unwanted] = []
    with open_tarball(store, KEY, CHECKPOINT) as members:
        for member in members:
            if isinstance(member, Member):
                files[member.path] = b"".join(member.windows())
            else:
                unwanted.append(member)
    return files, unwanted


def named(path: str) -> str:
    return f"{CHECKPOINT}/{path}"


def test_files_come_with_their_paths_and_contents() -> None:
    long = "/".join(["directory"] * 40) + "/größe ✓"
    members = [
        file_member(named("a/b.txt"), b"one"),
        file_member(named("empty"), b""),
        file_member(named(long), b"two"),
    ]
    assert read(store_with(tarball(members))) == ({"a/b.txt": b"one", "empty": b"", long: b"two"}, [])


def test_a_file_that_is_longer_than_a_window_comes_whole() -> None:
    content = bytes(range(256)) * 20_000
    assert len(content) > 4 * WINDOW_BYTES
    assert read(store_with(tarball([file_member(named("big"), content)])))[0] == {"big": content}


def test_files_need_not_be_read() -> None:
    members = [file_member(named(f"{number}"), bytes(3000)) for number in range(5)]
    with open_tarball(store_with(tarball(members)), KEY, CHECKPOINT) as found:
        assert [one.path for one in found] == ["0", "1", "2", "3", "4"]


def test_directories_say_nothing() -> None:
    members = [
        special_member(CHECKPOINT, tarfile.DIRTYPE),
        special_member(named("a"), tarfile.DIRTYPE),
        file_member(f"./{named('a/b')}"),
    ]
    assert read(store_with(tarball(members))) == ({"a/b": b"content"}, [])


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        f"/{CHECKPOINT}/x",
        "../x",
        named("../x"),
        named("a/../../x"),
        named("/etc/passwd"),
        named("a//b"),
        named("./x"),
        "x",
        CHECKPOINT,
        f"{'c' * 64}/x",
    ],
)
def test_a_name_that_leaves_the_tarballs_directory_spoils_it(name: str) -> None:
    members = [file_member(named("good")), file_member(name)]
    with pytest.raises(CorruptionError, match="checkpoints/bbb"):
        read(store_with(tarball(members)))


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.CONTTYPE]
)
def test_what_is_no_regular_file_is_not_given_out(kind: bytes) -> None:
    members = [special_member(named("odd"), kind, "/etc/passwd"), file_member(named("good"))]
    if kind == tarfile.CONTTYPE:
        members[0] = file_member(named("odd"), b"")  # tarfile writes none; as a file it is one
    files, unwanted = read(store_with(tarball(members)))
    assert "good" in files
    assert [(one.path, one.is_foreign) for one in unwanted] == ([] if kind == tarfile.CONTTYPE else [("odd", True)])


@pytest.mark.parametrize("path", [".git", "sub/.git", ".hg/store/data", "a/.svn/entries"])
def test_files_of_version_control_are_left_out_without_reproach(path: str) -> None:
    files, unwanted = read(store_with(tarball([file_member(named(path)), file_member(named("good"))])))
    assert list(files) == ["good"]
    assert [(one.path, one.is_foreign) for one in unwanted] == [(path, False)]


def test_a_missing_tarball_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        read(MemoryStore())


def test_a_failing_store_is_no_damage() -> None:
    store = FaultyStore(store_with(tarball([file_member(named("x"))])))
    store.fail("get_range")
    with pytest.raises(StoreError):
        read(store)


WHOLE = tarball([file_member(named(f"file-{number}"), bytes([number]) * 700) for number in range(4)])


@pytest.mark.parametrize("length", range(0, len(WHOLE), 7))
def test_a_tarball_that_was_cut_off_is_damaged(length: int) -> None:
    with pytest.raises(CorruptionError, match="is damaged"):
        read(store_with(WHOLE[:length]))


@pytest.mark.parametrize("place", range(0, len(WHOLE), 11))
def test_a_byte_that_changed_is_noticed(place: int) -> None:
    data = bytearray(WHOLE)
    data[place] ^= 0x10
    try:
        files, _ = read(store_with(bytes(data)))
    except CorruptionError:
        return
    # A few bits of gzip's header mean nothing.
    assert files == read(store_with(WHOLE))[0]


@pytest.mark.parametrize("blocks", range(1, 12))
def test_an_archive_that_stops_between_its_members_is_damaged(blocks: int) -> None:
    archive = gzip.decompress(WHOLE)
    with pytest.raises(CorruptionError):
        read(store_with(gzip.compress(archive[: 512 * blocks])))


def test_a_header_that_is_no_header_is_not_taken_for_the_end() -> None:
    archive = bytearray(gzip.decompress(WHOLE))
    archive[3 * 512 + 148] ^= 1  # in the checksum of a header
    with pytest.raises(CorruptionError):
        read(store_with(gzip.compress(bytes(archive))))


def test_a_header_of_gigabytes_takes_no_memory() -> None:
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 3 << 30
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as stream:
        stream.write(info.tobuf())
        for _ in range(64):
            stream.write(bytes(1 << 20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CorruptionError, match="longer than any real one"):
        read(store_with(packed.getvalue()))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024


def test_a_bomb_is_read_in_bounded_memory() -> None:
    packed = io.BytesIO()
    size_bytes = 256 << 20
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as stream:
        info = tarfile.TarInfo(named("bomb"))
        info.size = size_bytes
        stream.write(info.tobuf())
        for _ in range(size_bytes >> 20):
            stream.write(bytes(1 << 20))
        stream.write(bytes(1024))
    store = store_with(packed.getvalue())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with open_tarball(store, KEY, CHECKPOINT) as members:
        for member in members:
            assert isinstance(member, Member)
            total = sum(map(len, member.windows()))
    assert total == size_bytes
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024


def test_a_member_that_claims_a_negative_length_ends_the_reading() -> None:
    info = tarfile.TarInfo(named("back"))
    info.size = 0
    header = bytearray(info.tobuf())
    header[124:136] = b"\xff" * 10 + (-1024 & 0xFFFF).to_bytes(2, "big")
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    with pytest.raises(CorruptionError):
        read(store_with(gzip.compress(bytes(512 * 4).join([bytes(header), bytes(1024)]))))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_no_archive_does_anything_but_be_read_or_be_damaged(data: st.DataObject) -> None:
    archive = bytearray(gzip.decompress(WHOLE))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(archive) - 1))
        patch = data.draw(st.binary(min_size=1, max_size=12))
        archive[place : place + len(patch)] = patch
    try:
        files, _ = read(store_with(gzip.compress(bytes(archive), compresslevel=1)))
    except CorruptionError:
        return
    assert not any(path.startswith("/") or ".." in Path(path).parts for path in files)


def test_what_comes_before_a_damage_is_given_out_before_it_is_noticed() -> None:
    with open_tarball(store_with(WHOLE[:-9]), KEY, CHECKPOINT) as members:
        assert [one.path for one in itertools.islice(members, 2)] == ["file-0", "file-1"]
        with pytest.raises(EOFError):
            list(members)
