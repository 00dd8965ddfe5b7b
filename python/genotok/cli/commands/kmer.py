"""`genotok kmer`: a tokenizer of k-mers, without training."""

from typing import Annotated

import typer

from genotok.cli.shared.console import print_json, say
from genotok.cli.shared.options import Force, ReportOptions
from genotok.files.kinds import TOKENIZER
from genotok.files.outputs import Existing, output_file
from genotok.tokenizer import Tokenizer

__all__ = ["EXAMPLES", "kmer"]

EXAMPLES = (
    "genotok kmer -k 6 -o kmer6.json",
    "genotok kmer -k 6 --no-overlap -o transformer.json",
    "genotok kmer -k 12 --canonical -o canonical12.json",
)


def kmer(
    k: Annotated[int, typer.Option("-k", min=1, max=12, metavar="K", help="Bases in a k-mer, 1 to 12.")],
    output: Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="The tokenizer, or -.")],
    force: Force = False,
    overlap: Annotated[
        bool,
        typer.Option(
            "--overlap/--no-overlap",
            help="A k-mer at each position, as DNABERT, or non-overlapping ones, as Nucleotide Transformer.",
        ),
    ] = True,
    canonical: Annotated[
        bool, typer.Option("--canonical", help="A k-mer and its reverse complement are one token.")
    ] = False,
    special_tokens: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="Tokens with the first ids, separated by commas; '' for none.",
            show_default="as the published model",
        ),
    ] = None,
    uppercase: Annotated[bool, typer.Option("--uppercase", help="Read lower case as upper case.")] = False,
    *,
    report: ReportOptions,
) -> None:
    """Make a tokenizer of k-mers; encode with it as with any other."""
    names = None if special_tokens is None else [name for name in special_tokens.split(",") if name]
    tokenizer = Tokenizer.kmer(
        k, overlap=overlap, canonical=canonical, special_tokens=names, uppercase=uppercase
    )
    with output_file(output, TOKENIZER, existing=Existing.COMPARE, force=force) as target:
        target.write(tokenizer.to_json().encode())
    if report.as_json:
        print_json({"output": target.path, "vocab_size": tokenizer.vocab_size, "k": k}, target)
    elif not report.quiet:
        kind = f"{'overlapping' if overlap else 'non-overlapping'}{', canonical' if canonical else ''}"
        say(f"{target.described}: {tokenizer.vocab_size:,} tokens, {k}-mers {kind}", target)
