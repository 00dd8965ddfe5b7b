"""`genotok truncate`: the tokenizer that a smaller vocabulary would have given, without training."""

import json
from typing import Annotated

import typer

from genotok.cli import figures, outputs
from genotok.cli.options import AsJson, Quiet
from genotok.cli.tokenizer_file import load_tokenizer

__all__ = ["truncate"]


def truncate(
    tokenizer: Annotated[
        str, typer.Argument(metavar="TOKENIZER", help="A tokenizer.json.", show_default=False)
    ],
    vocab: Annotated[
        int, typer.Option("--vocab", "-v", min=0, metavar="N", help="Tokens to keep, all counted.")
    ],
    output: Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="The smaller tokenizer.")],
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Cut a tokenizer down to a smaller vocabulary: the same as training at that size."""
    whole = load_tokenizer(tokenizer)
    outputs.check_tokenizer(output)
    small = whole.truncate(vocab)
    small.save(output)
    if as_json:
        print(json.dumps({"output": output, "vocab_size": small.vocab_size, "merges": len(small.merges)}))
    elif not quiet:
        merges = figures.count(len(small.merges), "merge")
        print(f"{output}: {small.vocab_size:,} tokens ({merges}), the first of {whole.vocab_size:,}")
