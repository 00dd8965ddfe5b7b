"""`genotok pack`: sequence files to one packed file, or to a folder of shards."""

import os
from contextlib import ExitStack
from typing import Annotated

import typer

from genotok.cli.shared.console import print_json
from genotok.cli.shared.messages import note, note_unknown
from genotok.cli.shared.options import (
    MAX_UNKNOWN,
    AllowUnknown,
    AsJson,
    Force,
    Quiet,
    SequenceFiles,
    Threads,
    amount,
)
from genotok.cli.shared.summaries import print_packing
from genotok.corpus.packed import DEFAULT_SHARD_SIZE, PackReport, pack_shards, verify_shards
from genotok.corpus.packed import pack as write_pack
from genotok.errors import ArgumentError
from genotok.files.atomic import STANDARD_OUTPUT
from genotok.files.kinds import PACKED
from genotok.files.outputs import named, output_file

__all__ = ["EXAMPLES", "pack"]

EXAMPLES = (
    "genotok pack genomes/*.fa.gz -o corpus.pack",
    "genotok pack 'assemblies/*.fa.gz' -o shards/ --shard-size 512M --verify",
    "genotok train-bpe --vocab 4096 shards/ --memory 2G",
)


def pack(
    files: SequenceFiles,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="The packed file, a folder of shards (shards/), or - for standard output; written whole or "
            "not at all.",
        ),
    ],
    shard_size: Annotated[
        int | None,
        typer.Option(
            parser=amount,
            metavar="BASES",
            help="Write a folder, and begin a new shard after this many bases, such as 512M.",
            show_default="512M in a folder",
        ),
    ] = None,
    force: Force = False,
    append: Annotated[bool, typer.Option("--append", help="Add to the shards in the folder.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read all shards of the folder back and compare.")
    ] = False,
    allow_unknown: AllowUnknown = MAX_UNKNOWN,
    threads: Threads = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Pack sequences at two bits a base, for repeated training, or into shards larger than memory."""
    from genotok.cli.shared.progress import watching

    output = named(output)
    in_shards = shard_size is not None or append or output.endswith(os.sep) or os.path.isdir(output)
    _check(output, in_shards, force, verify)
    with ExitStack() as held, watching(quiet) as watch:
        if not in_shards:
            held.enter_context(output_file(output, PACKED, inputs=files, force=force))
        try:
            report: PackReport | None = (
                pack_shards(
                    files,
                    output,
                    shard_size=DEFAULT_SHARD_SIZE if shard_size is None else shard_size,
                    append=append,
                    allow_unknown=allow_unknown,
                    threads=threads,
                    progress=watch,
                )
                if in_shards
                else write_pack(files, output, allow_unknown=allow_unknown, threads=threads, progress=watch)
            )
        except KeyboardInterrupt:
            report = None
    if report is None:
        note("interrupted; nothing was written")
        raise typer.Exit(130)
    defects = verify_shards(output) if verify else []
    for defect in defects:
        note(f"error: {defect}")
    if defects:
        raise typer.Exit(1)
    if not quiet:
        note_unknown(report["bases"] + sum(report["skipped"].values()), report["skipped"])
    if as_json:
        print_json(report, output)
    elif not quiet:
        print_packing(report)


def _check(output: str, in_shards: bool, force: bool, verify: bool) -> None:
    """An error if an option does not go with what is written."""
    if in_shards and output == STANDARD_OUTPUT:
        raise ArgumentError("output=-: shards are files in a folder; name a folder")
    if in_shards and force:
        raise ArgumentError("force: is for a packed file; remove the folder, or add to it with --append")
    if verify and not in_shards:
        raise ArgumentError("verify: is for folders of shards; a packed file is checked when it is read")
