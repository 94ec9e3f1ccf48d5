"""`keepsake help [COMMAND]`: the same as `--help`, as Keepsake 0.x had it."""

from __future__ import annotations

import click


@click.command("help")
@click.argument("name", metavar="[COMMAND]", required=False)
@click.pass_context
def command(ctx: click.Context, name: str | None) -> None:
    """Show the manual of Keepsake, or of a command."""
    root = ctx.find_root()
    if name is None:
        click.echo(root.get_help())
        return
    assert isinstance(root.command, click.Group)
    _, found, _ = root.command.resolve_command(root, [name])
    assert found is not None
    click.echo(found.get_help(click.Context(found, info_name=name, parent=root)))
