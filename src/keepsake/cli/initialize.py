"""`keepsake init`: write a `keepsake.yaml`."""

from __future__ import annotations

import click

from keepsake.cli.context import Common, common_options, pass_common
from keepsake.cli.output import say


@click.command("init")
@click.argument("url", metavar="[REPOSITORY]", required=False)
@click.option("-f", "--force", is_flag=True, help="Replace a keepsake.yaml that is there.")
@click.option("--create-bucket", is_flag=True, help="Make the bucket, too. On S3 only.")
@common_options
@pass_common
def command(common: Common, url: str | None, force: bool, create_bucket: bool) -> None:
    """Make the current directory a project: make the repository, and write the keepsake.yaml that names it.

    REPOSITORY is a URL or a path; by default `.keepsake` in the project directory. With --create-bucket alone, a
    keepsake.yaml that is there already says which bucket, and where its server is.

    A script does not need this: `keepsake.init()` works without a keepsake.yaml, too. With one, the project is found
    from every directory below it.
    """
    from keepsake.project import Project

    path, made = Project.set_up(
        common.project_directory, url or common.repository, replace=force, create_bucket=create_bucket
    )
    say(f"{path} names the repository {made}")
