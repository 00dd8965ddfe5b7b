"""What the program says on standard error: notes, and one line for an error."""

import shlex
import sys
import warnings
from collections.abc import Mapping
from typing import TextIO

from genotok import _native
from genotok.errors import GenotokWarning

__all__ = ["complain", "note", "note_unknown", "note_warnings", "one_line", "same_command"]

MAX_COMMAND_LENGTH = 160
"""A longer command is not repeated back to the person who gave it."""


def note(text: str) -> None:
    """A line for the person at the terminal."""
    print(f"genotok: {one_line(text)}", file=sys.stderr, flush=True)


def note_unknown(symbols: int, unknown: Mapping[str, int], *, of: str = "") -> None:
    """A line about unknown symbols, by kind, and what to do about them; none if there are none but N."""
    if text := _native.describe_unknown(symbols, dict(unknown)):
        note(f"{of}: {text}" if of else text)


def complain(error: BaseException) -> None:
    """The one line that tells what went wrong."""
    note(f"error: {describe(error)}")


def note_warnings() -> None:
    """From now on tell warnings of genotok as notes, without the place in the source before them."""
    usual = warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, GenotokWarning):
            note(f"note: {message}")
        else:
            usual(message, category, filename, lineno, file, line)

    warnings.showwarning = show


def describe(error: BaseException) -> str:
    """What went wrong, and where: an error of the system starts with its file as those of genotok do."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename is not None else error.strerror
    if isinstance(error, MemoryError) and not str(error):
        return "not enough memory"
    return str(error) or type(error).__name__


def one_line(text: str) -> str:
    """`text` without line ends and control characters: a name in a file may hold any."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def same_command(option: str) -> str:
    """The command that is running, with one more option, to be typed again."""
    arguments = sys.argv[1:] if option in sys.argv else [*sys.argv[1:], option]
    command = shlex.join(["genotok", *arguments])
    return command if len(command) <= MAX_COMMAND_LENGTH else f"the same command and {option}"
