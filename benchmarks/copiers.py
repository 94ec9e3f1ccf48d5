"""Programs that copy one file into a bucket: rclone, as the tests use it, and the AWS CLI, which is installed apart."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.peers.install import INSTALLED, create_environment
from tests.servers.seaweedfs import S3Server

AWS_CLI = "awscli>=1.40,<2"


class Rclone:
    """Rclone, with the settings that it comes with."""

    def __init__(self, server: S3Server, directory: Path) -> None:
        self._program = Path(sys.executable).parent / "rclone"
        names = {"TYPE": "s3", "PROVIDER": "Other", "ENDPOINT": server.endpoint, "REGION": "us-east-1"}
        names |= {"ACCESS_KEY_ID": str(server.options["access_key_id"])}
        names |= {"SECRET_ACCESS_KEY": str(server.options["secret_access_key"])}
        config = {f"RCLONE_CONFIG_SERVER_{name}": value for name, value in names.items()}
        (directory / "rclone.conf").touch()
        self._environment = os.environ | config | {"RCLONE_CONFIG": str(directory / "rclone.conf")}

    def copy(self, file: Path, url: str) -> None:
        """Copy a file into the bucket."""
        place = url.removeprefix("s3://")
        command = [str(self._program), "copyto", "--s3-no-check-bucket", str(file), f"server:{place}/weights"]
        subprocess.run(command, check=True, env=self._environment)


class AwsCli:
    """The AWS CLI, with the settings that it comes with: ten parts of 8 MB at once."""

    def __init__(self, server: S3Server, directory: Path) -> None:
        self._command = [
            str(_install_aws_cli()),
            "--endpoint-url",
            server.endpoint,
            "s3",
            "cp",
            "--only-show-errors",
        ]
        self._environment = os.environ | {
            "HOME": str(directory),
            "AWS_ACCESS_KEY_ID": str(server.options["access_key_id"]),
            "AWS_SECRET_ACCESS_KEY": str(server.options["secret_access_key"]),
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def copy(self, file: Path, url: str) -> None:
        """Copy a file into the bucket."""
        subprocess.run([*self._command, str(file), f"{url}/weights"], check=True, env=self._environment)


def _install_aws_cli() -> Path:
    """Return the program, installed when it is not there."""
    home = INSTALLED / "aws" / "python"
    program = home / "bin" / "aws"
    if not program.exists():
        print("installing the AWS CLI …", file=sys.stderr, flush=True)
        subprocess.run([*create_environment(home), AWS_CLI], check=True)
    return program
