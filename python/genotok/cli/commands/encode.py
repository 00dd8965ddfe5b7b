"""`genotok encode`: sequence files in; token ids out, as one file, a stream, or a folder of shards."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from genotok.cli.shared.console import print_json
from genotok.cli.shared.messages import note, note_unknown, same_command
from genotok.cli.shared.multiqc import wanted_sections
from genotok.cli.shared.options import OUTPUT_PANEL, MultiqcOptions, ReportOptions, is_on_ray
from genotok.cli.shared.summaries import encoding_as_json, print_encoding, soft_mask_warning
from genotok.cli.shared.tokenizer_file import DEFAULT_TOKENIZER, load_tokenizer
from genotok.errors import ArgumentError
from genotok.files.outputs import named
from genotok.options import OutputOptions, RayOptions, RowOptions, RunOptions

if TYPE_CHECKING:
    from genotok.dataset.encode import EncodingOptions, EncodingReport
    from genotok.tokenizer import Tokenizer

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
    *,
    shards: OutputOptions,
    rows: RowOptions,
    ray: RayOptions,
    run: RunOptions,
    report: ReportOptions,
    multiqc: MultiqcOptions,
) -> None:
    """Encode sequences with a tokenizer, into Arrow, Parquet, Megatron or BED files."""
    from genotok.cli.shared.progress import watching
    from genotok.dataset.encode import EncodingOptions

    output = named(output)
    if output == "-" and sys.stdout.isatty() and shards.format != "bed":
        raise ArgumentError("output=-: binary data would go to the terminal; send it to a program or a file")
    loaded = load_tokenizer(tokenizer)
    found: EncodingReport | None = None
    inputs = [*files, tokenizer, *map(str, rows.bed)]
    with wanted_sections("encode", multiqc, inputs=inputs, force=shards.force) as sections:
        with watching(report.quiet) as watch, suppress(KeyboardInterrupt):
            options = EncodingOptions(shards, rows, replace(run, progress=watch))
            found = _encode(loaded, files, output, options, ray)
        if sections and found is not None:
            from genotok.multiqc import encode_sections

            sections.write(encode_sections(found, sections.sample))
    if found is None:
        note(_farewell(output))
        raise typer.Exit(130)
    if warning := soft_mask_warning(found["lower_case"], found["symbols"], rows.unknown):
        note(warning)
    if not report.quiet:
        note_unknown(found["symbols"], found["unknown"])
    if report.as_json:
        print_json(encoding_as_json(found), output)
    elif not report.quiet:
        print_encoding(found)


def _encode(
    tokenizer: Tokenizer, files: list[str], output: str, options: EncodingOptions, ray: RayOptions
) -> EncodingReport:
    """Encode in this process, or on a Ray cluster."""
    if is_on_ray(ray):
        from genotok.distributed import encode_on_ray

        return encode_on_ray(tokenizer, files, output, options, ray)
    from genotok.dataset.encode import encode_dataset

    return encode_dataset(tokenizer, files, output, options)


def _farewell(output: str) -> str:
    """What to do after Ctrl-C."""
    if os.path.exists(os.path.join(output, "unfinished.jsonl")):
        return f"interrupted; resume with: {same_command('--resume')}"
    return "interrupted; nothing was written"
