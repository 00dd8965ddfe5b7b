"""The program `genotok`: its commands, its front page, and its exit codes.

Exit codes: 0 success; 1 something the user can fix (one line on standard error, no traceback) or, with a
traceback, a fault of genotok; 2 wrong usage; 130 interrupted by Ctrl-C; 143 and 129
by SIGTERM and SIGHUP, which do the same.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Annotated, cast

import typer
from typer.core import TyperCommand, TyperGroup

from genotok.cli.commands import COMMANDS, CommandEntry
from genotok.cli.shared.help_pages import CommandPage, FrontPage, examples
from genotok.cli.shared.messages import complain, note_warnings
from genotok.cli.shared.process import exit_code, let_threads_sleep, take_signals, take_streams
from genotok.errors import GenotokError

__all__ = ["app", "main"]

STANDARD_OUTPUT = "standard output"
SHORT_OF_MEMORY = "not enough memory: take smaller batches or shorter sequences, or free some"
NO_THREAD = "the system refuses to start a thread: free memory, or allow more processes"
SHORTAGES = {
    "can't start new thread": NO_THREAD,
    "Failed to launch worker thread": NO_THREAD,
    "DefaultCPUAllocator": SHORT_OF_MEMORY,
    "could not create a primitive": SHORT_OF_MEMORY,
    "could not execute a primitive": SHORT_OF_MEMORY,
    "out of memory": SHORT_OF_MEMORY,
}
"""What Python, torch and Arrow say where the system has no more, and what it means."""
SETTINGS = {"help_option_names": ["-h", "--help"]}
Command = TyperCommand | TyperGroup

DESCRIPTION = (
    "Tokenizers and DNABERT-2 encoders for genomes: train exact BPE on whole genomes, encode into Arrow "
    "arrays at 0.8 Gbp/s on one CPU core, pre-train, fine-tune and evaluate."
)


class Commands(Mapping[str, Command]):
    """Name of a command to what typer makes of its function, once it is asked for."""

    def __init__(self) -> None:
        self._made: dict[str, Command] = {}

    def __getitem__(self, name: str) -> Command:
        if name not in self._made:
            self._made[name] = _command(name, COMMANDS[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


def _command(name: str, entry: CommandEntry) -> Command:
    """Import a command, and make it."""
    module, attribute = entry.place.split(":")
    commands = import_module(f"genotok.cli.commands.{module}")
    made = getattr(commands, attribute)
    if not isinstance(made, typer.Typer):
        from genotok.cli.shared.option_groups import expanded

        alone = typer.Typer(add_completion=False, context_settings=SETTINGS, rich_markup_mode="rich")
        alone.command(name, cls=CommandPage, epilog=examples(*commands.EXAMPLES))(expanded(made))
        made = alone
    command = typer.main.get_command(made)
    command.name = name
    return cast("Command", command)


class Program(FrontPage):
    """The group of all commands, which are imported one by one."""

    def __init__(self, **given: object) -> None:
        super().__init__(**given)  # type: ignore[arg-type]
        self.commands = Commands()  # type: ignore[assignment]  # nobody adds a command

    def panels(self) -> dict[str, list[tuple[str, str]]]:
        """Title of a panel to the names and first sentences of its commands."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for name, entry in COMMANDS.items():
            panels.setdefault(entry.panel, []).append((name, entry.summary))
        return panels


app = typer.Typer(
    name="genotok",
    cls=Program,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings=SETTINGS,
)


def _version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        import genotok

        print(f"genotok {genotok.__version__}")
        raise typer.Exit


@app.callback(help=DESCRIPTION)
def genotok(
    version: Annotated[
        bool, typer.Option("--version", "-V", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """The options that stand before a command."""


def main() -> None:
    """Run the program and leave with its exit code."""
    take_streams()
    take_signals()
    let_threads_sleep()
    code = exit_code(_run())
    try:
        sys.stdout.flush()
    except OSError as error:
        # What was printed last cannot be delivered. A reader that has gone (`| head`) is no news to anyone.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            complain(OSError(error.errno, error.strerror, STANDARD_OUTPUT))
        code = 1
    sys.exit(code)


def _run() -> int | str | None:
    """Run the command named in the arguments; its exit code."""
    note_warnings()
    try:
        app(prog_name="genotok")
    except SystemExit as stop:
        return stop.code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 1
    except (GenotokError, OSError, MemoryError, UnicodeError) as error:
        if not _is_of_standard_output(error):
            complain(error)
        return 1
    except Exception as error:
        meaning = next((SHORTAGES[said] for said in SHORTAGES if said in str(error)), None)
        if meaning is None:
            raise
        complain(MemoryError(meaning))
        return 1
    return 0


def _is_of_standard_output(error: BaseException) -> bool:
    """Whether printing failed, and will again: `main` says so, with the name that the system leaves out."""
    if not isinstance(error, OSError) or error.filename not in {None, STANDARD_OUTPUT}:
        return False
    try:
        sys.stdout.flush()
    except OSError as again:
        return again.errno == error.errno
    return False
