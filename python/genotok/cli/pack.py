"""`genotok pack`: sequence files to one packed file."""

import json
import os
from typing import Annotated

import typer

from genotok.cli import outputs
from genotok.cli.messages import note
from genotok.cli.options import AsJson, Quiet, SequenceFiles, Threads
from genotok.cli.reports import print_packing
from genotok.corpus import PackReport
from genotok.corpus import pack as write_pack
from genotok.errors import ArgumentError

__all__ = ["pack"]


def pack(
    files: SequenceFiles,
    output: Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="The packed file.")],
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it is there.")] = False,
    threads: Threads = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Pack sequences at two bits a base, for repeated training."""
    from genotok.cli.progress import watching

    if os.path.exists(output) and not force:
        raise ArgumentError(f"{output}: exists; remove it, choose another output, or give --force")
    outputs.check_writable(output)
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
