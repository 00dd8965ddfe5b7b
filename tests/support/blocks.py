"""Code blocks of the documents: which of them run, and why the others do not.

A block that cannot run where the tests run has a line before it that says why, with a reason of `REASONS`:

    <!-- not run: needs a CUDA device -->

One that needs a file that its reader has, such as `reads.fq.gz`, has a command before it that makes one:

    <!-- before: gzip -c genomes/lambda_phage.fa > reads.fa.gz -->
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent

BUILDS = "builds the package again"
REASONS = (
    "needs a CUDA device",
    "needs a cluster",
    "needs the network",
    "needs the published weights",
    "needs GUE",
    "needs a program that genotok does not install",
    "takes too long for a test",
    "is interrupted",
    BUILDS,
)
BUILDING = ("make ", "python3 -m venv", "pip install", ".venv/bin/pip")
LANGUAGES = ("bash", "python", "console")
FENCE = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]*?) -->\n+)?(?:<!-- before: (?P<before>[^\n]*?) -->\n+)?"
    r"(?P<indent> *)(?P<fence>`{3,})(?P<info>[^\n`]*)\n(?P<code>.*?)^(?P=indent)(?P=fence) *$",
    re.DOTALL | re.MULTILINE,
)
PROMPT = "$ "
COMMAND = re.compile(r"\$ |genotok [a-z]|pip install|python3? -|import |from \w+ import ")
# What the site generates, and decisions, whose blocks are excerpts.
NOT_READ = (
    "docs/decisions",
    "docs/_build",
    "docs/reference/cli/",
    "docs/reference/python/",
    "docs/notebooks",
)


class Block(NamedTuple):
    """A block of code of a document."""

    document: str
    line: int
    language: str
    code: str
    reason: str | None  # why it does not run; None where it does
    before: str  # a command that makes what it reads

    @property
    def script(self) -> str:
        """What runs: of a console, the lines behind the prompt."""
        lines = self.code.splitlines()
        if self.language == "console":
            return "\n".join(line.removeprefix(PROMPT) for line in lines if line.startswith(PROMPT))
        return f"{self.before}\n{self.code}" if self.before else self.code

    @property
    def shown(self) -> list[str]:
        """The lines that the commands of a console print; `...` stands for any."""
        lines = self.code.splitlines() if self.language == "console" else []
        return [line for line in lines if line.strip() not in {"", "..."} and not line.startswith(PROMPT)]


def documents() -> list[Path]:
    """The documents with code for readers: those of the root and of docs/."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return sorted(path for path in found if not path.relative_to(ROOT).as_posix().startswith(NOT_READ))


def blocks(document: Path) -> list[Block]:
    """The blocks of a document, in order."""
    text = document.read_text(encoding="utf-8")
    name = document.relative_to(ROOT).as_posix() if document.is_relative_to(ROOT) else document.name
    found = []
    for match in FENCE.finditer(text):
        language, code = match["info"].strip(), textwrap.dedent(match["code"])
        if language in LANGUAGES:
            line = text.count("\n", 0, match.start("fence")) + 1
            reason = match["reason"] or (BUILDS if code.removeprefix(PROMPT).startswith(BUILDING) else None)
            found.append(Block(name, line, language, code, reason, match["before"] or ""))
    return found


def all_blocks() -> list[Block]:
    """The blocks of all documents."""
    return [block for document in documents() for block in blocks(document)]


def code_without_language(text: str) -> list[str]:
    """First lines of blocks that hold a command or a program and are not declared as such."""
    found = [
        match for match in FENCE.finditer(text) if match["info"].strip() in {"", "text", "sh", "shell", "py"}
    ]
    first = [textwrap.dedent(match["code"]).partition("\n")[0] for match in found]
    return [line for line in first if COMMAND.match(line)]
