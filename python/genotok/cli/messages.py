"""What the program says on standard error: notes, and one line for an error."""

import shlex
import sys

__all__ = ["complain", "note", "one_line", "same_command"]

LONGEST_COMMAND = 160
"""A longer command is not repeated back to the person who gave it."""


def note(text: str) -> None:
    """A line for the person at the terminal."""
    print(f"genotok: {one_line(text)}", file=sys.stderr, flush=True)


def complain(error: BaseException) -> None:
    """The one line that tells what went wrong."""
    note(f"error: {describe(error)}")


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
    return command if len(command) <= LONGEST_COMMAND else f"the same command and {option}"
