"""The two consoles, and tables of facts on them.

On a terminal: colours, lines wrapped to its width. Otherwise: plain text, one fact a line however long, so
that it can be searched and cut.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from genotok.cli.shared.messages import one_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from genotok.files.outputs import FileOutput

__all__ = ["print_facts", "print_json", "report_console", "say", "standard_error", "standard_output"]

LABEL_WIDTH = 14


def standard_output() -> Console:
    """The console for results."""
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False)


def standard_error() -> Console:
    """The console for progress and messages."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def report_console(output: FileOutput | str | None) -> Console:
    """The console for the report of an output: not where the data go."""
    return standard_error() if _is_data(output) else standard_output()


def say(text: str, output: FileOutput | str | None = None) -> None:
    """A line of the report of an output."""
    print(text, file=sys.stderr if _is_data(output) else sys.stdout)


def print_json(content: object, output: FileOutput | str | None = None) -> None:
    r"""`content` as one line of JSON on standard output, or beside the data that go there.

    Names of files and records may hold bytes that are no text. Python holds them as lone surrogates, which
    JSON has no place for; they are told as `\xff`.
    """
    text = json.dumps(content)
    say(json.dumps(_as_text(content)) if "\\ud" in text else text, output)


def _is_data(output: FileOutput | str | None) -> bool:
    """Whether standard output takes the data of an output."""
    return (output if isinstance(output, str | None) else output.path) == "-"


def _as_text(content: object) -> object:
    """`content` with texts that every reader of JSON takes."""
    if isinstance(content, str):
        try:
            content.encode()
        except UnicodeEncodeError:
            return content.encode(errors="surrogateescape").decode(errors="backslashreplace")
        return content
    if isinstance(content, dict):
        return {_as_text(key): _as_text(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_as_text(value) for value in content]
    return content


def print_facts(console: Console, title: str | Text, facts: Iterable[tuple[str, str | Text]]) -> None:
    """A title, then labelled facts, empty ones left out; continued lines stand under the first.

    Control characters of names are shown as escapes: a terminal would obey them.
    """
    from rich.text import Text

    title = one_line(title) if isinstance(title, str) else title
    console.print(Text.assemble(("genotok", "bold"), "  ", title), soft_wrap=True)
    for label, fact in ((label, fact) for label, fact in facts if fact):
        text = Text("\n".join(map(one_line, fact.split("\n")))) if isinstance(fact, str) else fact
        width = console.width - LABEL_WIDTH - 2
        lines = text.wrap(console, width) if console.is_terminal and width > 0 else text.split("\n")
        for index, line in enumerate(lines):
            margin = label if index == 0 else ""
            console.print(Text.assemble("  ", (margin.ljust(LABEL_WIDTH), "cyan"), line), soft_wrap=True)
