"""Buckets: Amazon S3 and what speaks its protocol, Google Cloud Storage, Azure Blob Storage, through obstore.

The client tries again only what can be repeated without a doubt; a `create` is sent once, since its repetition would
meet its own object. Trying again for longer is the business of a `RetryStore` around this.

Listings ask the server for whole directories and select here, because the client knows no other prefixes. Times are
those of the server in whole seconds: more than that, servers say only in listings.

The client lives in threads that a forked child does not have, and waits for them for ever. So in a child of a process
that had used it, every operation raises at once.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from keepsake.errors import ConfigError, ForkedProcessError, NotFoundError, StoreError
from keepsake.stores._bucketoptions import BucketOptions
from keepsake.stores._cloudbodies import read_body
from keepsake.stores._clouderrors import CloudErrors
from keepsake.stores._cloudlisting import list_pages
from keepsake.stores.base import Data, ObjectInfo, buffers_of, check_key, check_range, is_key

if TYPE_CHECKING:
    from keepsake.stores._s3credentials import ProfileCredentials

_CREATE_HINTS = {
    "s3": "make it: aws s3 mb s3://{bucket}, or `keepsake init --create-bucket`",
    "gs": "make it: gcloud storage buckets create gs://{bucket}",
    "az": "make it: az storage container create --name {bucket} --account-name ACCOUNT",
}

_CONNECT_TIMEOUT_S = 3
_REQUEST_TIMEOUT_S = 10
_SILENCE_TIMEOUT_S = 15
"""A read is given up when nothing has come for so long, however much there is to come."""
_SLOWEST_BYTES_PER_S = 128 * 1024
"""A connection may be this slow before a request is given up and tried again."""
_SMALL_BYTES = 1 << 20
"""Writes up to this size share one client; beyond it there is one for each power of two."""
_LARGEST_READ_BYTES = 32 << 20
"""Twice the largest chunk: what a read whose size is not known may take time for."""
_MULTIPART_BYTES = 64 << 20
"""From this size an object is put in parts."""

MOST_CONCURRENCY = 16
"""So many requests under way at once hide a latency of 50 ms behind the transfer of chunks at 1 GB/s."""
_LEAST_CONCURRENCY = 4
_CHUNK_S = 0.004
"""What the transfer of a chunk takes at that rate."""

_LISTS_AT_ONCE = 4
"""So many ranges are listed at once for each request that is to be under way: they are mostly latency."""
_START_ANYWHERE = ("s3", "gs")
"""Services that list from a given key on, as S3's `start-after` does."""

_FAILURES = (BaseError, OSError)
"""What the client raises: absent objects and refusals are its own classes or Python's, by its version."""

_WHOLE_INSTEAD = "non-partial response"
"""What the client says of a server that knows no ranges and sends the whole object (rclone does)."""

_making = threading.Lock()
"""Held while a client is made: 10 ms of work, which threads that begin together need not all do."""

_used_in_process = 0
"""The process that has used the client, and 0 when none has."""


class CloudStore:
    """A store in a bucket.

    Args:
        scheme: `s3`, `gs` or `az`.
        bucket: the bucket, or container.
        root: what stands before every key, without `/` at its ends; nothing for the whole bucket.
        options: checked options.
    """

    def __init__(self, scheme: str, bucket: str, root: str, options: BucketOptions) -> None:
        self._scheme = scheme
        self._bucket = bucket
        self._before = f"{root}/" if root else ""
        self._options = options
        self._url = f"{scheme}://{bucket}/{root}" if root else f"{scheme}://{bucket}"
        hint = _CREATE_HINTS[scheme].format(bucket=bucket)
        self._errors = CloudErrors(self._url, f"{scheme}://{bucket}", hint, options.secrets)
        self._clients: dict[tuple[int, bool], Any] = {}
        self._reader: Any = None
        self._latency_s = math.inf
        """How long an answer takes to begin, at the least: the first one had a connection to make."""
        self._credentials: ProfileCredentials | None = None

    def __repr__(self) -> str:
        return f"CloudStore({self._url!r})"

    @property
    def url(self) -> str:
        """Where this is, without credentials."""
        return self._url

    def choose_concurrency(self) -> int:
        """Return how many requests to have under way at once: what the options say, else what the line asks for."""
        return self._options.concurrency or choose_concurrency(self._latency_s, os.cpu_count() or 1)

    def get(self, key: str) -> bytes:
        """Return the object. Raises `NotFoundError` when there is none."""
        check_key(key)
        client = self._reading_client()
        try:
            begun_s = time.perf_counter()
            found = obstore.get(client, self._before + key)
            self._latency_s = min(self._latency_s, time.perf_counter() - begun_s)
            return read_body(found)
        except _FAILURES as error:
            raise self._errors.reading(error, key) from None

    def get_range(self, key: str, start: int, stop: int) -> bytes:
        """Return bytes `start` to `stop` (exclusive) of the object, fewer where it ends before `stop`."""
        check_key(key)
        check_range(start, stop)
        if start < stop:
            client = self._reading_client()
            try:
                return bytes(obstore.get_range(client, self._before + key, start=start, end=min(stop, 1 << 62)))
            except _FAILURES as error:
                if _WHOLE_INSTEAD in str(error):
                    return self.get(key)[start:stop]
                trouble = self._errors.reading(error, key)
                if isinstance(trouble, NotFoundError) or trouble.transient:
                    raise trouble from None
        else:
            trouble = None
        # Nothing was asked for, or what a server refuses: a range that begins where the object has ended.
        info = self.head(key)
        if info is None:
            raise self._errors.absent(key)
        if trouble is not None and start < info.size_bytes:
            raise trouble
        return b""

    def put(self, key: str, data: Data, *, durable: bool = False) -> None:  # noqa: ARG002 (all is, once acknowledged)
        """Write the object, replacing any other, atomically."""
        check_key(key)
        content = _join(data)
        client = self._writing_client(len(content))
        try:
            obstore.put(client, self._before + key, content, use_multipart=len(content) >= _MULTIPART_BYTES)
        except _FAILURES as error:
            raise self._errors.writing(error, key) from None

    def create(self, key: str, data: Data, *, durable: bool = False) -> bool:  # noqa: ARG002 (as above)
        """Write the object unless there is one; say whether it was written. Of several creators, one wins."""
        check_key(key)
        content = _join(data)
        client = self._writing_client(len(content), repeats=False)
        try:
            obstore.put(client, self._before + key, content, mode="create", use_multipart=False)
        except AlreadyExistsError:
            # Also the answer while another creator is at work, who may yet fail.
            if self.head(key) is None:
                raise StoreError(
                    f"cannot write {key} in {self._url}: others were writing it", hint="try again", transient=True
                ) from None
            return False
        except _FAILURES as error:
            raise self._errors.writing(error, key) from None
        return True

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield every object whose key starts with `prefix` (any string), in no promised order."""
        directory = prefix.rpartition("/")[0]
        if directory and not is_key(directory):
            return
        if prefix.startswith("/"):
            return
        asked = (self._before + directory).rstrip("/")
        client = self._reading_client()
        try:
            threads = _LISTS_AT_ONCE * self.choose_concurrency()
            starts_anywhere = self._scheme in _START_ANYWHERE
            for page in list_pages(client, asked, threads=threads, can_start_anywhere=starts_anywhere):
                for meta in page:
                    key = meta["path"].removeprefix(self._before)
                    if key.startswith(prefix):
                        yield _info(key, meta)
        except _FAILURES as error:
            raise self._errors.reading(error, "") from None

    def head(self, key: str) -> ObjectInfo | None:
        """Describe the object, or return None when there is none."""
        check_key(key)
        client = self._reading_client()
        try:
            return _info(key, obstore.head(client, self._before + key))
        except FileNotFoundError:
            return None
        except _FAILURES as error:
            raise self._errors.reading(error, key) from None

    def delete(self, key: str) -> None:
        """Delete the object; an absent one is no error."""
        check_key(key)
        client = self._reading_client()
        try:
            obstore.delete(client, self._before + key)
        except FileNotFoundError:
            return
        except _FAILURES as error:
            raise self._errors.writing(error, key) from None

    def sync(self, keys: Iterable[str]) -> None:
        """Do nothing: what a bucket has acknowledged survives a power loss."""
        for key in keys:
            check_key(key)

    def create_bucket(self) -> None:
        """Make the bucket; one that is ours already is no error. It works on S3 only.

        It is a request to the bucket itself, which the client can sign though it cannot send it.

        Raises:
            ConflictError: somebody else has a bucket of this name.
            ConfigError: it is not on S3.
            StoreError: it was refused.
        """
        if self._scheme != "s3":
            raise ConfigError(
                f"keepsake cannot make buckets of {self._scheme}://",
                hint=_CREATE_HINTS[self._scheme].format(bucket=self._bucket),
            )
        from keepsake.stores._s3bucket import send_create_bucket

        client = self._reading_client()
        try:
            signed_url = obstore.sign(client, "PUT", "", timedelta(minutes=5))
        except _FAILURES as error:
            raise self._errors.writing(error, "the bucket") from None
        send_create_bucket(signed_url, f"s3://{self._bucket}", self._region(self._credentials))

    def _reading_client(self) -> Any:
        """Return the client of all that sends no data: a connection that one read has made serves the next."""
        self._check_process()
        if self._reader is None:
            with _making:
                if self._reader is None:
                    timeout_s = _timeout_s(_LARGEST_READ_BYTES)
                    self._reader = self._make_client(timeout_s, read_timeout=timedelta(seconds=_SILENCE_TIMEOUT_S))
        return self._reader

    def _writing_client(self, size_bytes: int, *, repeats: bool = True) -> Any:
        """Return the client whose time limit suits data of this size: while they are sent, nothing comes."""
        self._check_process()
        scale = max(size_bytes - 1, _SMALL_BYTES - 1).bit_length()
        with _making:
            client = self._clients.get((scale, repeats))
            if client is None:
                client = self._clients[scale, repeats] = self._make_client(_timeout_s(1 << scale), repeats=repeats)
        return client

    def _make_client(self, timeout_s: int, *, repeats: bool = True, **more_options: timedelta) -> Any:
        kind: Any = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}[self._scheme]
        provider = self._find_credentials()
        credentials = provider or self._options.credential_provider()
        config = self._options.client_config()
        if (
            provider is not None
            and "region" in provider.config
            and not {"AWS_REGION", "AWS_DEFAULT_REGION"} & {*os.environ}
        ):
            config = provider.config | config
        options: dict[str, Any] = {
            "connect_timeout": timedelta(seconds=_CONNECT_TIMEOUT_S),
            "timeout": timedelta(seconds=timeout_s),
            "allow_http": self._options.allows_http,
            **more_options,
        }
        if self._options.ca_bundle:
            options["root_certificate"] = _read_certificates(self._options.ca_bundle)
        try:
            return kind(
                self._bucket,
                config=config,
                client_options=options,
                retry_config={"max_retries": 1 if repeats else 0, "retry_timeout": timedelta(seconds=timeout_s)},
                **({"credential_provider": credentials} if credentials else {}),
            )
        except (*_FAILURES, ValueError) as error:
            raise ConfigError(
                f"the settings for {self._url} do not work: {self._errors.explain(error)}",
                hint="docs/clouds.md shows those that are needed",
            ) from None

    def _find_credentials(self) -> ProfileCredentials | None:
        """Return what gives the client credentials that it does not find by itself; all clients share it."""
        if self._credentials is None and self._scheme == "s3":
            from keepsake.stores._s3credentials import ProfileCredentials, find_profile

            profile = find_profile(self._options, os.environ)
            if profile is not None:
                self._credentials = ProfileCredentials(profile)
        return self._credentials

    def _region(self, provider: ProfileCredentials | None) -> str:
        """Return the region: what the options say, or variables, or the profile; as the client, else the first one."""
        named = (self._options.values.get("region"), os.environ.get("AWS_REGION"), os.environ.get("AWS_DEFAULT_REGION"))
        return str(next(filter(None, named), None) or (provider and provider.config.get("region")) or "us-east-1")

    def _check_process(self) -> None:
        global _used_in_process
        process = os.getpid()
        if _used_in_process not in (0, process):
            raise ForkedProcessError(
                f"{self._url} cannot be used in a forked process whose parent has used a bucket",
                hint="start processes with the method `spawn` or `forkserver`, as in "
                "multiprocessing.set_start_method('spawn')",
            )
        _used_in_process = process


def choose_concurrency(latency_s: float, processors: int) -> int:
    """Return how many requests to have under way at once, given how long an answer takes to begin.

    Each costs a thread and a connection with its handshake, so over a short line there are fewer: as many as there are
    processors to work on what comes, and what hides the latency.
    """
    needed = max(_LEAST_CONCURRENCY, processors) + latency_s / _CHUNK_S
    return int(min(needed, MOST_CONCURRENCY))


def _timeout_s(size_bytes: int) -> int:
    return _REQUEST_TIMEOUT_S + size_bytes // _SLOWEST_BYTES_PER_S


def _read_certificates(path: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except (OSError, RuntimeError) as error:
        raise ConfigError(
            f"the file of certificates {path} cannot be read: {error}",
            hint="it is named by `ca_bundle` in repository_options, or by AWS_CA_BUNDLE",
        ) from None


def _join(data: Data) -> bytes:
    buffers = buffers_of(data)
    return buffers[0] if len(buffers) == 1 and isinstance(buffers[0], bytes) else b"".join(buffers)


def _info(key: str, meta: Any) -> ObjectInfo:
    modified_ns = int(meta["last_modified"].timestamp()) * 10**9
    return ObjectInfo(key, meta["size"], modified_ns, (meta["e_tag"] or "").removeprefix("W/").strip('"'))
