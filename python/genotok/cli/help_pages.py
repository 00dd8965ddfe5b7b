"""The help pages: `genotok --help` and one for each command.

Typer can print them, but its printer (with a Markdown parser) takes as long to import as all the rest, and it
shows types where a person looks for meaning. These pages are made from the same declarations.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["CommandPage", "FrontPage", "examples"]

BEGIN = (
    ("genotok train-bpe genomes/*.fa", "learn 4,096 tokens; writes tokenizer.json"),
    ("genotok show ACGTTGCAACGTTTTTTT", "see how a sequence splits"),
    ("genotok info tokenizer.json", "see what was learnt"),
)
OPTIONS = (
    ("-h, --help", "Print this page; after a command, the command's."),
    ("-V, --version", "Print the version."),
)

Row = tuple[str, str]


def examples(*commands: str) -> str:
    """The example commands of a help page, as a command's epilogue."""
    return "\n".join(commands)


class FrontPage(TyperGroup):
    """The group of all commands, with its own help page."""

    def format_help(self, ctx: typer.Context, formatter: object) -> None:  # type: ignore[override] # noqa: ARG002
        """Print what genotok is, how to begin, and the commands."""
        from genotok.cli.console import standard_output

        console = standard_output()
        _print_head(console, "genotok COMMAND [OPTIONS] ...", f"{self.help}")
        _print_panel(console, "Begin", BEGIN)
        for title, rows in self._commands().items():
            _print_panel(console, title, rows)
        _print_panel(console, "Options", OPTIONS)
        console.print(
            " Inputs are FASTA or FASTQ, plain, gzip, bgzf, xz or zstd; - is standard input.\n", style="dim"
        )

    def _commands(self) -> dict[str, list[Row]]:
        """Title of a panel to the names and first sentences of its commands."""
        panels: dict[str, list[Row]] = {}
        for name, command in self.commands.items():
            title = getattr(command, "rich_help_panel", None) or "Commands"
            panels.setdefault(title, []).append((name, command.get_short_help_str(limit=200)))
        return panels


class CommandPage(TyperCommand):
    """A command with its own help page."""

    def format_help(self, ctx: typer.Context, formatter: object) -> None:  # type: ignore[override] # noqa: ARG002
        """Print what the command does, its arguments and options, and examples."""
        from genotok.cli.console import standard_output

        console = standard_output()
        arguments = [param for param in self.params if isinstance(param, TyperArgument)]
        usage = " ".join([ctx.command_path, "[OPTIONS]", *(str(param.metavar) for param in arguments)])
        _print_head(console, usage, self.help or "")
        _print_panel(console, "Arguments", [(str(param.metavar), param.help or "") for param in arguments])
        for title, rows in self._options(ctx).items():
            _print_panel(console, title, rows)
        if self.epilog:
            _print_panel(console, "Examples", [(line, "") for line in self.epilog.split("\n")])
        console.print()

    def _options(self, ctx: typer.Context) -> dict[str, list[Row]]:
        """Title of a panel to its options: names and meaning."""
        panels: dict[str, list[Row]] = {"Options": []}
        for param in self.get_params(ctx):
            if isinstance(param, TyperOption):
                names = ", ".join(sorted(param.opts, key=len))
                value = "" if param.is_flag else f" {param.metavar}"
                rows = panels.setdefault(param.rich_help_panel or "Options", [])
                rows.append((names + value, f"{param.help}{_default(param)}"))
        return panels


def _default(param: TyperOption) -> str:
    """What holds when the option is not given, where that says something."""
    if isinstance(param.show_default, str):
        return f" (default: {param.show_default})"
    shown: Any = param.default
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
