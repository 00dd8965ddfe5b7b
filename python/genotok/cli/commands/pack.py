"""`genotok pack`: sequence files to one packed file, or to a folder of shards."""

import os
from contextlib import ExitStack
from dataclasses import replace
from typing import Annotated

import typer

from genotok.cli.shared.console import print_json
from genotok.cli.shared.messages import note, note_unknown
from genotok.cli.shared.options import Force, ReportOptions, SequenceFiles
from genotok.cli.shared.summaries import print_packing
from genotok.corpus.packed import PackReport, verify_shards, write_shards
from genotok.corpus.packed import pack as write_pack
from genotok.errors import ArgumentError
from genotok.files.atomic import STANDARD_OUTPUT
from genotok.files.kinds import PACKED
from genotok.files.outputs import named, output_file
from genotok.options import PackOptions, RunOptions

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
            help="The packed file, a folder of shards (shards/), or - for standard output; written "
            "atomically.",
        ),
    ],
    force: Force = False,
    *,
    packing: PackOptions,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read all shards of the folder back and compare.")
    ] = False,
    run: RunOptions,
    report: ReportOptions,
) -> None:
    """Pack sequences at 2 bits per base, for repeated training, or into shards larger than memory."""
    from genotok.cli.shared.progress import watching

    output = named(output)
    in_shards = (
        packing.shard_size is not None or packing.append or output.endswith(os.sep) or os.path.isdir(output)
    )
    _check(output, in_shards, force, verify)
    with ExitStack() as held, watching(report.quiet) as watch:
        if not in_shards:
            held.enter_context(output_file(output, PACKED, inputs=files, force=force))
        try:
            found: PackReport | None = _pack(files, output, in_shards, packing, replace(run, progress=watch))
        except KeyboardInterrupt:
            found = None
    if found is None:
        note("interrupted; nothing was written")
        raise typer.Exit(130)
    defects = verify_shards(output) if verify else []
    for defect in defects:
        note(f"error: {defect}")
    if defects:
        raise typer.Exit(1)
    if not report.quiet:
        note_unknown(found["bases"] + sum(found["skipped"].values()), found["skipped"])
    if report.as_json:
        print_json(found, output)
    elif not report.quiet:
        print_packing(found)


def _pack(
    files: list[str], output: str, in_shards: bool, packing: PackOptions, run: RunOptions
) -> PackReport:
    """Pack into a folder of shards, or into one file."""
    if in_shards:
        return write_shards(files, output, packing, run)
    return write_pack(
        files,
        output,
        allow_unknown=packing.allow_unknown,
        threads=run.threads,
        memory=run.memory,
        progress=run.progress,
    )


def _check(output: str, in_shards: bool, force: bool, verify: bool) -> None:
    """An error if an option does not go with what is written."""
    if in_shards and output == STANDARD_OUTPUT:
        raise ArgumentError("output=-: shards are files in a folder; name a folder")
    if in_shards and force:
        raise ArgumentError("force: is for a packed file; remove the folder, or add to it with --append")
    if verify and not in_shards:
        raise ArgumentError("verify: is for folders of shards; a packed file is checked when it is read")
