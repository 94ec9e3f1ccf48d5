"""`keepsake completion`: the script with which a shell completes commands and options."""

from __future__ import annotations

import click

from keepsake.cli.context import common_options

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@common_options
def command(shell: str) -> None:
    """Print the completion script for a shell.

    \b
    bash:  keepsake completion bash > ~/.local/share/bash-completion/completions/keepsake
    zsh:   keepsake completion zsh > "${fpath[1]}/_keepsake"
    fish:  keepsake completion fish > ~/.config/fish/completions/keepsake.fish
    """  # noqa: D301 (the character, which tells click not to wrap)
    from click.shell_completion import get_completion_class

    from keepsake.cli.main import cli

    completion = get_completion_class(shell)
    if completion is None:
        raise click.UsageError(f"there is no completion for {shell}")
    click.echo(completion(cli, {}, "keepsake", "_KEEPSAKE_COMPLETE").source())
