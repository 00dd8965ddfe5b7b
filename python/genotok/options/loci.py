"""What sequences of one locus are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypedDict

from genotok.options.declaration import LOCI, Option, check_numbers

__all__ = ["LocusKeywords", "LocusOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocusOptions:
    """When two sequences are of one locus; `genotok.gue.loci` has the definitions.

    Attributes:
        min_overlap: Equal bases in a row, at least; 8 or more.
        min_identity: The share of equal bases in the whole overlap, at least.
        max_sequences: Sequences that hold an indexed k-mer, at most; others are repeats, which are no loci.

    Raises:
        ArgumentError: A number is out of range.
    """

    min_overlap: Annotated[
        int,
        Option(
            "Sequences of one locus share a run of this many bases.",
            metavar="BASES",
            min=8,
            max=1 << 20,
            panel=LOCI,
        ),
    ] = 50
    min_identity: Annotated[
        float,
        Option(
            "They agree on this share of their overlap.",
            metavar="SHARE",
            min=0,
            max=1,
            panel=LOCI,
        ),
    ] = 0.9
    max_sequences: Annotated[
        int,
        Option("Ignore k-mers that more sequences have.", metavar="N", min=1, panel=LOCI),
    ] = 200

    def __post_init__(self) -> None:
        """Check the numbers."""
        check_numbers(self)


class LocusKeywords(TypedDict, total=False):
    """`LocusOptions` as keywords."""

    min_overlap: int
    min_identity: float
    max_sequences: int
