"""The help pages: `genotok --help` and one for each command.

Typer can print them, but its printer (with a Markdown parser) takes as long to import as all the rest, and it
shows types where a person looks for meaning. These pages are made from the same declarations, and so is the
manual page (`manual`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["OPTIONS", "CommandPage", "FrontPage", "GroupPage", "examples"]

BEGIN = (
    ("genotok train-bpe genomes/*.fa", "train 4,096 tokens; writes tokenizer.json"),
    ("genotok show ACGTTGCAACGTTTTTTT", "see how a sequence splits"),
    ("genotok info tokenizer.json", "see what was trained"),
)
OPTIONS = (
    ("-h, --help", "Print this page; after a command, the command's. 'genotok help COMMAND' does the same."),
    ("-V, --version", "Print the version."),
    ("--install-completion", "Complete commands, options and choices in this shell with the tab key."),
    ("--show-completion", "Print what --install-completion would install."),
)
INPUTS = "Inputs are FASTA or FASTQ, plain, gzip, bgzf, xz or zstd; - is standard input."

Row = tuple[str, str]


def examples(*commands: str) -> str:
    """The example commands of a help page, as a command's epilogue."""
    return "\n".join(commands)


class GroupPage(TyperGroup):
    """A group of commands with its own help page."""

    def format_help(self, ctx: typer.Context, formatter: object) -> None:  # type: ignore[override] # noqa: ARG002
        """Print what the group is for, and its commands."""
        from genotok.cli.shared.console import standard_output

        console = standard_output()
        _print_head(console, f"{ctx.command_path} COMMAND [OPTIONS] ...", self.help or "")
        for title, rows in self.panels().items():
            _print_panel(console, title, rows)

    def panels(self) -> dict[str, list[Row]]:
        """Title of a panel to the names and first sentences of its commands."""
        panels: dict[str, list[Row]] = {}
        for name, command in self.commands.items():
            if not command.hidden:
                title = getattr(command, "rich_help_panel", None)
                rows = panels.setdefault(title if isinstance(title, str) else "Commands", [])
                rows.append((name, command.get_short_help_str(limit=200)))
        return panels


class FrontPage(GroupPage):
    """The group of all commands, with its own help page."""

    def format_help(self, ctx: typer.Context, formatter: object) -> None:  # type: ignore[override] # noqa: ARG002
        """Print what genotok is, how to start, and the commands."""
        from genotok.cli.shared.console import standard_output

        console = standard_output()
        _print_head(console, "genotok COMMAND [OPTIONS] ...", f"{self.help}")
        _print_panel(console, "Begin", BEGIN)
        for title, rows in self.panels().items():
            _print_panel(console, title, rows)
        _print_panel(console, "Options", OPTIONS)
        console.print(f" {INPUTS}", style="dim")


class CommandPage(TyperCommand):
    """A command with its own help page."""

    def format_help(self, ctx: typer.Context, formatter: object) -> None:  # type: ignore[override] # noqa: ARG002
        """Print what the command does, its arguments and options, and examples."""
        from genotok.cli.shared.console import standard_output

        console = standard_output()
        _print_head(console, f"{ctx.command_path} {self.usage()}", self.help or "")
        for title, rows in self.panels(ctx).items():
            _print_panel(console, title, rows)
        if self.epilog:
            _print_panel(console, "Examples", [(line, "") for line in self.epilog.split("\n")])

    def usage(self) -> str:
        """What follows the command's name."""
        return " ".join(["[OPTIONS]", *(str(param.metavar) for param in self._arguments())])

    def panels(self, ctx: typer.Context) -> dict[str, list[Row]]:
        """Title of a panel to its arguments or options: how to write one, and what it means."""
        panels: dict[str, list[Row]] = {
            "Arguments": [(str(param.metavar), param.help or "") for param in self._arguments()],
            "Options": [],
        }
        for param in self.get_params(ctx):
            if isinstance(param, TyperOption) and not param.hidden:
                rows = panels.setdefault(param.rich_help_panel or "Options", [])
                rows.append((_written(param), f"{param.help}{_default(param)}"))
        return {title: rows for title, rows in panels.items() if rows}

    def _arguments(self) -> list[TyperArgument]:
        return [param for param in self.params if isinstance(param, TyperArgument)]


def _written(param: TyperOption) -> str:
    """How to write an option: its names, and its choices or the name of its value."""
    names = ", ".join(sorted(param.opts, key=len))
    if param.is_flag:
        return " / ".join([names, *param.secondary_opts])
    choices = getattr(param.type, "choices", None)
    value = "|".join(map(str, choices)) if choices else param.metavar or param.type.name.upper()
    return f"{names} {value}"


def _default(param: TyperOption) -> str:
    """What holds when the option is not given, where that says something."""
    if param.required:
        return " (required)"
    if isinstance(param.show_default, str):
        return f" (default: {param.show_default})"
    shown: Any = param.default
    if param.is_flag and param.secondary_opts:
        shown = (param.opts if shown else param.secondary_opts)[0]
    return "" if shown is None or shown is False or callable(shown) else f" (default: {shown})"


def _print_head(console: Console, usage: str, text: str) -> None:
    """The usage line and what it is."""
    from rich.padding import Padding
    from rich.text import Text

    console.print(Text.assemble("\n ", ("Usage: ", "yellow"), (usage, "bold"), "\n"))
    console.print(Padding(text, (0, 1, 1, 1)))


def _print_panel(console: Console, title: str, rows: Iterable[Row]) -> None:
    """A titled box of two columns."""
    from rich.panel import Panel
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    for left, right in rows:
        table.add_row(left, right)
    console.print(Panel(table, title=title, title_align="left", border_style="dim"))
