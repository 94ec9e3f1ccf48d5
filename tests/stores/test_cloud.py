"""Buckets, on servers that run on this machine."""

from __future__ import annotations

import hashlib
import itertools
import math
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import keepsake
from keepsake.errors import ConfigError, NotFoundError, PermissionDeniedError, StoreError
from keepsake.stores._bucketoptions import check_options
from keepsake.stores.base import Store, concurrency_of
from keepsake.stores.cloud import CloudStore, choose_concurrency
from keepsake.stores.url import open_store
from keepsake.testing import StoreTests
from tests.bucket.conftest import configure
from tests.servers.amazon import run_amazon
from tests.servers.fault_proxy import FaultProxy
from tests.servers.seaweedfs import READER_KEY, READER_SECRET, S3Server
from tests.servers.unordered import run_unordered_s3


class TestS3(StoreTests):
    @pytest.fixture
    def store(self, s3_server: S3Server, s3_url: str) -> Store:
        return open_store(s3_url, s3_server.options)


_places = itertools.count()


class TestAnotherS3(StoreTests):
    @pytest.fixture
    def store(self, moto: S3Server) -> Store:
        return open_store(f"s3://tests/{next(_places)}", moto.options)


class TestWeakS3(StoreTests):
    """A server that ignores conditions and ranges, over a directory; see `docs/consistency.md`."""

    test_create_writes_only_when_there_is_nothing = None  # type: ignore[assignment]
    test_of_many_creating_threads_exactly_one_wins = None  # type: ignore[assignment]
    test_the_beginning_of_a_key_is_no_object = None  # type: ignore[assignment]

    @pytest.fixture
    def store(self, rclone: S3Server) -> Store:
        return open_store(f"s3://tests/{next(_places)}", rclone.options)


class TestAzure(StoreTests):
    @pytest.fixture
    def store(self, azurite: dict[str, object]) -> Store:
        return open_store(f"az://tests/{next(_places)}", azurite)


class TestGoogle(StoreTests):
    @pytest.fixture
    def store(self, gcs: dict[str, object]) -> Store:
        return open_store(f"gs://tests/{next(_places)}", gcs)


@pytest.mark.parametrize(("scheme", "server"), [("az", "azurite"), ("gs", "gcs")])
def test_a_repository_on_another_cloud(
    scheme: str, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    configure(tmp_path, f"{scheme}://tests/{next(_places)}", request.getfixturevalue(server))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights").write_bytes(b"weights" * 1000)
    experiment = keepsake.init(params={"rate": 0.1})
    experiment.checkpoint(path="weights", metrics={"loss": 1.0})
    experiment.stop()
    (found,) = keepsake.experiments.list(filter="loss = 1")
    assert found.checkpoints[0].open("weights").read() == b"weights" * 1000
    assert keepsake.Project().check().problems == []
    found.delete()
    assert list(keepsake.experiments.list()) == []


def test_the_root_of_a_store_is_a_path_in_its_bucket(s3_server: S3Server, s3_url: str) -> None:
    open_store(f"{s3_url}/inner", s3_server.options).put("a/object", b"content")
    assert [info.key for info in open_store(s3_url, s3_server.options).list()] == ["inner/a/object"]
    assert list(open_store(f"{s3_url}/inn", s3_server.options).list()) == []


OPERATIONS: list[Callable[[Store], object]] = [
    lambda store: store.get("repository.json"),
    lambda store: store.create("repository.json", b"{}"),
    lambda store: store.put("repository.json", b"{}"),
    lambda store: list(store.list()),
]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("changed", "name"),
    [({"access_key_id": "unknown"}, "InvalidAccessKeyId"), ({"secret_access_key": "not-it"}, "SignatureDoesNotMatch")],
)
def test_wrong_keys_are_refused_with_a_hint_and_not_shown(
    s3_server: S3Server, s3_url: str, changed: dict[str, object], name: str, operation: Callable[[Store], object]
) -> None:
    options = s3_server.options | changed
    with pytest.raises(PermissionDeniedError, match=name) as caught:
        operation(open_store(s3_url, options))
    assert caught.value.hint
    assert caught.value.__cause__ is None
    assert str(options["secret_access_key"]) not in str(caught.value) + repr(caught.value)


def test_a_deletion_that_is_refused_is_explained_like_anything_else(s3_server: S3Server, s3_url: str) -> None:
    reader = {"access_key_id": READER_KEY, "secret_access_key": READER_SECRET}
    with pytest.raises(PermissionDeniedError) as caught:
        open_store(s3_url, s3_server.options | reader).delete("heartbeats/x.json")
    assert caught.value.message == f"cannot write heartbeats/x.json in {s3_url}: AccessDenied: Access Denied."
    assert "permissions" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("code", "is_transient"), [("SlowDown", True), ("InternalError", True), ("MethodNotAllowed", False)]
)
def test_what_a_server_says_of_one_deletion_is_read_and_its_entities_are_decoded(
    code: str, is_transient: bool, s3_server: S3Server, s3_url: str
) -> None:
    said = f"<Code>{code}</Code><Message>it isn&#39;t &lt;possible&gt;</Message>"
    with FaultProxy(s3_server.endpoint) as proxy:
        store = CloudStore("s3", "bucket", "", check_options("s3", s3_server.options | {"endpoint": proxy.endpoint}))
        proxy.refusal = (200, f"<DeleteResult><Error><Key>a/b</Key>{said}</Error></DeleteResult>".encode())
        with pytest.raises(StoreError) as deleting:
            store.delete("a/b")
        proxy.refusal = (400, f"<Error>{said}</Error>".encode())
        with pytest.raises(StoreError) as reading:
            store.get("a/b")
    assert deleting.value.message == f"cannot write a/b in s3://bucket: {code}: it isn't <possible>"
    assert reading.value.message == f"cannot read a/b in s3://bucket: {code}: it isn't <possible>"
    assert deleting.value.transient == is_transient


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_missing_bucket_is_an_error_that_says_how_to_make_it(
    s3_server: S3Server, operation: Callable[[Store], object]
) -> None:
    with pytest.raises(StoreError, match="there is no bucket s3://missing") as caught:
        operation(open_store("s3://missing/path", s3_server.options))
    assert "aws s3 mb s3://missing" in str(caught.value.hint)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_unreachable_server_is_an_error_within_seconds(operation: Callable[[Store], object]) -> None:
    options = {"endpoint": "http://127.0.0.1:9", "access_key_id": "a", "secret_access_key": "topsecret"}
    started = time.monotonic()
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        operation(open_store("s3://bucket", options))
    assert caught.value.transient
    assert time.monotonic() - started < 15


@pytest.mark.parametrize("scheme", ["s3", "gs", "az"])
def test_an_unknown_option_is_refused_with_those_that_are_known(scheme: str) -> None:
    with pytest.raises(ConfigError, match="colour") as caught:
        open_store(f"{scheme}://bucket", {"colour": "topsecret"})
    assert "endpoint" in str(caught.value.hint)
    assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize(
    "options", [{"concurrency": 0}, {"concurrency": 1.5}, {"upload_mb_s": -1}, {"upload_mb_s": "9"}]
)
def test_a_transfer_option_that_makes_no_sense_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(options))):
        open_store("s3://bucket", options)


def test_transfer_options_are_heeded(s3_server: S3Server, s3_url: str) -> None:
    store = open_store(s3_url, s3_server.options | {"concurrency": 3, "upload_mb_s": 0.5})
    assert concurrency_of(store) == 3
    started = time.monotonic()
    for number in range(3):
        store.put(f"a/{number}", bytes(100_000))
    assert time.monotonic() - started > 0.35


def test_the_longer_answers_take_the_more_requests_are_under_way_at_once(s3_server: S3Server, s3_url: str) -> None:
    open_store(s3_url, s3_server.options).put("a/object", b"content")
    with FaultProxy(str(s3_server.options["endpoint"])) as proxy:
        proxy.latency_s = 0.06
        far = open_store(s3_url, s3_server.options | {"endpoint": proxy.endpoint})
        far.get("a/object")
        far.get("a/object")
        assert concurrency_of(far) == 16
    lines = [(math.inf, 2), (0.05, 2), (0.012, 2), (0.001, 2), (0.001, 8), (0.001, 64)]
    assert [choose_concurrency(latency_s, processors) for latency_s, processors in lines] == [16, 16, 7, 4, 8, 16]


@pytest.mark.parametrize("url", ["s3://", "s3:///path", "gs://bucket/../x", "az://b/a//b", "s3://b/a?x=1", "s3://-b"])
def test_a_url_without_a_bucket_or_with_a_strange_path_is_refused(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_store(url)
    assert caught.value.hint


_FORKING = """
import os, sys
from keepsake.errors import StoreError
from keepsake.stores.url import open_store
options = {name: value for name, value in zip(sys.argv[2::2], sys.argv[3::2])} | {"path_style": True}
store = open_store(sys.argv[1], options)
store.put("a/object", b"content")
child = os.fork()
if child == 0:
    for used in (store, open_store(sys.argv[1], options)):
        try:
            used.get("a/object")
        except StoreError as error:
            print(error)
            continue
        os._exit(1)
    sys.stdout.flush()
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_child_gets_an_error_and_does_not_hang(s3_server: S3Server, s3_url: str) -> None:
    texts = [text for pair in s3_server.options.items() if isinstance(pair[1], str) for text in map(str, pair)]
    done = subprocess.run(
        [sys.executable, "-c", _FORKING, s3_url, *texts], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("forked process") == 2
    assert "spawn" in done.stdout


def test_a_server_that_an_authority_of_ones_own_vouches_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with run_amazon(tmp_path) as amazon:
        CloudStore("s3", "ours", "", check_options("s3", amazon.server.options)).create_bucket()
        for name, value in amazon.environment.items():
            monkeypatch.setenv(name, value)
        # Amazon's own address, encrypted, through a proxy.
        open_store("s3://ours/path").put("a/object", b"content")
        assert open_store("s3://ours/path", amazon.server.options).get("a/object") == b"content"
        monkeypatch.delenv("AWS_CA_BUNDLE")
        bundle = {"ca_bundle": amazon.environment["AWS_CA_BUNDLE"]}
        assert open_store("s3://ours/path", bundle).get("a/object") == b"content"
        with pytest.raises(StoreError, match="cannot be reached"):
            open_store("s3://ours/path").get("a/object")
    with pytest.raises(ConfigError, match="certificates nowhere") as caught:
        open_store("s3://ours", {"ca_bundle": "nowhere"}).head("a/object")
    assert "ca_bundle" in str(caught.value.hint)


def test_all_that_is_read_one_after_another_comes_through_one_connection(s3_server: S3Server, s3_url: str) -> None:
    open_store(s3_url, s3_server.options).put("a/object", b"content")
    with FaultProxy(str(s3_server.options["endpoint"])) as proxy:
        store = open_store(s3_url, s3_server.options | {"endpoint": proxy.endpoint})
        reads: list[Callable[[], object]] = [
            lambda: store.get("a/object"),
            lambda: store.get_range("a/object", 1, 3),
            lambda: store.head("a/object"),
            lambda: [*store.list("a/")],
            lambda: store.delete("a/object"),
        ]
        for read in reads:
            read()
            time.sleep(0.1)  # until the client has taken the connection back
    assert len(proxy.requests) == 5
    assert proxy.connections == 1


def _put_each(store: Store, keys: list[str]) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda key: store.put(key, b"x"), keys))


def _spread_keys(directory: str, count: int) -> list[str]:
    digests = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(count)]
    return [f"{directory}/{digest[:2]}/{digest}" for digest in digests]


@pytest.mark.parametrize(
    ("keys", "most_requests"),
    [
        (_spread_keys("many", 900), 1 + 14),
        (_spread_keys("many", 250), 1 + 5),
        (_spread_keys("many", 99), 1),
        ([f"many/{number}" for number in range(200)], 1),
        ([f"many/{number % 30:02}/{number}" for number in range(200)], 1),
    ],
    ids=["many", "a few", "one page", "no directories", "other names"],
)
def test_a_long_listing_goes_by_ranges_and_lists_each_object_once(
    keys: list[str], most_requests: int, s3_server: S3Server, s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put_each(open_store(s3_url, s3_server.options), [*keys, "many-others", "another/object"])
    monkeypatch.setattr("keepsake.stores._cloudlisting.PAGE_OBJECTS", 100)
    with FaultProxy(s3_server.endpoint) as proxy:
        store = open_store(s3_url, s3_server.options | {"endpoint": proxy.endpoint})
        assert sorted(info.key for info in store.list("many/")) == sorted(keys)
        starts = ["start-after" in one.path for one in proxy.requests]
        assert any(starts) == (most_requests > 1)
        assert len(starts) <= most_requests
        # The server sends more in one answer than is looked at as a page.
        assert all("max-keys" not in one.path for one in proxy.requests)


def test_a_server_that_knows_no_start_is_listed_page_by_page(
    gcs: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, keys = open_store(f"gs://tests/{next(_places)}", gcs), _spread_keys("many", 400)
    _put_each(store, keys)
    monkeypatch.setattr("keepsake.stores._cloudlisting.PAGE_OBJECTS", 100)
    assert sorted(info.key for info in store.list("many/")) == sorted(keys)


def test_a_server_that_knows_no_order_is_listed_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = sorted(_spread_keys("many", 60))
    parts = [keys[20:30], keys[:20], keys[30:]]  # each in order
    monkeypatch.setattr("keepsake.stores._cloudlisting.PAGE_OBJECTS", 10)
    with run_unordered_s3(parts) as endpoint:
        options = {"endpoint": endpoint, "anonymous": True, "region": "us-east-1", "path_style": True}
        listed = [info.key for info in open_store("s3://bucket", options).list("many/")]
    assert sorted(listed) == keys


def test_what_is_there_all_along_is_listed_once_while_others_come_and_go(
    s3_server: S3Server, s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = _spread_keys("many", 900)
    store = open_store(s3_url, s3_server.options)
    stable, fleeting = keys[:700], keys[700:]
    _put_each(store, stable)
    monkeypatch.setattr("keepsake.stores._cloudlisting.PAGE_OBJECTS", 100)
    ended = threading.Event()

    def come_and_go(keys: list[str]) -> None:
        for key in itertools.cycle(keys):
            store.put(key, b"x")
            store.delete(key)
            if ended.is_set():
                return

    with ThreadPoolExecutor(4) as pool:
        changing = [pool.submit(come_and_go, fleeting[number::4]) for number in range(4)]
        try:
            for _ in range(10):
                listed = Counter(info.key for info in store.list("many/"))
                assert {*stable} <= {*listed} <= {*keys}
                assert set(listed.values()) == {1}
        finally:
            ended.set()
    assert not any(future.exception() for future in changing)


def test_a_long_listing_that_fails_in_a_range_fails(
    s3_server: S3Server, s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put_each(open_store(s3_url, s3_server.options), _spread_keys("many", 400))
    monkeypatch.setattr("keepsake.stores._cloudlisting.PAGE_OBJECTS", 100)
    with FaultProxy(s3_server.endpoint) as proxy:
        proxy.fault, proxy.strikes = "500", lambda request: "%2Fb" in request.path.partition("start-after")[2]
        with pytest.raises(StoreError):
            list(open_store(s3_url, s3_server.options | {"endpoint": proxy.endpoint}).list("many/"))
        assert proxy.struck


def test_local_use_does_not_load_the_client() -> None:
    code = (
        "import sys, keepsake; from keepsake.stores.url import open_store; open_store('file:///data/x');"
        "assert 'obstore' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)


def test_an_absent_object_is_no_missing_bucket(s3_server: S3Server, s3_url: str) -> None:
    with pytest.raises(NotFoundError, match="there is no object"):
        open_store(s3_url, s3_server.options).get("a/absent")


@pytest.mark.parametrize("endpoint", ["not a url", "ftp://host", "https://user:topsecret@host", "http://"])
def test_an_endpoint_that_is_no_address_is_refused_and_not_shown(endpoint: str) -> None:
    with pytest.raises(ConfigError, match="endpoint") as caught:
        open_store("s3://bucket", {"endpoint": endpoint})
    assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        ("gs", {"endpoint": "http://127.0.0.1:9", "anonymous": True}),
        ("az", {"account": "team", "endpoint": "http://127.0.0.1:9", "anonymous": True}),
        ("az", {"account": "team", "endpoint": "http://127.0.0.1:9", "account_key": "c2VjcmV0"}),
        ("az", {"account": "team", "endpoint": "http://127.0.0.1:9", "sas_token": "sv=1&sig=c2VjcmV0"}),
        ("s3", {"region": "eu-central-1", "endpoint": "http://127.0.0.1:9", "anonymous": True, "path_style": False}),
        ("s3", {"endpoint": "http://127.0.0.1:9", "access_key_id": "a", "secret_access_key": "c2VjcmV0"}),
    ],
)
def test_the_client_takes_our_options_and_no_secret_of_theirs_gets_into_a_message(
    options: tuple[str, dict[str, object]],
) -> None:
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        open_store(f"{options[0]}://bucket/path", options[1]).head("a/object")
    assert caught.value.transient
    assert "c2VjcmV0" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_account_of_azure_that_nobody_named_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(ConfigError, match="Account must be specified"):
        open_store("az://container").head("a/object")
