"""`genotok convert`: the folder of a published model in, one for genotok and transformers out."""

from __future__ import annotations

from typing import Annotated

import typer

from genotok.cli.shared.console import print_facts, print_json, standard_output
from genotok.cli.shared.extras import from_extra
from genotok.cli.shared.options import AsJson, Force, Quiet

__all__ = ["EXAMPLES", "convert"]

EXAMPLES = (
    "hf download zhihan1996/DNABERT-2-117M --local-dir published",
    "genotok convert published -o dnabert2",
)


def convert(
    folder: Annotated[
        str,
        typer.Argument(
            metavar="FOLDER",
            help="config.json, tokenizer.json and pytorch_model.bin or model.safetensors.",
            show_default=False,
        ),
    ],
    output: Annotated[str, typer.Option("--output", "-o", metavar="FOLDER", help="The new folder.")],
    force: Force = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Convert a published model's folder for genotok and transformers; weights are verified by digest."""
    manifest = from_extra("model_folder.convert", "convert", "model").convert(folder, output, force=force)
    if as_json:
        print_json({"output": output, **manifest})
    elif not quiet:
        facts = [
            ("architecture", str(manifest["architecture"])),
            ("parameters", f"{manifest['parameters']:,}"),
            ("read", "\n".join(f"{one['SHA-256']}  {one['file']}" for one in manifest["data"])),
            ("tensors", f"{manifest['tensors_sha256']}  before and after"),
            ("written", "\n".join(f"{digest}  {name}" for name, digest in manifest["files"].items())),
        ]
        print_facts(standard_output(), f"model in {output}", facts)
