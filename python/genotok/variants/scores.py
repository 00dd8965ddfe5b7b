"""Scores of variants as arrays, and how those of strands make one; `genotok.variants` defines them."""

# Shapes: N variants, D hidden.

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from genotok.variants.edits import WindowEdit
    from genotok.variants.passes import MaskedPlace, RowPasses
    from genotok.variants.rows import EditedRow, TokenIds

__all__ = ["StrandWork", "VariantScores", "scores_of"]

Numbers = NDArray[np.float64]

KINDS: dict[str, Any] = {
    "pll": np.float64,
    "pll_per_base": np.float64,
    "marginal": np.float64,
    "mass": np.float64,
    "marginal_from": np.dtype("U4"),
    "embedding": np.float64,
    "tokens_before": np.int64,
    "tokens_after": np.int64,
}


@dataclass(frozen=True, slots=True, eq=False)
class VariantScores:
    """The scores of N variants, in their order; NaN for a score that was not asked for, or does not exist.

    Attributes:
        pll: (N,) the difference of pseudo-log-likelihoods, alternative minus reference.
        pll_per_base: (N,) the same, each of the two divided by the bases that it covers.
        marginal: (N,) the logarithm of the ratio of base probabilities, or `pll`.
        mass: (N,) the probability of all candidates of `marginal`.
        marginal_from: (N,) where `marginal` comes from: "both" strands, "+", "-", or "pll"; "" without it.
        embedding: (N,) the distance of mean vectors.
        tokens_before: (N,) affected tokens of the reference row, of the forward strand.
        tokens_after: (N,) those of the alternative row.
        num_passes: Rows that went through the model.
    """

    pll: Numbers
    pll_per_base: Numbers
    marginal: Numbers
    mass: Numbers
    marginal_from: NDArray[np.str_]
    embedding: Numbers
    tokens_before: NDArray[np.int64]
    tokens_after: NDArray[np.int64]
    num_passes: int

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]], num_passes: int) -> VariantScores:
        """The scores of variants that `scores_of` returned."""
        columns = {name: np.array([row[name] for row in rows], kind) for name, kind in KINDS.items()}
        return cls(**columns, num_passes=num_passes)

    @classmethod
    def joined(cls, parts: Sequence[VariantScores]) -> VariantScores:
        """The scores of the variants of all parts, at least one, in order."""
        names = [field.name for field in fields(cls) if field.name != "num_passes"]
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        return cls(**columns, num_passes=sum(part.num_passes for part in parts))

    def __len__(self) -> int:
        return len(self.pll)


@dataclass(slots=True, eq=False)
class StrandWork:
    """What is computed for one variant on one strand.

    Attributes:
        edit: The variant in its window.
        row: The tokens, and which are affected.
        reference: The reference row, special tokens included.
        alternative: The alternative row.
        before: The affected tokens of the reference row, if `pll` is computed.
        after: Those of the alternative row.
        marginal: The token with the variant; which of its candidates have the bases of the reference, and
            which those of the alternative; None without candidates.
        vectors: The numbers of both mean vectors, if `embedding` is computed.
    """

    edit: WindowEdit
    row: EditedRow
    reference: TokenIds
    alternative: TokenIds
    before: list[MaskedPlace] = field(default_factory=list)
    after: list[MaskedPlace] = field(default_factory=list)
    marginal: tuple[MaskedPlace, NDArray[np.bool_], NDArray[np.bool_]] | None = None
    vectors: tuple[int, int] | None = None

    @property
    def pll(self) -> float:
        """The difference of pseudo-log-likelihoods."""
        return _sum(self.after) - _sum(self.before)

    @property
    def pll_per_base(self) -> float:
        """The same per base."""
        before, after = self.row.covered
        return _sum(self.after) / after - _sum(self.before) / before if before and after else np.nan

    @property
    def ratio(self) -> tuple[float, float]:
        """The logarithm of the ratio of base probabilities, and the mass of all candidates."""
        if self.marginal is None:
            return np.nan, np.nan
        place, is_one, is_other = self.marginal
        log_p = place.candidate_log_p
        one, other = (np.logaddexp.reduce(log_p[which]) for which in (is_one, is_other))
        return float(other - one), float(np.exp(log_p).sum())


def scores_of(strands: Sequence[StrandWork], passes: RowPasses, scores: Sequence[str]) -> dict[str, Any]:
    """The scores of one variant, as the means over one or both strands, by name."""
    found: dict[str, Any] = dict.fromkeys(KINDS, np.nan)
    row = strands[0].row
    found |= {"marginal_from": "", "tokens_before": len(row.before), "tokens_after": len(row.after)}
    pll = _mean([work.pll for work in strands])
    if "pll" in scores:
        found["pll"], found["pll_per_base"] = pll, _mean([work.pll_per_base for work in strands])
    if "marginal" in scores:
        ratios = [(sign, *work.ratio) for sign, work in zip("+-", strands, strict=False) if work.marginal]
        found["marginal"], found["marginal_from"] = pll, "pll"
        if ratios:
            found["marginal"] = _mean([ratio for _, ratio, _ in ratios])
            found["mass"] = _mean([mass for _, _, mass in ratios])
            found["marginal_from"] = "both" if len(ratios) == 2 else ratios[0][0]
    if "embedding" in scores:
        pairs = [work.vectors for work in strands if work.vectors]
        distances = [
            passes.vector_of(one).astype(np.float64) - passes.vector_of(other) for one, other in pairs
        ]
        found["embedding"] = _mean([float(np.linalg.norm(one)) for one in distances])
    return found


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)


def _sum(places: Sequence[MaskedPlace]) -> float:
    return float(sum(place.log_p for place in places))
