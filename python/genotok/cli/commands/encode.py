"""`genotok encode`: sequence files in; token ids out, as one file, a stream, or a folder of shards."""

import os
import sys
from contextlib import suppress
from functools import partial
from typing import Annotated

import typer

from genotok.cli.shared.console import print_json
from genotok.cli.shared.messages import note, note_unknown, same_command
from genotok.cli.shared.options import (
    LETTERS_PANEL,
    MAX_UNKNOWN,
    OUTPUT_PANEL,
    ROWS_PANEL,
    RUN_PANEL,
    AllowUnknown,
    AsJson,
    Force,
    Quiet,
    Ray,
    Stride,
    Threads,
    Uppercase,
    Window,
    Workers,
    amount,
    on_ray,
)
from genotok.cli.shared.summaries import encoding_as_json, print_encoding, soft_mask_warning
from genotok.cli.shared.tokenizer_file import DEFAULT_TOKENIZER, load_tokenizer
from genotok.errors import ArgumentError
from genotok.files.outputs import named
from genotok.tokenizer.encoder import Unknown

__all__ = ["EXAMPLES", "encode"]

EXAMPLES = (
    "genotok encode genomes/*.fa -o genomes.arrow",
    "genotok encode -t human.json --window 1000 'assemblies/*.fa.gz' -o shards/ --shard-size 500M",
    "genotok encode --region chr20:1-1,000,000 --format bed GRCh38.fa.gz -o -",
    "zcat reads.fq.gz | genotok encode - -o - > reads.arrows",
)


def encode(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILES...",
            help="FASTA or FASTQ, plain or compressed; quoted patterns such as 'genomes/**/*.fa'; - for "
            "standard input.",
            show_default=False,
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="A file (.arrow .arrows .parquet .bin .bed .bed.gz), a folder of shards (shards/), or - for "
            "standard output.",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ],
    tokenizer: Annotated[
        str, typer.Option("--tokenizer", "-t", metavar="FILE", help="A tokenizer.json.")
    ] = DEFAULT_TOKENIZER,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="NAME",
            help="arrow, arrow-stream, parquet, megatron, bed or bed-gz (BGZF with a tabix index).",
            show_default="by the ending; arrow in a folder, arrow-stream for -",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ] = None,
    shard_size: Annotated[
        int | None,
        typer.Option(
            parser=amount,
            metavar="BASES",
            help="Write a folder, and begin a new file after this many bases, such as 500M.",
            show_default="1G in a folder",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ] = None,
    force: Force = False,
    window: Window = None,
    stride: Stride = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            metavar="REGION",
            help="Only this part, as samtools writes it: chr20:1-1,000,000 (from 1, both ends included), "
            "chr20:5000-, chr20:-5000; may be repeated.",
            rich_help_panel=ROWS_PANEL,
        ),
    ] = None,
    bed: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Only the regions of this BED file, on their strand, with name and row number; may be "
            "repeated, and may be a pipe.",
            rich_help_panel=ROWS_PANEL,
        ),
    ] = None,
    bed_blocks: Annotated[
        bool,
        typer.Option(
            "--bed-blocks",
            help="Join the blocks of each BED line (columns 10 to 12): exons without introns.",
            rich_help_panel=ROWS_PANEL,
        ),
    ] = False,
    bed_order: Annotated[
        bool,
        typer.Option(
            "--bed-order",
            help="Rows in the order of the BED files, not of the sequence files; their letters wait in a "
            "temporary file if they are more than 64 MB.",
            rich_help_panel=ROWS_PANEL,
        ),
    ] = False,
    reverse_complement: Annotated[
        bool,
        typer.Option(
            "--reverse-complement",
            help="Read rows from the other strand; those on the other strand of a BED file from that of the "
            "file.",
            rich_help_panel=ROWS_PANEL,
        ),
    ] = False,
    unknown: Annotated[
        Unknown,
        typer.Option(
            metavar="POLICY",
            help="Letters outside the vocabulary: the unknown token each (token), left out, cutting the row "
            "(split), or an error (error).",
            rich_help_panel=LETTERS_PANEL,
        ),
    ] = "token",
    allow_unknown: AllowUnknown = MAX_UNKNOWN,
    uppercase: Uppercase = False,
    add_special_tokens: Annotated[
        bool,
        typer.Option(
            "--add-special-tokens",
            help="Put [CLS] and [SEP] around each row, or what the tokenizer says.",
            rich_help_panel=LETTERS_PANEL,
        ),
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with a folder that was not finished.", rich_help_panel=RUN_PANEL
        ),
    ] = False,
    ray: Ray = None,
    workers: Workers = None,
    threads: Threads = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Encode sequences with a tokenizer, into Arrow, Parquet, Megatron or BED files."""
    from genotok.cli.shared.progress import watching
    from genotok.dataset.encode import EncodingReport
    from genotok.dataset.encode import encode as write_encoded

    output = named(output)
    if output == "-" and sys.stdout.isatty() and form != "bed":
        raise ArgumentError("output=-: binary data would go to the terminal; send it to a program or a file")
    loaded = load_tokenizer(tokenizer)
    report: EncodingReport | None = None
    with watching(quiet) as watch, suppress(KeyboardInterrupt):
        where = on_ray("encode", ray, workers, threads)
        write = where or partial(write_encoded, threads=threads, progress=watch)
        report = write(
            loaded,
            files,
            output,
            format=form,
            shard_size=shard_size,
            resume=resume,
            force=force,
            window=window,
            stride=stride,
            region=region,
            bed=bed,
            bed_blocks=bed_blocks,
            bed_order=bed_order,
            reverse_complement=reverse_complement,
            unknown=unknown,
            allow_unknown=allow_unknown,
            uppercase=uppercase,
            add_special_tokens=add_special_tokens,
        )
    if report is None:
        note(_farewell(output))
        raise typer.Exit(130)
    if warning := soft_mask_warning(report["lower_case"], report["letters"], unknown):
        note(warning)
    if not quiet:
        note_unknown(report["letters"], report["unknown"])
    if as_json:
        print_json(encoding_as_json(report), output)
    elif not quiet:
        print_encoding(report)


def _farewell(output: str) -> str:
    """What to do after Ctrl-C."""
    if os.path.exists(os.path.join(output, "unfinished.jsonl")):
        return f"interrupted; go on with: {same_command('--resume')}"
    return "interrupted; nothing was written"
