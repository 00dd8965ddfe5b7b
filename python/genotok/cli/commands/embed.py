"""`genotok embed`: sequence files or tables in, one vector per row out."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from genotok.cli.shared.console import print_json
from genotok.cli.shared.extras import from_extra
from genotok.cli.shared.messages import note, note_unknown
from genotok.cli.shared.options import (
    LETTERS_PANEL,
    MAX_UNKNOWN,
    OUTPUT_PANEL,
    ROWS_PANEL,
    AllowUnknown,
    AsJson,
    Force,
    InputFiles,
    InputFormat,
    Quiet,
    SequenceColumn,
    Stride,
    TorchThreads,
    Uppercase,
    Window,
)
from genotok.cli.shared.summaries import embedding_as_json, print_embedding, soft_mask_warning
from genotok.model.backends import Backend

if TYPE_CHECKING:
    from genotok.embedding import EmbeddingReport

__all__ = ["EXAMPLES", "embed"]

EXAMPLES = (
    "genotok embed --model dnabert2/ reads.fq.gz -o reads.parquet",
    "genotok embed --model dnabert2/ --window 5000 genome.fa -o windows.parquet",
    "genotok embed --model dnabert2/ --pooling cls train.csv -o train.parquet",
)

MODEL_PANEL = "Model"


def embed(
    files: InputFiles,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            metavar="FOLDER",
            help="A folder with config.json and model.safetensors or pytorch_model.bin.",
            rich_help_panel=MODEL_PANEL,
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="A name in .parquet, .csv, .tsv or .jsonl (text also .gz), or -.",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ],
    tokenizer: Annotated[
        str | None,
        typer.Option(
            "--tokenizer",
            "-t",
            metavar="FILE",
            help="A tokenizer.json.",
            show_default="tokenizer.json in the model's folder",
            rich_help_panel=MODEL_PANEL,
        ),
    ] = None,
    pooling: Annotated[
        Literal["mean", "cls"],
        typer.Option(
            help="The vector of a row: the mean over its tokens, or the vector of [CLS].",
            rich_help_panel=MODEL_PANEL,
        ),
    ] = "mean",
    device: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="cpu, cuda, cuda:1, ...; auto takes CUDA.", rich_help_panel=MODEL_PANEL
        ),
    ] = "auto",
    dtype: Annotated[
        Literal["float32", "bfloat16", "float16"],
        typer.Option(help="Data type of the model; vectors are float32.", rich_help_panel=MODEL_PANEL),
    ] = "float32",
    attention: Annotated[
        Backend, typer.Option(help="The attention backend.", rich_help_panel=MODEL_PANEL)
    ] = "auto",
    batch_tokens: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            help="Tokens per batch: more take more memory, and may be faster.",
            rich_help_panel=MODEL_PANEL,
        ),
    ] = 8192,
    column: SequenceColumn = None,
    input_format: InputFormat = None,
    window: Window = None,
    stride: Stride = None,
    max_tokens: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            help="The longest row allowed; a longer one is an error, never cut.",
            rich_help_panel=ROWS_PANEL,
        ),
    ] = 32_768,
    unknown: Annotated[
        Literal["token", "error"],
        typer.Option(
            help="Symbols outside the vocabulary: the unknown token for each, or an error.",
            rich_help_panel=LETTERS_PANEL,
        ),
    ] = "token",
    allow_unknown: AllowUnknown = MAX_UNKNOWN,
    uppercase: Uppercase = False,
    output_format: Annotated[
        Literal["parquet", "csv", "tsv", "jsonl"] | None,
        typer.Option(
            "--format",
            help="The format of the output.",
            show_default="what its name says; of - parquet",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ] = None,
    force: Force = False,
    threads: TorchThreads = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Embed sequences with a model: one vector per record, window or table row."""
    from genotok.cli.shared.progress import watching

    embedding = from_extra("embedding", "embed", "model")
    embedder = embedding.Embedder(
        model,
        tokenizer,
        pooling=pooling,
        batch_tokens=batch_tokens,
        device=device,
        dtype=dtype,
        attention=attention,
        threads=threads,
    )
    report: EmbeddingReport | None = None
    with watching(quiet) as watch, suppress(KeyboardInterrupt):
        report = embedding.embed(
            embedder,
            files,
            output,
            column=column,
            input_format=input_format,
            window=window,
            stride=stride,
            unknown=unknown,
            uppercase=uppercase,
            max_tokens=max_tokens,
            allow_unknown=allow_unknown,
            output_format=output_format,
            force=force,
            threads=threads,
            progress=watch,
        )
    if report is None:
        note("interrupted; nothing was written")
        raise typer.Exit(130)
    if warning := soft_mask_warning(report["lower_case"], report["symbols"], unknown):
        note(warning)
    if not quiet:
        note_unknown(report["symbols"], report["unknown_by_kind"])
    if as_json:
        print_json(embedding_as_json(report), report["output"])
    elif not quiet:
        print_embedding(report)
