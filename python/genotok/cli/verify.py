"""`genotok verify`: does a folder of shards, encoded or packed, hold what its manifest says?"""

import json
from typing import Annotated

import typer

from genotok.cli.figures import bases, count
from genotok.cli.messages import one_line
from genotok.cli.options import AsJson, Quiet
from genotok.cli.tokenizer_file import load_tokenizer
from genotok.corpus import is_packed_folder, verify_shards
from genotok.errors import ArgumentError

__all__ = ["verify"]


def verify(
    folder: Annotated[
        str,
        typer.Argument(
            metavar="FOLDER", help="A folder that genotok encode or genotok pack wrote.", show_default=False
        ),
    ],
    against: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="A tokenizer.json that it must have been encoded with."),
    ] = None,
    inputs: Annotated[
        bool, typer.Option("--inputs", help="Compare the input files with what they were, too.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Check a folder of shards against its manifest: every defect a line."""
    from genotok.cli.progress import watching
    from genotok.dataset import verify_folder

    packed = is_packed_folder(folder)
    if packed and (against is not None or inputs):
        raise ArgumentError(f"{folder}: holds packed shards; --against and --inputs are for encoded ones")
    tokenizer = None if against is None else load_tokenizer(against)
    with watching(quiet) as watch:
        found = (
            verify_shards(folder)
            if packed
            else verify_folder(folder, against=tokenizer, inputs=inputs, heard=watch.check)
        )
        defects = [one_line(defect) for defect in found]
    if as_json:
        print(json.dumps({"folder": folder, "defects": defects}))
    else:
        for defect in defects:
            print(defect)
    if not defects and not as_json and not quiet:
        print(f"{folder}: whole" if packed else _praise(folder))
    if defects:
        raise typer.Exit(1)


def _praise(folder: str) -> str:
    """What is whole."""
    from genotok.dataset import TokenDataset

    manifest = TokenDataset(folder).manifest
    if manifest is None:
        raise TypeError("a folder of shards has a manifest")
    totals = manifest.totals()
    shards, rows, tokens = (
        count(totals.shards, "shard"),
        count(totals.rows, "row"),
        count(totals.tokens, "token"),
    )
    return f"{folder}: whole: {shards}, {rows}, {bases(totals.bases)}, {tokens}"
