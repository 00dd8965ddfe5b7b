"""How tokens change when a sequence starts at another base, has one base changed, or is the other strand.

All three compare the tokens of two encodings by place, on the genome's sample of windows of 1,000 bases. A
token is (start, end, string); places are those of the window as it stands.

- *Shift*: the window without its first base. A token of it is changed if the window has no token at the same
  place. Byte-pair tokens are the same again after a few; non-overlapping k-mers never do.
- *Substitution*: the base in the middle becomes the next one of A, C, G, T, A. A token is changed if the
  window has not the same token at the same place. It is the number of changed tokens that counts: a model
  sees one difference, or k of them.
- *Reverse-complement consistency*: the window's reverse complement, with places counted
  from its end. A token agrees if the window has a token at the same place, whose string is then its reverse
  complement. A tokenizer that reads both strands alike has 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from genotok.study.formulas import share

if TYPE_CHECKING:
    from collections.abc import Iterable

    from genotok.study.subjects import Subject

__all__ = ["reverse_complement_consistency", "shift", "substitution"]

Places = NDArray[np.int64]

NEXT_BASE = str.maketrans("ACGT", "CGTA")
COMPLEMENT = str.maketrans("ACGT", "TGCA")

MAX_PLACE = 1 << 20
"""Windows are shorter than this, so that a place and an id fit into one number."""


def shift(subject: Subject, windows: Iterable[str]) -> tuple[float | None, float | None]:
    """Changed tokens after a shift by one base: mean number in a window, and share of the tokens."""
    whole = list(windows)
    before, _ = _places(subject, whole)
    after, _ = _places(subject, [window[1:] for window in whole], moved=1)
    changed = int(np.count_nonzero(~np.isin(after, before)))
    return share(changed, len(whole)), share(changed, len(after))


def substitution(subject: Subject, windows: Iterable[str]) -> tuple[float | None, float | None]:
    """Changed tokens after one substitution: mean number in a window, and share of the tokens."""
    whole = list(windows)
    _, before = _places(subject, whole)
    _, after = _places(subject, [_substituted(window) for window in whole])
    changed = int(np.count_nonzero(~np.isin(after, before)))
    return share(changed, len(whole)), share(changed, len(after))


def reverse_complement_consistency(subject: Subject, windows: Iterable[str]) -> float | None:
    """The share of tokens of the reverse complement that have the place of a token of the window."""
    whole = list(windows)
    before, _ = _places(subject, whole)
    after, _ = _places(subject, [window.translate(COMPLEMENT)[::-1] for window in whole], from_end=True)
    return share(int(np.count_nonzero(np.isin(after, before))), len(after))


def _substituted(window: str) -> str:
    """The window with the base in its middle changed."""
    middle = len(window) // 2
    return window[:middle] + window[middle : middle + 1].translate(NEXT_BASE) + window[middle + 1 :]


def _places(
    subject: Subject, windows: list[str], *, moved: int = 0, from_end: bool = False
) -> tuple[Places, Places]:
    """A number for the place of each token, and one for its place and its id; unequal in different windows.

    Places are moved up by `moved`, or counted from the end of their window.
    """
    batch = subject.tokenizer.encode_batch(windows, offsets=True, uppercase=True)
    spans = batch.spans
    if spans is None:
        raise TypeError("encode_batch gives places when asked for them")
    window = np.repeat(np.arange(len(windows)), np.diff(batch.offsets))
    starts, ends = spans[:, 0] + moved, spans[:, 1] + moved
    if from_end:
        sizes = np.array([len(each) for each in windows], dtype=np.int64)[window]
        starts, ends = sizes - ends, sizes - starts
    # A window has fewer than MAX_PLACE starts; a start, an end's distance and an id fit behind it.
    place = (window * MAX_PLACE + starts) * MAX_PLACE + (ends - starts)
    # Tokens at one place differ only if a base there does: only a window's own tokens are compared.
    with_id = (window * MAX_PLACE + starts) * MAX_PLACE + batch.values.astype(np.int64)
    return place, with_id
