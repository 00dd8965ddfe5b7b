"""Tracks: numbers for each base of a region, from masked tokens or from gradients.

Windows. A region is cut into cores of half a window; each core is seen in the middle of a window, which is
clipped at the ends of the contig. A base has the numbers of the window in whose core it is.

`masked_track` masks each token of a core once. The distribution over bases at a place is q of
`genotok.variants`, over the candidates that keep all borders, as the mean over both strands; `entropy` is
that of the mean, in bits. Cost: a row through the model for each token and strand.

`attribution_track` explains an output of a classifier: for each token the product of its input vector (the
output of the embeddings) and the gradient of the output with respect to it, summed over dimensions. A token's
number is divided equally among its bases, and special tokens are left out; the mean over both strands. Cost:
a forward and a backward pass for each window and strand.
"""

# Shapes: L bases of the region.

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from numpy.typing import NDArray

from genotok.model import pack
from genotok.variants.edits import bases_of, reverse_complement
from genotok.variants.rows import BASES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genotok.model import SequenceClassifier
    from genotok.model.encoder import Pooler
    from genotok.options import Progress
    from genotok.variants.passes import MaskedPlace, RowPasses
    from genotok.variants.regions import ContigRegion
    from genotok.variants.rows import RowMaker, TokenIds
    from genotok.variants.scorer import VariantScorer

__all__ = ["BaseTrack", "attribution_track", "masked_track"]

Numbers = NDArray[np.float64]

TOGETHER = 4
"""Windows whose rows are in memory at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class BaseTrack:
    """Numbers for each base of a region.

    Attributes:
        region: The region.
        columns: Name to (L,) numbers; NaN where there are none.
        num_passes: Rows that went through the model.
    """

    region: ContigRegion
    columns: dict[str, Numbers]
    num_passes: int


@dataclass(frozen=True, slots=True)
class _Tile:
    """A window [left, right) of a contig, and its core [start, end)."""

    left: int
    right: int
    start: int
    end: int


def _tiles(region: ContigRegion, window: int) -> list[_Tile]:
    """The windows of a region."""
    step = max(window // 2, 1)
    flank = (window - step) // 2
    size = len(region.contig)
    return [
        _Tile(max(start - flank, 0), min(start + step + flank, size), start, min(start + step, region.end))
        for start in range(region.start, region.end, step)
    ]


def _strands(region: ContigRegion, tile: _Tile, strands: str) -> Iterator[tuple[bool, str]]:
    """Whether a strand is the other one, and the bases of the window on it."""
    bases = bases_of(region.contig, tile.left, tile.right)
    yield False, bases
    if strands == "both":
        yield True, reverse_complement(bases)


def _place(tile: _Tile, at: int, *, is_other: bool) -> int:
    """The place in the contig of a base of a window, counted on its strand."""
    return tile.right - 1 - at if is_other else tile.left + at


def masked_track(scorer: VariantScorer, region: ContigRegion, progress: Progress | None = None) -> BaseTrack:
    """The probabilities of bases under a masked language model.

    Columns are `entropy`, `mass`, `probability` (of the base that is there), `prob_A` to `prob_T`.

    Args:
        scorer: The model; its options give window, strands and batches.
        region: The region.
        progress: Called with a dictionary as the work proceeds; an exception stops it.
    """
    tiles = _tiles(region, scorer.options.window)
    sums, counts = np.zeros((len(region), len(BASES) + 1)), np.zeros(len(region))
    num_passes = 0
    for first in range(0, len(tiles), TOGETHER):
        some = tiles[first : first + TOGETHER]
        passes = scorer.passes()
        asked = [each for tile in some for each in _ask(scorer, passes, region, tile)]
        passes.compute()
        num_passes += passes.num_passes
        for each in asked:
            each.add(scorer.maker, region.start, sums, counts)
        if progress:
            progress(
                {"phase": "scoring", "variants": some[-1].end - region.start, "variants_total": len(region)}
            )
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums / counts[:, None]
        p = means[:, : len(BASES)]
        entropy = -np.where(p > 0, p * np.log2(p), 0.0).sum(1)
    entropy[counts == 0] = np.nan
    columns = {"entropy": entropy, "mass": means[:, -1]}
    there = np.array([BASES.find(base) for base in region.bases])
    columns["probability"] = np.where(there >= 0, p[np.arange(len(p)), there], np.nan)
    columns |= {f"prob_{base}": p[:, number] for number, base in enumerate(BASES)}
    return BaseTrack(region, columns, num_passes)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """A masked token, and the places of its bases in the contig."""

    found: MaskedPlace
    places: list[int]
    tile: _Tile
    is_other: bool

    def add(self, maker: RowMaker, start: int, sums: Numbers, counts: Numbers) -> None:
        """Add the probabilities of bases at the places in the core."""
        p = np.exp(self.found.candidate_log_p)
        mass = p.sum()
        order = BASES[::-1] if self.is_other else BASES  # A, C, G, T as the forward strand has them
        for at, place in enumerate(self.places):
            if self.tile.start <= place < self.tile.end:
                bases = maker.spelled[self.found.candidates, at]
                for number, base in enumerate(order):
                    sums[place - start, number] += p[bases == ord(base)].sum() / mass
                sums[place - start, -1] += mass
                counts[place - start] += 1


def _ask(scorer: VariantScorer, passes: RowPasses, region: ContigRegion, tile: _Tile) -> Iterator[_Asked]:
    """Ask for the tokens of a core, on each strand."""
    maker = scorer.maker
    for is_other, bases in _strands(region, tile, scorer.options.strands):
        ((ids, borders),) = maker.encoded([bases])
        row = maker.around(ids)
        around = [None, *ids.tolist(), None]
        for number, token in enumerate(ids.tolist()):
            places = [
                _place(tile, at, is_other=is_other)
                for at in range(int(borders[number]), int(borders[number + 1]))
            ]
            if maker.lengths[token] and any(tile.start <= place < tile.end for place in places):
                candidates = maker.candidates(around[number], token, around[number + 2])
                place = len(maker.special.before) + number
                yield _Asked(passes.masked(row, place, candidates), places, tile, is_other)


def attribution_track(
    model: SequenceClassifier,
    maker: RowMaker,
    region: ContigRegion,
    output: int,
    scorer_options: tuple[int, str],
    progress: Progress | None = None,
) -> BaseTrack:
    """The share of each base in an output of a classifier: `attribution`.

    Args:
        model: The classifier, in evaluation mode.
        maker: Makes rows under its tokenizer.
        region: The region.
        output: The number of the class.
        scorer_options: The bases of a window, and "both" strands or "forward".
        progress: Called with a dictionary as the work proceeds; an exception stops it.
    """
    window, strands = scorer_options
    sums, counts = np.zeros(len(region)), np.zeros(len(region))
    tiles, num_passes = _tiles(region, window), 0
    for tile in tiles:
        for is_other, bases in _strands(region, tile, strands):
            ((ids, borders),) = maker.encoded([bases])
            values = _products(model, maker.around(ids), output)[len(maker.special.before) :]
            num_passes += 1
            for number in range(len(ids)):
                size = int(borders[number + 1] - borders[number])
                for at in range(int(borders[number]), int(borders[number + 1])):
                    place = _place(tile, at, is_other=is_other)
                    if tile.start <= place < tile.end:
                        sums[place - region.start] += values[number] / size
                        counts[place - region.start] += 1
        if progress:
            progress({"phase": "scoring", "variants": tile.end - region.start, "variants_total": len(region)})
    return BaseTrack(region, {"attribution": sums / counts}, num_passes)


def _products(model: SequenceClassifier, row: TokenIds, output: int) -> Numbers:
    """(T,) for each token the product of its input vector and the gradient of an output."""
    device = next(model.parameters()).device
    packing = pack([len(row)], device)
    ids = torch.from_numpy(row.astype(np.int64)).to(device)
    with torch.no_grad():
        embedded = model.bert.embeddings(ids, None, packing=packing)
    embedded.requires_grad_()
    states = model.bert.encoder(embedded, packing)
    pooler = cast("Pooler", model.bert.pooler)
    scores = model.classifier(pooler(states, packing))
    (gradient,) = torch.autograd.grad(scores[0, output], embedded)
    found: Numbers = (gradient * embedded).sum(1).double().detach().cpu().numpy()
    return found
