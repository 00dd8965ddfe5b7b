"""`genotok pack`: sequence files to one packed file."""

import json
from typing import Annotated

import typer

from genotok.cli import outputs
from genotok.cli.messages import note
from genotok.cli.options import AsJson, Quiet, SequenceFiles, Threads
from genotok.cli.reports import print_packing
from genotok.corpus import PackReport
from genotok.corpus import pack as write_pack

__all__ = ["pack"]


def pack(
    files: SequenceFiles,
    output: Annotated[
        str,
        typer.Option("--output", "-o", metavar="FILE", help="The packed file; written whole or not at all."),
    ],
    threads: Threads = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Pack sequences at two bits a base, for repeated training."""
    from genotok.cli.progress import watching

    outputs.check_packed_file(output)
    with watching(quiet) as watch:
        try:
            report: PackReport | None = write_pack(files, output, threads=threads, progress=watch)
        except KeyboardInterrupt:
            report = None
    if report is None:
        note("interrupted; nothing was written")
        raise typer.Exit(130)
    if as_json:
        print(json.dumps(report))
    elif not quiet:
        print_packing(report)
