"""`genotok help`: the pages of `--help` by another way, and the manual page."""

from typing import Annotated

import typer
from typer.core import TyperGroup

__all__ = ["EXAMPLES", "help_page"]

EXAMPLES = (
    "genotok help encode",
    "genotok help gue audit",
    "genotok help --man | man -l -",
)


def help_page(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COMMAND]", help="The command to explain; all of them without it."),
    ] = None,
    manual: Annotated[bool, typer.Option("--man", help="Print the manual page, in roff.")] = False,
) -> None:
    """Explain a command, or list all commands."""
    program = ctx.parent
    if program is None:
        raise TypeError("help is a command of a program")
    if manual:
        import genotok
        from genotok.cli.shared.manual import manual_page

        print(manual_page(program, genotok.__version__), end="")
        return
    found = program
    for name in names or []:
        group = found.command
        command = group.get_command(found, name) if isinstance(group, TyperGroup) else None
        if command is None:
            raise typer.BadParameter(f"{found.command_path} has no command '{name}'.", param_hint="COMMAND")
        found = command.make_context(name, [], parent=found, resilient_parsing=True)
    print(found.get_help())
