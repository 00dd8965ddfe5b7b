"""Open reading frames of a genome, substitutions in them, and what ranks these without a model."""

# Shapes: N substitutions.

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from genotok.variants.edits import reverse_complement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Frame", "Substitution", "codon_scores", "codons", "frames", "markov_scores", "substitutions"]

Numbers = NDArray[np.float64]

BASES = "TCAG"
PROTEIN = "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"
CODE = dict(zip(map("".join, product(BASES, repeat=3)), PROTEIN, strict=True))
"""The genetic code of bacteria (translation table 11) by codon; * is a stop."""

MIN_CODONS = 300
EDGE = 10
"""Codons at both ends of a frame that are left out: the start may be a later ATG."""

ORDER = 3


@dataclass(frozen=True, slots=True)
class Frame:
    """An open reading frame.

    Attributes:
        start: Its first base on the forward strand.
        end: Behind its last one, stop codon included.
        is_reverse: Whether it is read on the reverse strand.
    """

    start: int
    end: int
    is_reverse: bool


@dataclass(frozen=True, slots=True)
class Substitution:
    """A substitution in a frame.

    Attributes:
        frame: The number of the frame.
        position: On the forward strand.
        base: The new base there.
        place: Of the base in its codon, 0 to 2.
        before: The codon, on its strand.
        after: The codon that it becomes.
    """

    frame: int
    position: int
    base: str
    place: int
    before: str
    after: str

    @property
    def kind(self) -> str:
        """What it does to the protein."""
        one, other = CODE[self.before], CODE[self.after]
        return "synonymous" if one == other else "nonsense" if other == "*" else "missense"


def frames(genome: str, least: int = MIN_CODONS) -> list[Frame]:
    """The open reading frames of both strands, in order; of two that overlap the longer one."""
    size, other = len(genome), reverse_complement(genome)
    found = [Frame(start, end, is_reverse=False) for start, end in _on_strand(genome, least)]
    found += [Frame(size - end, size - start, is_reverse=True) for start, end in _on_strand(other, least)]
    kept: list[Frame] = []
    for one in sorted(found, key=lambda frame: (frame.start - frame.end, frame.start)):
        if all(one.end <= kept_one.start or kept_one.end <= one.start for kept_one in kept):
            kept.append(one)
    return sorted(kept, key=lambda frame: frame.start)


def _on_strand(bases: str, least: int) -> Iterator[tuple[int, int]]:
    """Start and end of each stretch from the first ATG to the next stop, of at least so many codons."""
    for offset in range(3):
        start = None
        for at in range(offset, len(bases) - 2, 3):
            codon = bases[at : at + 3]
            if start is None and codon == "ATG":
                start = at
            elif CODE.get(codon, "*") == "*":  # a codon with an N ends a frame, but is no stop
                if start is not None and codon in CODE and at - start >= 3 * least:
                    yield start, at + 3
                start = None


def codons(genome: str, frame: Frame) -> list[str]:
    """The codons of a frame on its strand, without the stop."""
    bases = genome[frame.start : frame.end]
    bases = reverse_complement(bases) if frame.is_reverse else bases
    return [bases[at : at + 3] for at in range(0, len(bases) - 3, 3)]


def substitutions(genome: str, found: Sequence[Frame], per_frame: int, seed: int) -> list[Substitution]:
    """All substitutions of `per_frame` random codons of each frame."""
    draw, made = np.random.default_rng(seed), []
    for number, frame in enumerate(found):
        words = codons(genome, frame)
        inner = np.arange(EDGE, len(words) - EDGE)
        for codon in sorted(draw.choice(inner, min(per_frame, len(inner)), replace=False).tolist()):
            for place, base in product(range(3), BASES):
                word = words[codon]
                if base != word[place]:
                    at = 3 * codon + place
                    position = frame.end - 1 - at if frame.is_reverse else frame.start + at
                    shown = reverse_complement(base) if frame.is_reverse else base
                    after = word[:place] + base + word[place + 1 :]
                    made.append(Substitution(number, position, shown, place, word, after))
    return made


def markov_scores(train: str, genome: str, made: Sequence[Substitution]) -> Numbers:
    """(N,) the log-likelihood with each substitution minus that without, under a chain of third order.

    Counts are of both strands, with one added to each, and the score is the mean over both.
    """
    counts = Counter(dict.fromkeys(map("".join, product("ACGT", repeat=ORDER + 1)), 1))
    for strand in (train, reverse_complement(train)):
        for at in range(len(strand) - ORDER):
            counts[strand[at : at + ORDER + 1]] += 1
    of_context: Counter[str] = Counter()
    for word, number in counts.items():
        of_context[word[:ORDER]] += number
    cost = {
        word: math.log(number / of_context[word[:ORDER]])
        for word, number in counts.items()
        if not word.strip("ACGT")
    }

    def likelihood(bases: str) -> float:
        words = (bases[at : at + ORDER + 1] for at in range(len(bases) - ORDER))
        return sum(cost.get(word, 0.0) for word in words)

    scores = []
    for one in made:
        left, right = genome[max(one.position - ORDER, 0) : one.position], genome[one.position + 1 :][:ORDER]
        before, after = left + genome[one.position] + right, left + one.base + right
        both = [
            likelihood(after) - likelihood(before),
            likelihood(reverse_complement(after)) - likelihood(reverse_complement(before)),
        ]
        scores.append(sum(both) / 2)
    return np.array(scores)


def codon_scores(train: str, made: Sequence[Substitution]) -> Numbers:
    """(N,) the logarithm of the ratio of codon frequencies in frames of train, one added to each count."""
    counts = Counter(dict.fromkeys(CODE, 1))
    for frame in frames(train):
        counts.update(codons(train, frame))
    return np.array([math.log(counts[one.after] / counts[one.before]) for one in made])
