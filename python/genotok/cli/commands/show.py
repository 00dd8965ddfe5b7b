"""`genotok show`: how a sequence splits into tokens, in colour, merge by merge if wanted."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from genotok.cli.shared.console import print_json
from genotok.cli.shared.messages import one_line
from genotok.cli.shared.options import AsJson
from genotok.cli.shared.tokenizer_file import DEFAULT_TOKENIZER, load_tokenizer
from genotok.errors import ArgumentError
from genotok.tokenizer.encoder import MergeStep

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

__all__ = ["EXAMPLES", "show"]

EXAMPLES = (
    "genotok show ACGTTGCAACGTTTTTTTTT",
    "genotok show -t human.json --steps GATTACAGATTACA",
    "head -5 genomes/lambda_phage.fa | genotok show -",
)

COLOURS = ("black on bright_cyan", "black on bright_yellow")
FRESH = "black on bright_green"
MARGIN = "  "


def show(
    sequences: Annotated[
        list[str],
        typer.Argument(
            metavar="SEQUENCE...", help="DNA; - reads it from standard input.", show_default=False
        ),
    ],
    tokenizer: Annotated[
        str, typer.Option("--tokenizer", "-t", metavar="FILE", help="A tokenizer.json.")
    ] = DEFAULT_TOKENIZER,
    steps: Annotated[bool, typer.Option("--steps", help="Show every merge in turn.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show how a sequence splits into tokens."""
    from genotok.cli.shared.console import standard_output

    _check_no_file(sequences)
    loaded = load_tokenizer(tokenizer)
    names = {index: token for token, index in loaded.vocab.items()}
    console = standard_output()
    for given in sequences:
        sequence = _sequence(sys.stdin.read()) if given == "-" else given
        ids = loaded.encode(sequence)
        tokens = [names[index] for index in ids]
        explained = loaded.explain(sequence) if steps else []
        if as_json:
            print_json(_as_json(sequence, ids, tokens, explained))
            continue
        for step in explained:
            _print_step(console, step)
        _print_tokens(console, [one_line(token) for token in tokens], ids)
        _print_count(console, sequence, tokens)


def _check_no_file(given: list[str]) -> None:
    """An error if a file stands where a sequence should, which is not a sequence."""
    for name in given:
        if name != "-" and not name.isalpha() and os.path.exists(name):
            rest = [other for other in given if other != name]
            command = ["genotok", "show", "-t", name, *(rest or ["ACGT"])]
            if not name.endswith(".json"):
                command = ["genotok", "show", *rest, "-", "<", name]
            told = " ".join(part if part == "<" else shlex.quote(part) for part in command)
            raise ArgumentError(f"{name}: is a file, not a sequence; try: {told}")


def _sequence(text: str) -> str:
    """The sequence in `text`: without white space, and without FASTA header lines."""
    return "".join("".join(line.split()) for line in text.split("\n") if not line.startswith(">"))


def _as_json(sequence: str, ids: list[int], tokens: list[str], steps: list[MergeStep]) -> dict[str, object]:
    """What was found out about one sequence."""
    found: dict[str, object] = {"sequence": sequence, "ids": ids, "tokens": tokens}
    if steps:
        found["steps"] = steps
    return found


def _print_tokens(console: Console, tokens: list[str], ids: list[int]) -> None:
    """Tokens in alternating colours, each with its id under it, wrapped to the width of the terminal."""
    from rich.text import Text

    above, below = Text(MARGIN), Text(MARGIN)
    for place, (token, index) in enumerate(zip(tokens, ids, strict=True)):
        for piece, label in _pieces(token, str(index), console.width - len(MARGIN) - 1):
            width = max(len(piece), len(label))
            if above.cell_len + width > console.width and above.cell_len > len(MARGIN):
                _print_pair(console, above, below)
                above, below = Text(MARGIN), Text(MARGIN)
            above.append(piece, COLOURS[place % 2]).append(" " * (width - len(piece) + 1))
            below.append(label.ljust(width + 1), "dim")
    _print_pair(console, above, below)


def _pieces(token: str, label: str, width: int) -> Iterator[tuple[str, str]]:
    """A token and its id; one wider than the terminal in pieces, the id under the first."""
    for start in range(0, len(token), max(width, 1)):
        yield token[start : start + width], label if start == 0 else ""


def _print_pair(console: Console, above: Text, below: Text) -> None:
    """Two lines that belong together; nothing for no tokens."""
    if above.cell_len == len(MARGIN):
        return
    for line in (above, below):
        line.rstrip()
        console.print(line, no_wrap=True, crop=False, overflow="ignore")


def _print_step(console: Console, step: MergeStep) -> None:
    """One merge: its rank and parts, then the tokens after it, the new ones marked."""
    from rich.text import Text

    left, right, product = map(one_line, (step["left"], step["right"], step["left"] + step["right"]))
    if step["rank"] is None:
        head = Text("symbols", "bold")
        product = ""
    else:
        head = Text.assemble(("rank ", "bold"), (str(step["rank"]), "bold"), f"  {left} + {right}")
    console.print(head, soft_wrap=True)
    line = Text(MARGIN)
    for place, token in enumerate(map(one_line, step["tokens"])):
        line.append(token, FRESH if token == product else COLOURS[place % 2]).append(" ")
    line.rstrip()
    for part in line.wrap(console, console.width) if console.is_terminal else [line]:
        console.print(part, soft_wrap=True)


def _print_count(console: Console, sequence: str, tokens: list[str]) -> None:
    """The last line: how much was made of how much."""
    ratio = f", {len(sequence) / len(tokens):.2f} symbols per token" if tokens else ""
    console.print(f"{len(sequence):,} symbols, {len(tokens):,} tokens{ratio}", style="dim", soft_wrap=True)
