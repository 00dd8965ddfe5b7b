"""Pages of the commands, made from the program's own declarations, as the help pages and the manual are.

When the build starts, each command gets a page `reference/cli/NAME.md`. The directive `genotok-commands`
lists them by panel, as `genotok --help` does, and `genotok-exit-codes` lists the exit codes.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from genotok.cli import app as program
from genotok.cli.shared.help_pages import OPTIONS, CommandPage, GroupPage
from genotok.cli.shared.manual import EXIT_CODES
from genotok.run_records import schemas

FOLDER = "reference/cli"


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages when the build starts; the directives list them."""
    app.connect("builder-inited", _write_pages)
    app.add_directive("genotok-commands", CommandList)
    app.add_directive("genotok-program-options", ProgramOptions)
    app.add_directive("genotok-exit-codes", ExitCodes)
    app.add_directive("genotok-records", Records)
    return {"parallel_read_safe": True}


def commands() -> dict[str, tuple[str, CommandPage, Any]]:
    """Name of each command, as it is typed after `genotok`, to its panel, its page and its context."""
    main: Any = typer.main.get_command(program.app)
    return dict(_below(main, main.make_context("genotok", [], resilient_parsing=True), ""))


def _below(group: GroupPage, context: Any, panel: str) -> Iterator[tuple[str, tuple[str, CommandPage, Any]]]:
    """The commands of a group, in the order of the help page."""
    for title, rows in group.panels().items():
        for name, _ in rows:
            command = group.commands[name]
            inner = command.make_context(name, [], parent=context, resilient_parsing=True)
            where = panel or title
            if isinstance(command, GroupPage):
                yield from _below(command, inner, where)
            elif isinstance(command, CommandPage):
                yield inner.command_path.removeprefix("genotok "), (where, command, inner)


def page_of(name: str) -> str:
    """The document of a command: `gue list` has `reference/cli/gue-list`."""
    return f"{FOLDER}/{name.replace(' ', '-')}"


def _write_pages(app: Sphinx) -> None:
    """One page per command; pages of commands that are gone are removed."""
    folder = Path(app.srcdir, FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    pages = {Path(app.srcdir, f"{page_of(name)}.md"): _page(*found[1:]) for name, found in commands().items()}
    for path in set(folder.glob("*.md")) - set(pages):
        path.unlink()
    for path, text in pages.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _page(command: CommandPage, context: Any) -> str:
    """The page of one command: what it does, usage, arguments and options by panel, examples."""
    path = context.command_path
    lines = [
        f"# {path}",
        "",
        _prose(command.help or ""),
        "",
        "```text",
        f"{path} {command.usage()}",
        "```",
        "",
    ]
    if command.epilog:
        lines += [
            "## Examples",
            "",
            "```console",
            *(f"$ {line}" for line in command.epilog.split("\n")),
            "```",
            "",
        ]
    lines += [f"```{{program}} {path}", "```", ""]
    for title, rows in command.panels(context).items():
        lines += [f"## {title}", ""]
        for written, meaning in rows:
            kind = "describe" if title == "Arguments" else "option"
            shown = written.replace(" / ", ", ") if kind == "option" else written
            lines += [f":::{{{kind}}} {shown}", _prose(meaning), ":::", ""]
    return "\n".join(lines)


def _prose(text: str) -> str:
    """Plain text of a help page as Markdown: nothing in it is markup but the backticks."""
    text = " ".join(text.split())
    parts = text.split("`")
    parts[::2] = ["".join(f"\\{c}" if c in "*_[]<>#|$~{}" else c for c in part) for part in parts[::2]]
    return "`".join(parts)


class CommandList(SphinxDirective):
    """All commands, by panel: name, linked to its page, and first sentence; and a table of contents."""

    def run(self) -> list[nodes.Node]:
        """Markdown for MyST to parse."""
        lines, panel = [], ""
        found = commands()
        for name, (title, command, _) in found.items():
            if title != panel:
                lines += ["", f"**{title}**", ""]
                panel = title
            summary = _prose(command.get_short_help_str(limit=200))
            lines += [f"[`genotok {name}`](/{page_of(name)}.md)", f": {summary}", ""]
        lines += ["```{toctree}", ":hidden:", "", *(f"/{page_of(name)}" for name in found), "```"]
        return self.parse_text_to_nodes("\n".join(lines))


class ProgramOptions(SphinxDirective):
    """The options that stand before a command or after any."""

    def run(self) -> list[nodes.Node]:
        """Markdown for MyST to parse."""
        lines = ["```{program} genotok", "```", ""]
        for written, meaning in OPTIONS:
            lines += [f":::{{option}} {written}", _prose(meaning), ":::", ""]
        return self.parse_text_to_nodes("\n".join(lines))


class ExitCodes(SphinxDirective):
    """The exit codes of all commands."""

    def run(self) -> list[nodes.Node]:
        """Markdown for MyST to parse."""
        rows = [f"| `{code}` | {_prose(meaning)} |" for code, meaning in EXIT_CODES]
        return self.parse_text_to_nodes("\n".join(["| code | meaning |", "|---|---|", *rows]))


class Records(SphinxDirective):
    """The kinds of records, and the keys that each has beside those of all."""

    def run(self) -> list[nodes.Node]:
        """Markdown for MyST to parse."""
        lines = ["| class of `genotok.run_records.schemas` | what | keys |", "|---|---|---|"]
        shared = {field.name for field in dataclasses.fields(schemas.RunRecord)}
        for name in schemas.__all__:
            record = getattr(schemas, name)
            if not dataclasses.is_dataclass(record) or record is schemas.RunRecord:
                continue
            keys = [field.name for field in dataclasses.fields(record) if field.name not in shared]
            what = (record.__doc__ or "").partition("\n")[0]
            lines.append(f"| `{name}` | {_prose(what)} | {', '.join(f'`{key}`' for key in keys)} |")
        return self.parse_text_to_nodes("\n".join(lines))
