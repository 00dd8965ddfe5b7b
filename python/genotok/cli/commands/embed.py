"""`genotok embed`: sequence files or tables in, one vector per row out."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from genotok import _native
from genotok.cli.shared.console import print_json
from genotok.cli.shared.extras import from_extra
from genotok.cli.shared.messages import note, note_unknown
from genotok.cli.shared.model_options import ModelTokenizer
from genotok.cli.shared.options import OUTPUT_PANEL, InputFiles, Memory, ReportOptions
from genotok.cli.shared.summaries import embedding_as_json, print_embedding, soft_mask_warning
from genotok.options import RunOptions
from genotok.options.declaration import MODEL
from genotok.options.inference import EmbedderOptions, EmbeddingOptions, TableOutputOptions

if TYPE_CHECKING:
    from genotok.embedding import EmbeddingReport

__all__ = ["EXAMPLES", "embed"]

BESIDE_WEIGHTS = 768 << 20
"""Bytes of torch, transformers and Arrow (590 MB with the libraries of CUDA) and a batch of a small model."""

EXAMPLES = (
    "genotok embed --model dnabert2/ reads.fq.gz -o reads.parquet",
    "genotok embed --model dnabert2/ --window 5000 genome.fa -o windows.parquet",
    "genotok embed --model dnabert2/ --pooling cls train.csv -o train.parquet",
)


def embed(
    files: InputFiles,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            metavar="FOLDER",
            help="A folder with config.json and model.safetensors or pytorch_model.bin.",
            rich_help_panel=MODEL,
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
    tokenizer: ModelTokenizer = None,
    *,
    computing: EmbedderOptions,
    rows: EmbeddingOptions,
    table: TableOutputOptions,
    memory: Memory = None,
    report: ReportOptions,
) -> None:
    """Embed sequences with a model: one vector per record, window or table row."""
    from genotok.cli.shared.progress import watching

    if memory is not None:
        _check_memory(memory, model)
    embedding = from_extra("embedding", "embed", "model")
    embedder = embedding.Embedder(model, tokenizer, computing)
    found: EmbeddingReport | None = None
    with watching(report.quiet) as watch, suppress(KeyboardInterrupt):
        run = RunOptions(threads=computing.threads, memory=memory, progress=watch)
        found = embedding.embed_files(embedder, files, output, rows, table, run)
    if found is None:
        note("interrupted; nothing was written")
        raise typer.Exit(130)
    if warning := soft_mask_warning(found["lower_case"], found["symbols"], rows.unknown):
        note(warning)
    if not report.quiet:
        note_unknown(found["symbols"], found["unknown_by_kind"])
    if report.as_json:
        print_json(embedding_as_json(found), found["output"])
    elif not report.quiet:
        print_embedding(found)


def _check_memory(memory: int, model: str) -> None:
    """Fail, before torch is loaded, unless it fits, with the weights and their mapped file."""
    from genotok.model_folder.read import read_folder

    _native.check_memory(memory, BESIDE_WEIGHTS + 8 * read_folder(model).parameters)
