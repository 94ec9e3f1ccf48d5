"""Making a bucket of S3 with one signed request."""

from __future__ import annotations

import re
import urllib.error
import urllib.request

from keepsake.errors import ConflictError, StoreError

_TIMEOUT_S = 30
_CODE = re.compile(rb"<Code>(\w+)</Code>")
_IMPLIED_REGION = "us-east-1"
"""The one region that must not be named (AWS, "CreateBucket")."""


def send_create_bucket(signed_url: str, bucket: str, region: str) -> None:
    """Send the request; a bucket that is ours already is no error.

    Args:
        signed_url: of a PUT to the bucket itself; it holds a signature and is shown to nobody.
        bucket: with its scheme, for messages.
        region: where the bucket is to be.

    Raises:
        ConflictError: somebody else has a bucket of this name.
        StoreError: it was refused, or the server cannot be reached.
    """
    body = b""
    if region != _IMPLIED_REGION:
        configuration = f"<LocationConstraint>{region}</LocationConstraint>"
        body = f"<CreateBucketConfiguration>{configuration}</CreateBucketConfiguration>".encode()
    request = urllib.request.Request(signed_url, data=body, method="PUT")  # noqa: S310 (of the client's endpoint)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
            answer.read()
    except urllib.error.HTTPError as error:
        with error:
            found = _CODE.search(error.read())
        code = found[1].decode() if found else f"the server answered {error.code}"
        if code == "BucketAlreadyOwnedByYou":
            return
        if code == "BucketAlreadyExists":
            raise ConflictError(f"{bucket} exists and belongs to somebody else", hint="choose another name") from None
        raise StoreError(
            f"cannot make the bucket {bucket}: {code}", hint="make it with the cloud's own tools"
        ) from None
    except OSError:
        raise StoreError(f"cannot make the bucket {bucket}: the server cannot be reached", transient=True) from None
