"""Options of the commands that compute with a model's folder, with one wording."""

from typing import Annotated

import typer

from genotok.options.declaration import MODEL, ROWS

__all__ = ["MaskedModel", "ModelTokenizer", "ReferenceFile", "RegionText"]

MaskedModel = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        metavar="FOLDER",
        help="A masked language model: a folder that pretrain wrote, or a published one.",
        rich_help_panel=MODEL,
    ),
]
ReferenceFile = Annotated[
    str,
    typer.Option(
        "--reference",
        "-r",
        metavar="FILE",
        help="The genome as FASTA, plain or compressed; its contigs are looked up by name.",
        rich_help_panel=ROWS,
    ),
]
ModelTokenizer = Annotated[
    str | None,
    typer.Option(
        "--tokenizer",
        "-t",
        metavar="FILE",
        help="A tokenizer.json.",
        show_default="tokenizer.json in the model's folder",
        rich_help_panel=MODEL,
    ),
]
RegionText = Annotated[
    str,
    typer.Option(
        "--region",
        metavar="REGION",
        help="A contig or a part of one, from 1, both ends included: chr20:1-2,000.",
        rich_help_panel=ROWS,
    ),
]
