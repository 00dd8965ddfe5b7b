"""Variants per second of `genotok.variants`, beside the naive way.

    python -m benchmarks.variants
    python -m benchmarks.variants --presets tiny-1m --variants 64 -o variants-speed.json

Substitutions at random places of *E. coli*, windows of 512 bases, one strand, `pll`, a vocabulary of 4,096
tokens trained there, random weights, two threads. The naive way encodes both windows of a variant and masks
every token of both, a row at a time; its sum over the affected tokens must equal ours before anything is said
about speed. What its rows say of other tokens is not used. The naive way has fewer variants, as each takes it
some two hundred rows.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

import genotok
from genotok.files.atomic import write_atomic
from genotok.model import PRESETS, EncoderConfig, MaskedLanguageModel, pack
from genotok.run_records.provenance import Provenance
from genotok.run_records.schemas import BenchmarkRecord
from genotok.tokenizer.special_ids import SpecialIds
from genotok.variants import Edit, VariantScorer
from genotok.variants.edits import WindowEdit

if TYPE_CHECKING:
    from genotok.variants.rows import RowMaker

ROOT = Path(__file__).resolve().parent.parent
GENOME = ROOT / "genomes" / "ecoli_k12_mg1655.fa"
SIZES = ("tiny-1m", "mini-5m", "small-14m", "dnabert2-117m")
WINDOW = 512
THREADS = 2
NAIVE = {"tiny-1m": 16, "mini-5m": 8, "small-14m": 4, "dnabert2-117m": 2}
"""Variants that the naive way scores."""

CAVEATS = (
    "Random weights, so that the scores mean nothing; rows, masks and products are those of a trained model. "
    "The naive way takes rows one at a time, as loops over positions do; both have the same attention and "
    "threads."
)


def naive(
    model: MaskedLanguageModel, tokenizer: genotok.Tokenizer, maker: RowMaker, edit: WindowEdit
) -> float:
    """`pll` of a variant from all tokens of both windows, each masked alone in a row of its own."""
    special = SpecialIds.of(tokenizer)
    (row,) = maker.rows([edit])
    sums = []
    for bases, number in ((edit.bases, len(row.before)), (edit.changed, len(row.after))):
        ids = [*special.before, *tokenizer.encode(bases), *special.behind]
        found = []
        for place in range(len(special.before), len(ids) - len(special.behind)):
            masked = torch.tensor(ids)
            masked[place] = special.mask
            with torch.inference_mode():
                scores = model(masked, pack([len(ids)]))[1][place]
            found.append(float(torch.log_softmax(scores.float(), 0)[ids[place]]))
        sums.append(sum(found[row.first : row.first + number]))
    return sums[1] - sums[0]


def measure(preset: str, tokenizer: genotok.Tokenizer, edits: list[WindowEdit]) -> dict[str, Any]:
    """The figures of one preset."""
    torch.manual_seed(0)
    config = EncoderConfig.preset(preset, vocab_size=tokenizer.vocab_size)
    model = MaskedLanguageModel(config).eval()
    scorer = VariantScorer(model, tokenizer, window=WINDOW, strands="forward", scores=("pll",))
    some = edits[: NAIVE[preset]]
    start = time.perf_counter()
    expected = [naive(model, tokenizer, scorer.maker, edit) for edit in some]
    naive_seconds = time.perf_counter() - start
    ours = scorer.score_windows(some).pll
    assert max(abs(one - other) for one, other in zip(ours, expected, strict=True)) < 1e-3
    start = time.perf_counter()
    found = scorer.score_windows(edits)
    seconds = time.perf_counter() - start
    return {
        "preset": preset,
        "variants": len(edits),
        "seconds": round(seconds, 3),
        "variants_per_second": round(len(edits) / seconds, 2),
        "passes_per_variant": round(found.num_passes / len(edits), 2),
        "naive_variants": len(some),
        "naive_variants_per_second": round(len(some) / naive_seconds, 4),
        "times_faster": round(len(edits) / seconds / (len(some) / naive_seconds), 1),
    }


def main() -> None:
    """Measure, and print a line of JSON for each preset."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--presets", nargs="+", default=list(SIZES), choices=sorted(set(SIZES) & set(PRESETS))
    )
    parser.add_argument("--variants", type=int, default=256)
    parser.add_argument("--threads", type=int, default=THREADS)
    parser.add_argument("-o", "--output", type=Path, help="also write a record")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    tokenizer = genotok.Tokenizer.train(GENOME, vocab_size=4096)
    bases = "".join(GENOME.read_text().split("\n")[1:]).upper()
    source = random.Random(1)
    edits = []
    while len(edits) < arguments.variants:
        at = source.randrange(len(bases))
        alt = source.choice("ACGT".replace(bases[at], ""))
        edits.append(WindowEdit.around(bases, Edit(at, at + 1, alt), WINDOW))
    print(json.dumps({"window": WINDOW, "threads": arguments.threads, "caveats": CAVEATS}))
    cases = []
    for preset in arguments.presets:
        cases.append({"title": preset, **measure(preset, tokenizer, edits)})
        print(json.dumps(cases[-1]), flush=True)
    if arguments.output:
        record = BenchmarkRecord(
            kind="variants-speed",
            provenance=Provenance.now(("torch",), seeds=[1]),
            threads=arguments.threads,
            cases=cases,
            caveats=[CAVEATS],
            more={"window": WINDOW},
        )
        write_atomic(arguments.output, record.text().encode())


if __name__ == "__main__":
    main()
