"""Who we are on S3, where the client itself does not look: the profiles of `~/.aws`, single sign-on included.

The order is that of Amazon's own tools: what `repository_options` say, variables, then files, then roles. Variables and
roles are the client's business.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from keepsake.errors import ConfigError, PermissionDeniedError
from keepsake.stores._bucketoptions import BucketOptions

_ASKED_AGAIN_S = 300
"""The session refreshes what expires, well before it does; so often it is asked."""
_FILES = (("AWS_SHARED_CREDENTIALS_FILE", "credentials"), ("AWS_CONFIG_FILE", "config"))
_DEFAULT = re.compile(r"^\s*\[\s*(?:profile\s+)?default\s*\](.*?)(?=^\s*\[|\Z)", re.MULTILINE | re.DOTALL)
_GIVES_CREDENTIALS = re.compile(r"^\s*(?:aws_access_key_id|credential_process|sso_\w+|role_arn)\s*=", re.MULTILINE)


def find_profile(options: BucketOptions, env: Mapping[str, str]) -> str | None:
    """Return the profile of `~/.aws` that says who we are, or None when something else does."""
    values = options.values
    if values.get("profile"):
        return str(values["profile"])
    if values.get("anonymous") or values.get("access_key_id") or env.get("AWS_ACCESS_KEY_ID"):
        return None
    if env.get("AWS_PROFILE"):
        return env["AWS_PROFILE"]
    return "default" if any(_has_default(env, *names) for names in _FILES) else None


def _has_default(env: Mapping[str, str], variable: str, name: str) -> bool:
    """Say whether a file has a profile `default` that gives credentials."""
    path = Path(env.get(variable) or f"~/.aws/{name}")
    try:
        text = path.expanduser().read_text(encoding="utf-8", errors="replace")
    except (OSError, RuntimeError):
        return False
    found = _DEFAULT.search(text)
    return found is not None and _GIVES_CREDENTIALS.search(found[1]) is not None


class ProfileCredentials:
    """Gives the client the credentials of a profile, fresh ones whenever it asks.

    Args:
        profile: its name.

    Raises:
        ConfigError: boto3 is not installed, or there is no such profile.
        PermissionDeniedError: the profile gives no credentials now.
    """

    def __init__(self, profile: str) -> None:
        try:
            import boto3
        except ImportError:
            raise ConfigError(
                f"the profile {profile} of ~/.aws is read by boto3, which is not installed",
                hint="pip install 'keepsake[s3]'; or give the keys as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            ) from None
        from botocore.exceptions import BotoCoreError, ProfileNotFound

        self._failures = (BotoCoreError, ValueError)
        self._profile = profile
        try:
            session = boto3.Session(profile_name=profile)
        except ProfileNotFound:
            raise ConfigError(
                f"there is no profile {profile} in ~/.aws", hint="`aws configure list-profiles` shows those there are"
            ) from None
        self.config: dict[str, str] = {"region": session.region_name} if session.region_name else {}
        """What else the profile says; options and variables count more."""
        try:
            self._credentials = session.get_credentials()
        except self._failures as error:
            raise self._refusal(error) from None
        self()

    def __call__(self) -> dict[str, Any]:
        """Return credentials. Raises `PermissionDeniedError` when there are none."""
        try:
            found = self._credentials.get_frozen_credentials() if self._credentials is not None else None
        except self._failures as error:
            raise self._refusal(error) from None
        if found is None or not found.access_key or not found.secret_key:
            raise self._refusal(None)
        return {
            "access_key_id": found.access_key,
            "secret_access_key": found.secret_key,
            "token": found.token,
            "expires_at": datetime.now(timezone.utc) + timedelta(seconds=_ASKED_AGAIN_S),
        }

    def _refusal(self, error: Exception | None) -> PermissionDeniedError:
        # The texts of others may hold what a program of the profile has printed.
        why = f" ({type(error).__name__})" if error is not None else ""
        return PermissionDeniedError(
            f"the profile {self._profile} of ~/.aws gives no credentials{why}",
            hint=f"sign in again (`aws sso login --profile {self._profile}`), or mend the profile",
        )
