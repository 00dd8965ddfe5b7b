"""`genotok pack`: sequence files to one packed file, or to a folder of shards."""

import json
import os
from typing import Annotated

import typer

from genotok.cli import outputs
from genotok.cli.messages import note
from genotok.cli.options import AsJson, Quiet, SequenceFiles, Threads, amount
from genotok.cli.reports import print_packing
from genotok.corpus import DEFAULT_SHARD_SIZE, PackReport, pack_shards, verify_shards
from genotok.corpus import pack as write_pack
from genotok.errors import ArgumentError

__all__ = ["pack"]


def pack(
    files: SequenceFiles,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="The packed file, or a folder of shards (shards/); written whole or not at all.",
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
    append: Annotated[bool, typer.Option("--append", help="Add to the shards in the folder.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read all shards of the folder back and compare.")
    ] = False,
    threads: Threads = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Pack sequences at two bits a base, for repeated training, or into shards larger than memory."""
    from genotok.cli.progress import watching

    in_shards = shard_size is not None or append or output.endswith(os.sep) or os.path.isdir(output)
    if not in_shards:
        outputs.check_packed_file(output)
        if verify:
            raise ArgumentError("verify: is for folders of shards; a packed file is checked when it is read")
    with watching(quiet) as watch:
        try:
            report: PackReport | None = (
                pack_shards(
                    files,
                    output,
                    shard_size=DEFAULT_SHARD_SIZE if shard_size is None else shard_size,
                    append=append,
                    threads=threads,
                    progress=watch,
                )
                if in_shards
                else write_pack(files, output, threads=threads, progress=watch)
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
    if as_json:
        print(json.dumps(report))
    elif not quiet:
        print_packing(report)
