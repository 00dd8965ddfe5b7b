"""Regions of a reference, as samtools writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genotok.errors import ArgumentError

if TYPE_CHECKING:
    from genotok.variants.reference import Contig, Reference

__all__ = ["ContigRegion"]

RANGE = re.compile(r"(?P<contig>.+):(?P<start>[0-9,]+)(-(?P<end>[0-9,]+))?")


@dataclass(frozen=True, slots=True)
class ContigRegion:
    """A part of a contig.

    Attributes:
        contig: The contig.
        start: The first base, counted from 0.
        end: Behind the last one.
    """

    contig: Contig
    start: int
    end: int

    @classmethod
    def of(cls, text: str, reference: Reference) -> ContigRegion:
        """The region `chr20:1-2,000` (from 1, both ends included), `chr20:5000` (to the end), or `chr20`.

        A contig whose name is the whole text goes first, so that names may have colons.

        Raises:
            ArgumentError: There is no such contig, or the region is empty or reaches past its end.
        """
        found = RANGE.fullmatch(text)
        if text in reference.contigs or found is None:
            contig = reference.contig(text)
            start, end = 0, len(contig)
        else:
            contig = reference.contig(found["contig"])
            start = int(found["start"].replace(",", "") or 0) - 1
            end = int(found["end"].replace(",", "") or 0) if found["end"] else len(contig)
        if not 0 <= start < end <= len(contig):
            raise ArgumentError(
                f"region={text}: a part of {contig.name}, which has {len(contig):,} bases, is expected; "
                "positions count from 1"
            )
        return cls(contig, start, end)

    @property
    def bases(self) -> str:
        """The bases of the region."""
        return self.contig[self.start : self.end].decode("latin-1")

    def __len__(self) -> int:
        return self.end - self.start

    def __str__(self) -> str:
        return f"{self.contig.name}:{self.start + 1:,}-{self.end:,}"
