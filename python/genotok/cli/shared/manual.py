"""The manual page `genotok(1)`, made from the same declarations as the help pages.

`genotok help --man` prints it; `make man` keeps a copy in `share/`, which wheels install where `man` looks.
The language is roff with the macros of man(7): a line that starts with a dot is a macro, a backslash escapes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genotok.cli.shared.help_pages import INPUTS, OPTIONS, CommandPage, GroupPage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genotok.cli.shared.help_pages import Row

__all__ = ["manual_page"]

EXIT_CODES = (
    ("0", "Success."),
    ("1", "Something the user can fix, told in one line on standard error; or a fault of genotok."),
    ("2", "Wrong usage."),
    ("130", "Interrupted by Ctrl-C."),
    ("143, 129", "Ended by SIGTERM or SIGHUP, as by Ctrl-C."),
)


def manual_page(ctx: Any, version: str) -> str:
    """The manual of all commands, in roff; `ctx` is the context of the program itself."""
    program = ctx.command
    if not isinstance(program, GroupPage):
        raise TypeError(f"{program.name}: a group of commands is expected")
    summary = (program.help or "").rstrip(".")
    lines = [
        f'.TH GENOTOK 1 "" "genotok {version}" "User Commands"',
        ".SH NAME",
        _text(f"genotok - {summary}"),
        ".SH SYNOPSIS",
        ".B genotok",
        "COMMAND [OPTIONS] ...",
        ".SH DESCRIPTION",
        _text(INPUTS),
        ".SH OPTIONS",
        *_rows(OPTIONS),
        ".SH COMMANDS",
        *_group(program, ctx),
        ".SH EXIT STATUS",
        *_rows(EXIT_CODES),
    ]
    return "\n".join(lines) + "\n"


def _group(group: GroupPage, ctx: Any) -> Iterator[str]:
    """The section of each command, those of groups in their place."""
    for name, command in group.commands.items():
        inner = command.make_context(name, [], parent=ctx, resilient_parsing=True)
        if isinstance(command, GroupPage):
            yield from _group(command, inner)
        elif isinstance(command, CommandPage) and not command.hidden:
            yield from _command(command, inner)


def _command(command: CommandPage, ctx: Any) -> Iterator[str]:
    """One command: usage, what it does, arguments and options, examples."""
    yield f".SS {_text(f'{ctx.command_path} {command.usage()}')}"
    yield _text(command.help or "")
    for rows in command.panels(ctx).values():
        yield from _rows(rows)
    if command.epilog:
        yield from (".PP", "Examples:", ".PP", ".EX")
        yield from map(_text, command.epilog.split("\n"))
        yield ".EE"


def _rows(rows: tuple[Row, ...] | list[Row]) -> Iterator[str]:
    """Tagged paragraphs: what to write, and what it means."""
    for written, meaning in rows:
        yield from (".TP", f".B {_text(written)}", _text(meaning))


def _text(text: str) -> str:
    """`text` as roff prints it: hyphens that can be copied, no line that starts a macro."""
    escaped = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
