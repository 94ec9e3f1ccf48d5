"""What a cloud's client reports, as errors of ours: which object in which bucket, what was refused, what to do next.

The client's own texts hold whole requests, in which there may be signatures and tokens, so no more of them is shown
than the code and the message of the server's answer, and the exception itself is not kept as a cause.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape

from keepsake.errors import NotFoundError, PermissionDeniedError, ReadError, StoreError, WriteError

_IN_BULK = r"DeleteObjects request failed for key [^:\n]{1,1024}: "
"""What the client makes of a part of an answer to a deletion: message and code without their tags."""
_CODE = re.compile(
    rf"<Code>\s*([\w.]{{1,80}})\s*</Code>|\"code\":\s*\"?(\w{{1,80}})|{_IN_BULK}.*\(code: (\w{{1,80}})\)"
)
_MESSAGE = re.compile(rf"<Message>\s*([^<]{{1,300}})|{_IN_BULK}(.{{1,300}}?) \(code: ", re.DOTALL)
_STATUS = re.compile(r"\b(?:status(?: code)?:?|response error \"|Server returned non-2xx status code:)\s*([1-5]\d\d)\b")
_QUERY = re.compile(r"\?[^\s\"'<>]+")

_NO_BUCKET = re.compile(r"NoSuchBucket|ContainerNotFound|specified (?:bucket|container) does not exist", re.IGNORECASE)
_ABSENT = frozenset({"NotFoundError", "FileNotFoundError"})
_REFUSED = frozenset({"PermissionDeniedError", "UnauthenticatedError", "PermissionError"})
_REFUSING_CODES = frozenset({"AccessDenied", "ExpiredToken", "InvalidToken", "TokenRefreshRequired", "RequestExpired"})

_CREDENTIALS = "check the credentials in use; docs/clouds.md says where they are looked for"
_MAY_NOT = "these credentials may not do this: docs/clouds.md has the permissions that are needed"
_AZURE_KEY = (
    "the key or token is wrong or has expired, or the account lets nobody in from this network: check the credentials "
    "in use"
)
_AZURE_LOGIN = "install the `az` command and sign in with `az login`, or leave `azure_cli` out"
_OTHER_SERVER = "check the address given as `endpoint`: what answers there knows no such place"
_OTHER_REGION = "the bucket is in another region: write it to repository_options as `region`"
_ALLOW_HTTP = "write it to repository_options as `endpoint`, if requests are to be sent without encryption"
_PASSING = "this mostly passes, and while experiments run it is tried again by itself"
_CHECK_NETWORK = (
    "check the network, and the address if you gave one as `endpoint`; while experiments run it is tried again"
)
_HINTS = {
    "InvalidAccessKeyId": "the server does not know this access key: check the credentials in use",
    "SignatureDoesNotMatch": "the secret key does not belong to the access key: check the credentials in use",
    "ExpiredToken": "the session token has expired: sign in again (`aws sso login`), then try again",
    "InvalidToken": "the session token is not valid: sign in again (`aws sso login`), then try again",
    "AccessDenied": _MAY_NOT,
    "AuthorizationPermissionMismatch": _MAY_NOT,
    "AuthenticationFailed": _AZURE_KEY,
    "AuthorizationFailure": _AZURE_KEY,
    "AuthorizationHeaderMalformed": _OTHER_REGION,
    "PermanentRedirect": _OTHER_REGION,
    "IllegalLocationConstraintException": "write the bucket's region to repository_options as `region`",
    "RequestTimeTooSkewed": "the clock of this machine is wrong: set it",
    "SlowDown": "the server asks for fewer requests: set `concurrency` in repository_options lower; it is tried again",
}
_PASSING_CODES = frozenset({"SlowDown", "InternalError", "ServiceUnavailable"})
_PERMANENT_CODES = frozenset(_HINTS) - _PASSING_CODES

_METADATA = re.compile(r"169\.254\.169\.254|metadata\.google\.internal")
_NO_LOGIN = "az account get-access-token"
"""The command that the client asks for a token, when it gives none."""
_CLIENT_PREFIX = re.compile(r"^Generic \w+ error: ")
_PROVIDER = "External AWS credential provider"
"""What the client calls ours, whose text follows."""
_HOST = re.compile(r"https?://([^/?\s]+)")
_BARE_REDIRECT = "redirect without LOCATION"
"""What the client says of an answer from the region that the bucket is not in."""
_NOT_ENCRYPTED = "HTTP error: builder error"
"""What it says of an address with `http://` that it may not use."""
_CONNECTION = re.compile(r"connect|dns|timed out|timeout|connection|sending request|incomplete|body", re.IGNORECASE)


class CloudErrors:
    """Translates the errors of one bucket's client.

    Args:
        url: the store, for messages.
        bucket: scheme and bucket, for messages.
        create_hint: how a bucket is made that is missing.
        secrets: values that must not be shown.
    """

    def __init__(self, url: str, bucket: str, create_hint: str, secrets: Sequence[str]) -> None:
        self._url = url
        self._bucket = bucket
        self._create_hint = create_hint
        self._secrets = tuple(secrets)

    def absent(self, key: str) -> NotFoundError:
        """Return the error for an object that is not there."""
        return NotFoundError(f"there is no object {key} in {self._url}")

    def missing_bucket(self) -> StoreError:
        """Return the error for a bucket that is not there."""
        return StoreError(f"there is no bucket {self._bucket}", hint=self._create_hint)

    def reading(self, error: Exception, key: str) -> NotFoundError | StoreError:
        """Translate what went wrong when `key` was read, or with no key, when the bucket was listed."""
        if type(error).__name__ in _ABSENT and not _NO_BUCKET.search(str(error)):
            return self.absent(key) if key else self.missing_bucket()
        return self._translate(ReadError, f"cannot read {key or 'the listing'} in {self._url}", error)

    def writing(self, error: Exception, key: str) -> StoreError:
        """Translate what went wrong when `key` was written or deleted."""
        if type(error).__name__ in _ABSENT:  # nothing else can be missing when an object is written
            return self.missing_bucket()
        return self._translate(WriteError, f"cannot write {key} in {self._url}", error)

    def explain(self, error: Exception) -> str:
        """Return what is wrong with the settings that the client refused."""
        text = str(error).partition("\n\nDebug source:")[0]
        return self._describe(text, _code(text))

    def _translate(self, kind: type[StoreError], what: str, error: Exception) -> StoreError:
        text = str(error).partition("\n\nDebug source:")[0]
        if _NO_BUCKET.search(text):
            return self.missing_bucket()
        code = _code(text)
        hint = _HINTS.get(code)
        if _PROVIDER in text:
            said = text.partition(f"{_PROVIDER}: ")[2].partition(": ")[2].splitlines()
            return PermissionDeniedError(
                f"{what}: {said[0] if said else 'no credentials were found'}", hint=_CREDENTIALS
            )
        if _NO_LOGIN in text:
            return PermissionDeniedError(f"{what}: `az login` gives no credentials", hint=_AZURE_LOGIN)
        if _METADATA.search(text):
            return PermissionDeniedError(f"{what}: no credentials were found", hint=_CREDENTIALS)
        if _BARE_REDIRECT in text:
            return kind(f"{what}: the bucket is not in the region that was asked", hint=_OTHER_REGION)
        if _NOT_ENCRYPTED in text:
            return kind(f"{what}: the server's address begins with http://", hint=_ALLOW_HTTP)
        message = f"{what}: {self._describe(text, code)}"
        if type(error).__name__ in _REFUSED or code in _REFUSING_CODES or _status(text) in (401, 403):
            return PermissionDeniedError(message, hint=hint or _CREDENTIALS)
        is_transient = code not in _PERMANENT_CODES and _may_pass(text)
        if _status(text) == 404 and not code:
            hint = _OTHER_SERVER
        if is_transient and hint is None:
            hint = _PASSING if _status(text) else _CHECK_NETWORK
        return kind(message, hint=hint, transient=is_transient)

    def _describe(self, text: str, code: str) -> str:
        said = _MESSAGE.search(text)
        if code or said:
            # Azure goes on with numbers and times, on lines of their own.
            message = unescape((said[1] or said[2]).strip().splitlines()[0]) if said else ""
            return self._mask(": ".join(part for part in (code, message) if part))
        status = _status(text)
        if status:
            return f"the server answered {status}"
        if _CONNECTION.search(text):
            host = _HOST.search(text)
            server = f"the server {host[1]}" if host else "the server"
            return f"{server} did not answer in time" if "timed out" in text else f"{server} cannot be reached"
        text = _CLIENT_PREFIX.sub("", text.strip())
        return self._mask(_QUERY.sub("?…", text.splitlines()[0][:300] if text else "unknown error"))

    def _mask(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _code(text: str) -> str:
    found = _CODE.search(text)
    return str(found[found.lastindex or 0]) if found else ""


def _status(text: str) -> int:
    found = _STATUS.search(text)
    return int(found[1]) if found else 0


def _may_pass(text: str) -> bool:
    status = _status(text)
    if status:
        return status >= 500 or status in (408, 409, 425, 429)
    return bool(_CONNECTION.search(text) or _code(text) in _PASSING_CODES)
