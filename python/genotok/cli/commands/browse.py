"""`genotok browse`: a page where a sequence is split by several tokenizers as one types."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from genotok.cli.shared import figures
from genotok.cli.shared.console import print_json, say
from genotok.cli.shared.options import AsJson, Force, Quiet
from genotok.cli.shared.tokenizer_file import DEFAULT_TOKENIZER, load_tokenizer
from genotok.errors import ArgumentError, VocabularyError
from genotok.files.kinds import TOKEN_PAGE
from genotok.files.outputs import Existing, output_file
from genotok.files.reading import open_reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genotok.tokenizer import Tokenizer

__all__ = ["EXAMPLES", "browse"]

EXAMPLES = (
    "genotok browse tokenizer.json",
    "genotok browse tokenizer.json kmer:6 GATTACAGATTACA",
    "genotok browse ours=tokenizer.json bases - < genomes/lambda_phage.fa",
)

CODES = frozenset("ACGTUNRYSWKMBDHV")


def browse(
    given: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TOKENIZERS...] [SEQUENCE]",
            help="Tokenizers: files, NAME=FILE, or k-mers by name such as kmer:6; then a sequence to begin "
            "with, or - to read one from standard input.",
            show_default=DEFAULT_TOKENIZER,
        ),
    ] = None,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="The page, or - for standard output.")
    ] = "browse.html",
    force: Force = False,
    title: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="The title of the page.", show_default="Tokens of a sequence"),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Make one self-contained page that splits a sequence into tokens as you type, merge by merge."""
    from genotok.browse import MAX_SEQUENCE, browse_page

    names, sequence = _apart(given or [])
    inputs = [name.rpartition("=")[2] for name in names]
    with output_file(output, TOKEN_PAGE, inputs=inputs, existing=Existing.COMPARE, force=force) as target:
        tokenizers = _loaded(names)
        text = sys.stdin.read(MAX_SEQUENCE + 1) if sequence == "-" else sequence
        content = browse_page(tokenizers, text, title=title).encode()
        target.write(content)
    if as_json:
        print_json({"output": target.path, "bytes": len(content), "tokenizers": list(tokenizers)}, target)
    elif not quiet:
        size = figures.memory(len(content))
        say(f"{target.described}: {figures.count(len(tokenizers), 'tokenizer')}, {size}", target)


def _apart(given: Sequence[str]) -> tuple[list[str], str]:
    """The tokenizers, and the sequence, which may stand anywhere among them."""
    sequences = [one for one in given if one == "-" or _is_sequence(one)]
    if len(sequences) > 1:
        shown = " and ".join(one if len(one) <= 20 else f"{one[:20]}…" for one in sequences[:2])
        raise ArgumentError(
            f"{shown}: two sequences, or names of files that are not there; give one sequence, or several "
            "as FASTA on standard input (-)"
        )
    names = [one for one in given if one not in sequences]
    return names or [DEFAULT_TOKENIZER], sequences[0] if sequences else ""


def _is_sequence(given: str) -> bool:
    """Whether this is a sequence: IUPAC codes only, and no file of this name."""
    return CODES.issuperset(given.upper()) and not os.path.exists(given)


def _loaded(names: Sequence[str]) -> dict[str, Tokenizer]:
    """Name to tokenizer. Files of one name are told apart by their paths."""
    from genotok.study import named_kmers
    from genotok.study.subjects import is_kmer_name, tokenizer_file

    loaded: dict[str, Tokenizer] = {}
    for given in names:
        if is_kmer_name(given):
            name, tokenizer = given, named_kmers(given).tokenizer
        else:
            name, path = tokenizer_file(given)
            name = path if name in loaded else name
            tokenizer = _from_file(path)
        if name in loaded:
            raise ArgumentError(f"{name}: is given twice; name one of them otherwise, as NAME=FILE")
        loaded[name] = tokenizer
    return loaded


def _from_file(path: str) -> Tokenizer:
    """The tokenizer in a file; says what to do with a file of sequences."""
    try:
        return load_tokenizer(path)
    except VocabularyError:
        with open_reading(path) as file:
            if file.read(1) not in {b">", b"@"}:
                raise
        command = f"genotok browse {DEFAULT_TOKENIZER} - < {shlex.quote(path)}"
        raise ArgumentError(f"{path}: holds sequences, not a tokenizer; try: {command}") from None
