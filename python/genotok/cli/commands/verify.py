"""`genotok verify`: does an output, encoded or packed, a folder or a file, hold what was written?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from genotok.cli.shared.console import print_json
from genotok.cli.shared.figures import bases, count
from genotok.cli.shared.messages import one_line
from genotok.cli.shared.options import ReportOptions
from genotok.cli.shared.tokenizer_file import load_tokenizer
from genotok.corpus.packed import is_packed_file, is_packed_folder, verify_packed, verify_shards
from genotok.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from genotok.cli.shared.progress import Watch
    from genotok.tokenizer import Tokenizer

__all__ = ["EXAMPLES", "verify"]

EXAMPLES = (
    "genotok verify shards",
    "genotok verify genome.arrow",
    "genotok verify shards --against human.json --inputs",
)


def verify(
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH",
            help="A folder or a file that genotok encode or genotok pack wrote.",
            show_default=False,
        ),
    ],
    against: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="A tokenizer.json that it must have been encoded with."),
    ] = None,
    inputs: Annotated[
        bool, typer.Option("--inputs", help="Compare the input files with what they were, too.")
    ] = False,
    *,
    report: ReportOptions,
) -> None:
    """Check a folder of shards, or a file, against its checksums: every defect a line."""
    from genotok.cli.shared.progress import watching

    packed = is_packed_folder(path) or is_packed_file(path)
    if packed and (against is not None or inputs):
        raise ArgumentError(
            f"{path}: holds a packed corpus; --against and --inputs are for encoded sequences"
        )
    if inputs and os.path.isfile(path):
        raise ArgumentError(f"{path}: does not say what it was made from; --inputs is for folders of shards")
    tokenizer = None if against is None else load_tokenizer(against)
    with watching(report.quiet) as watch:
        defects = [one_line(defect) for defect in _defects(path, tokenizer, packed, inputs, watch)]
    if report.as_json:
        print_json({"folder" if os.path.isdir(path) else "file": path, "defects": defects})
    else:
        for defect in defects:
            print(defect)
    if not defects and not report.as_json and not report.quiet:
        print(f"{path}: whole" if packed else _praise(path))
    if defects:
        raise typer.Exit(1)


def _defects(
    path: str, tokenizer: Tokenizer | None, packed: bool, inputs: bool, watch: Watch
) -> Iterable[str]:
    """What is wrong."""
    from genotok.dataset import verify_file, verify_folder

    if packed:
        return verify_shards(path) if os.path.isdir(path) else verify_packed(path)
    if os.path.isfile(path):
        return verify_file(path, against=tokenizer, on_progress=watch.check)
    return verify_folder(path, against=tokenizer, inputs=inputs, on_progress=watch.check)


def _praise(path: str) -> str:
    """What is whole, and how far that can be told."""
    from genotok._native import EncodedRows
    from genotok.dataset import TokenDataset
    from genotok.dataset.counts import Counts
    from genotok.dataset.shards import open_shard

    manifest = TokenDataset(path).manifest
    if manifest is not None:
        totals = manifest.totals()
        told = [count(totals.shards, "shard"), count(totals.rows, "row"), bases(totals.bases)]
        return f"{path}: whole: {', '.join([*told, count(totals.tokens, 'token')])}"
    shard, counts = open_shard(path), Counts()
    for batch in shard.batches():
        counts.add(EncodedRows(batch))
    state = (
        "whole" if shard.checksums else "readable, but without checksums, so that altered ids cannot be told"
    )
    known = [bases(counts.bases)] if shard.schema else []
    return f"{path}: {state}: {', '.join([count(counts.rows, 'row'), *known, count(counts.tokens, 'token')])}"
