"""Missense, synonymous and nonsense substitutions told apart without labels: evidence for `genotok score`.

    python -m benchmarks.coding_variants split genomes/ecoli_k12_mg1655.fa -o coli    # train.fa and test.fa
    genotok train-bpe --vocab 512 coli/train.fa -o coli/tokenizer.json
    genotok pretrain coli/train.fa -t coli/tokenizer.json --windows 500 --preset tiny -o coli/model
    python -m benchmarks.coding_variants score coli --model coli/model -o coding-variants.json

A model that was pre-trained on the first four fifths of a bacterial genome scores substitutions in long open
reading frames of the last fifth. An open reading frame here is ATG to a stop codon, of at least 300 codons;
of two that overlap the longer is kept. In random codons of each, all nine substitutions of a codon are
scored, and what they do to the protein makes their class. Selection removes nonsense before missense before
synonymous changes, so a score that knows something ranks them in this order.

What else could rank them, each as a score of its own on the same substitutions:

- a Markov chain of third order, trained on both strands of train: it knows frequent tetramers, not genes;
- codon frequencies in the open reading frames of train: the logarithm of the ratio. No stop codon stands in a
  frame, so it separates nonsense by its making.

And controls, as synonymous changes differ in more than their effect: within strata of codon position and the
two bases (synonymous changes are mostly at third positions, and more often transitions), and within tenths
of the codon frequencies' ratio (rare codons are rare whatever they do). An area within strata is the mean
over strata, weighted by their pairs. Intervals are of drawn reading frames.
"""

# Shapes: N substitutions.

from __future__ import annotations

import argparse
import math
import time
from collections import Counter
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.reading_frames import (
    Substitution,
    codon_scores,
    frames,
    markov_scores,
    substitutions,
)
from genotok.files.atomic import write_atomic
from genotok.run_records.provenance import Provenance
from genotok.run_records.schemas import BenchmarkRecord
from genotok.variants import Edit, VariantScorer, VariantScores

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["area", "classes", "main", "within"]

Record = dict[str, Any]
Numbers = NDArray[np.float64]

DRAWS = 300
CAVEATS = (
    "Reading frames are found by their length, without annotation. Codon frequencies separate nonsense by "
    "their making, as no stop codon stands in a frame."
)
CONTRASTS = (("nonsense", "synonymous"), ("missense", "synonymous"), ("nonsense", "missense"))


def area(low: Numbers, high: Numbers) -> float:
    """The chance that a random number of `low` is below one of `high`, equal ones counting one half."""
    if not len(low) or not len(high):
        return math.nan
    both = np.concatenate([low, high])
    _, index, counts = np.unique(both, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    total = float(ranks[index[len(low) :]].sum()) - len(high) * (len(high) + 1) / 2
    return total / (len(low) * len(high))


def within(low: Numbers, high: Numbers, strata: tuple[NDArray[Any], NDArray[Any]]) -> float:
    """`area` within strata: the mean weighted by pairs; NaN if no stratum has both."""
    total = pairs = 0.0
    for stratum in set(strata[0].tolist()) & set(strata[1].tolist()):
        one, other = low[strata[0] == stratum], high[strata[1] == stratum]
        total += area(one, other) * len(one) * len(other)
        pairs += len(one) * len(other)
    return total / pairs if pairs else math.nan


def classes(
    made: Sequence[Substitution], scores: Mapping[str, Numbers], codon: Numbers, seed: int
) -> list[Record]:
    """For each contrast and score the area, alone and within strata, with intervals of drawn frames."""
    kinds = np.array([one.kind for one in made])
    owner = np.array([one.frame for one in made])
    changes = np.array([f"{one.place}{one.before[one.place]}{one.after[one.place]}" for one in made])
    tenths = np.digitize(codon, np.quantile(codon, np.linspace(0.1, 0.9, 9)))
    numbers = np.unique(owner)
    rows_of = {number: np.flatnonzero(owner == number) for number in numbers}
    draw = np.random.default_rng(seed)
    drawn = [
        np.concatenate([rows_of[one] for one in draw.choice(numbers, len(numbers))]) for _ in range(DRAWS)
    ]
    found = []
    for (worse, better), (name, values) in product(CONTRASTS, scores.items()):

        def figures(
            rows: NDArray[np.int64], worse: str = worse, better: str = better, values: Numbers = values
        ) -> tuple[float, ...]:
            low, high = (rows[kinds[rows] == kind] for kind in (worse, better))
            sides = values[low], values[high]
            return (
                area(*sides),
                within(*sides, (changes[low], changes[high])),
                within(*sides, (tenths[low], tenths[high])),
            )

        point = figures(np.arange(len(made)))
        spread = np.array([figures(rows) for rows in drawn])
        ends = zip(*map(_interval, spread.T), strict=True)
        names = ("all", "same change", "same usage")
        found.append(
            {
                "title": f"{worse} below {better}, {name}",
                "worse": worse,
                "better": better,
                "score": name,
                **{
                    key: {"area": value, "low": low, "high": high}
                    for key, value, low, high in zip(names, point, *ends, strict=True)
                    if not math.isnan(value)
                },
            }
        )
    return found


def _interval(values: Numbers) -> tuple[float, float]:
    """The middle 95 % of what is a number."""
    there = values[~np.isnan(values)]
    if not len(there):
        return math.nan, math.nan
    low, high = np.percentile(there, [2.5, 97.5])
    return float(low), float(high)


def read_bases(path: Path) -> str:
    """The one sequence of a FASTA file."""
    lines = path.read_text(encoding="ascii").split("\n")
    if not lines[0].startswith(">") or any(line.startswith(">") for line in lines[1:]):
        raise SystemExit(f"{path}: one record of FASTA is expected")
    return "".join(lines[1:]).upper()


def split(source: Path, folder: Path, share: float = 0.8) -> None:
    """Write the first part of a genome as train.fa, the rest as test.fa."""
    bases = read_bases(source)
    border = int(share * len(bases))
    for name, part in (("train", bases[:border]), ("test", bases[border:])):
        lines = (part[at : at + 80] for at in range(0, len(part), 80))
        write_atomic(folder / f"{name}.fa", "\n".join([f">{name}", *lines, ""]).encode())


def model_scores(
    given: argparse.Namespace, genome: str, made: Sequence[Substitution]
) -> tuple[VariantScores, float]:
    """The scores of the model, and the seconds that they took."""
    scorer = VariantScorer(
        given.model, scores=("pll", "marginal", "embedding"), window=given.window, threads=given.threads
    )
    start = time.perf_counter()
    found = scorer.score(genome, (Edit(one.position, one.position + 1, one.base) for one in made))
    return found, time.perf_counter() - start


def _scores(
    train: str, genome: str, made: Sequence[Substitution], found: VariantScores
) -> Iterator[tuple[str, Numbers]]:
    """All scores by name; lower means worse."""
    yield "pll", found.pll
    yield "marginal", found.marginal
    yield "embedding", -found.embedding
    yield "Markov chain", markov_scores(train, genome, made)
    yield "codon frequencies", codon_scores(train, made)


def main(words: Sequence[str] | None = None) -> None:
    """Split a genome, or score and write the record."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.coding_variants", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("work", choices=("split", "score"))
    parser.add_argument(
        "source", type=Path, help="a genome of one record; or the folder of train.fa and test.fa"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="the folder, or the record")
    parser.add_argument("--model", help="a folder of genotok pretrain")
    parser.add_argument("--window", type=int, default=256, help="bases around a variant (default: 256)")
    parser.add_argument("--frames", type=int, default=200, help="reading frames, at random (default: 200)")
    parser.add_argument("--codons", type=int, default=8, help="codons of each (default: 8)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, help="threads of torch (default: all cores)")
    given = parser.parse_args(words)
    if given.work == "split":
        given.output.mkdir(parents=True, exist_ok=True)
        split(given.source, given.output)
        return
    if given.model is None:
        parser.error("score needs --model")
    train, genome = (read_bases(given.source / f"{name}.fa") for name in ("train", "test"))
    known = frames(genome)
    draw = np.random.default_rng(given.seed)
    taken = sorted(draw.choice(len(known), min(given.frames, len(known)), replace=False).tolist())
    made = substitutions(genome, [known[number] for number in taken], given.codons, given.seed)
    found, seconds = model_scores(given, genome, made)
    scores = dict(_scores(train, genome, made, found))
    cases = classes(made, scores, scores["codon frequencies"], given.seed)
    numbers = Counter(one.kind for one in made)
    is_marginal = found.marginal_from != "pll"
    record = BenchmarkRecord(
        kind="coding-variants",
        provenance=Provenance.now(("torch",), seeds=[given.seed], inputs={}),
        threads=given.threads,
        cases=cases,
        caveats=[CAVEATS],
        more={
            "substitutions": dict(numbers),
            "frames": len(taken),
            "frames_found": len(known),
            "window": given.window,
            "marginal_share": float(is_marginal.mean()),
            "median_mass": float(np.nanmedian(found.mass[is_marginal])) if is_marginal.any() else None,
            "passes": found.num_passes,
            "seconds": round(seconds, 1),
        },
    )
    write_atomic(given.output, record.text().encode())
    for case in cases:
        if "all" in case:
            print(f"{case['title']}: {case['all']['area']:.3f}")


if __name__ == "__main__":
    main()
