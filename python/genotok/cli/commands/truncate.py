"""`genotok truncate`: the tokenizer that a smaller vocabulary would have given, without training."""

from typing import Annotated

import typer

from genotok.cli.shared import figures
from genotok.cli.shared.console import print_json, say
from genotok.cli.shared.options import Force, ReportOptions
from genotok.cli.shared.tokenizer_file import load_tokenizer
from genotok.files.kinds import TOKENIZER
from genotok.files.outputs import Existing, output_file

__all__ = ["EXAMPLES", "truncate"]

EXAMPLES = ("genotok truncate tokenizer.json --vocab 1024 -o small.json",)


def truncate(
    tokenizer: Annotated[
        str, typer.Argument(metavar="TOKENIZER", help="A tokenizer.json.", show_default=False)
    ],
    vocab: Annotated[
        int, typer.Option("--vocab", "-v", min=0, metavar="N", help="Tokens to keep, all counted.")
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="The smaller tokenizer, or -.")
    ],
    force: Force = False,
    *,
    report: ReportOptions,
) -> None:
    """Cut a tokenizer down to a smaller vocabulary: the same as training at that size."""
    whole = load_tokenizer(tokenizer)
    with output_file(output, TOKENIZER, inputs=[tokenizer], existing=Existing.COMPARE, force=force) as target:
        small = whole.truncate(vocab)
        target.write(small.to_json().encode())
    if report.as_json:
        facts = {"output": target.path, "vocab_size": small.vocab_size, "merges": len(small.merges)}
        print_json(facts, target)
    elif not report.quiet:
        merges = figures.count(len(small.merges), "merge")
        tokens = f"{small.vocab_size:,} tokens ({merges}), the first of {whole.vocab_size:,}"
        say(f"{target.described}: {tokens}", target)
