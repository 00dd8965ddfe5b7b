"""The two consoles, and tables of facts on them.

On a terminal: colours, lines wrapped to its width. Elsewhere: plain text, one fact a line however long, so
that it can be searched and cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

__all__ = ["print_facts", "standard_error", "standard_output"]

LABEL_WIDTH = 14


def standard_output() -> Console:
    """The console for results."""
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False)


def standard_error() -> Console:
    """The console for progress and messages."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def print_facts(console: Console, title: str | Text, facts: Iterable[tuple[str, str | Text]]) -> None:
    """A title, then labelled facts, empty ones left out; continued lines stand under the first."""
    from rich.text import Text

    console.print(Text.assemble(("genotok", "bold"), "  ", title), soft_wrap=True)
    for label, fact in ((label, fact) for label, fact in facts if fact):
        text = Text(fact) if isinstance(fact, str) else fact
        width = console.width - LABEL_WIDTH - 2
        lines = text.wrap(console, width) if console.is_terminal and width > 0 else text.split("\n")
        for index, line in enumerate(lines):
            margin = label if index == 0 else ""
            console.print(Text.assemble("  ", (margin.ljust(LABEL_WIDTH), "cyan"), line), soft_wrap=True)
