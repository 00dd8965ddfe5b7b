"""The audit of a data set before training: duplicates within and across splits, balance, lengths.

*Exact* duplicates are equal except for case. *Reverse-complement* duplicates equal the other strand. *Near*
duplicates share at least `NEAR` of the distinct canonical words of 15 bases of the row that has more of them.
A row of a later split counts once, under the first of the three that applies, if any row of an earlier split
is such a duplicate of it; within a split a row is compared with the rows above it.

Near duplicates are searched among rows that share one of their `SKETCH` words of lowest hash (a bottom
sketch; Broder, 1997): the `TRIED` rows that share most of them. A word in more than `COMMON` sketches is not
specific and is ignored. A row that shares nine of ten words with another is missed with probability below
10^-8; one of many copies of a repeat may be missed. Time and memory are linear in the number of bases.
"""

# Dimensions: N rows, W words of a row.

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from genotok.gue.files import LabelledSplit
    from genotok.gue.labels import Labels, ProblemType

__all__ = ["Audit", "LengthStatistics", "Overlap", "SplitAudit", "audit"]

WORD = 15
NEAR = 0.8
SKETCH = 8
COMMON = 200
TRIED = 10
COMPLEMENT = str.maketrans("ACGTURYSWKMBDHVN", "TGCAAYRSWMKVHDBN")
CODES = np.full(256, 4, np.uint64)
for code, symbols in enumerate(("Aa", "Cc", "Gg", "TtUu")):
    for one in symbols:
        CODES[ord(one)] = code

CountTokens = Callable[[Sequence[str]], NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class LengthStatistics:
    """Minimum, median, 95th percentile and maximum of the lengths of rows."""

    least: int
    median: float
    p95: float
    most: int

    @classmethod
    def of(cls, lengths: NDArray[np.int64]) -> LengthStatistics:
        """Of (N,) lengths."""
        median, p95 = np.quantile(lengths, [0.5, 0.95])
        return cls(int(lengths.min()), float(median), float(p95), int(lengths.max()))


@dataclass(frozen=True, slots=True)
class LabelStatistics:
    """Range, mean and standard deviation of numeric labels."""

    least: float
    mean: float
    deviation: float
    most: float

    @classmethod
    def of(cls, labels: NDArray[np.float64]) -> LabelStatistics:
        """Of (N,) labels."""
        figures = (labels.min(), labels.mean(), labels.std(), labels.max())
        return cls(*map(float, figures))


@dataclass(frozen=True, slots=True)
class Overlap:
    """Rows that duplicate a row of another split, or one above them in their own.

    Attributes:
        exact: Number of exact duplicates.
        reverse: Number of further rows that are reverse-complement duplicates.
        near: Number of further rows that are near duplicates.
        conflicting: Of the exact and reverse-complement duplicates, those with a different label.
    """

    exact: int
    reverse: int
    near: int
    conflicting: int

    @property
    def rows(self) -> int:
        """All duplicates."""
        return self.exact + self.reverse + self.near


@dataclass(frozen=True, slots=True)
class SplitAudit:
    """The audit of one split.

    Attributes:
        rows: N.
        classes: Rows of each class or label; none for numeric labels.
        numbers: Statistics of numeric labels.
        bases: Lengths in bases; those of a pair are added.
        tokens: Lengths in tokens, special tokens included, if a tokenizer was given.
        cut: For each limit in tokens, the share of longer rows.
        other_symbols: Number of symbols other than A, C, G, T in either case.
        unknown: Number of symbols outside the vocabulary of the tokenizer, if one was given, by symbol.
        lower_case: Number of lower-case symbols.
        within: Duplicates of rows above them.
        against: For each earlier split, the duplicates of its rows.
    """

    rows: int
    classes: tuple[int, ...]
    numbers: LabelStatistics | None
    bases: LengthStatistics
    tokens: LengthStatistics | None
    cut: dict[int, float]
    other_symbols: int
    unknown: dict[str, int]
    lower_case: int
    within: Overlap
    against: dict[str, Overlap]


@dataclass(frozen=True, slots=True)
class Audit:
    """The audit of all splits of a data set, and its labels."""

    problem_type: ProblemType
    classes: tuple[str, ...]
    splits: dict[str, SplitAudit]


def audit(
    splits: dict[str, LabelledSplit],
    classes: Labels,
    *,
    count_tokens: CountTokens | None = None,
    max_tokens: Sequence[int] = (),
) -> Audit:
    """Audit all splits, each also against those before it.

    Args:
        splits: In the order train, dev, test.
        classes: Their labels.
        count_tokens: Counts the tokens of sequences, without special tokens.
        max_tokens: Limits for which to report the share of longer rows.
    """
    seen: dict[str, _Index] = {}
    found: dict[str, SplitAudit] = {}
    for name, split in splits.items():
        rows = _Rows(split)
        against = {earlier: index.overlap(rows) for earlier, index in seen.items()}
        seen[name] = _Index()
        within = seen[name].add(rows)
        found[name] = _describe(split, classes, within, against, count_tokens, max_tokens)
    names = () if classes.type == "regression" else classes.names
    return Audit(classes.type, names, found)


def _describe(
    split: LabelledSplit,
    classes: Labels,
    within: Overlap,
    against: dict[str, Overlap],
    count_tokens: CountTokens | None,
    max_tokens: Sequence[int],
) -> SplitAudit:
    """The audit of one split."""
    sides = [side for side in (split.sequences, split.partners) if side]
    symbols = Counter("".join(map("".join, sides)))
    tokens = None
    if count_tokens is not None:
        # [CLS] one [SEP], or [CLS] one [SEP] other [SEP]
        tokens = sum((count_tokens(side) for side in sides), np.full(len(split), 1 + len(sides), np.int64))
    return SplitAudit(
        rows=len(split),
        classes=tuple(classes.counts(split.labels)),
        numbers=LabelStatistics.of(split.labels) if classes.type == "regression" else None,
        bases=LengthStatistics.of(np.sum([[len(text) for text in side] for side in sides], 0)),
        tokens=None if tokens is None else LengthStatistics.of(tokens),
        cut={} if tokens is None else {limit: float((tokens > limit).mean()) for limit in max_tokens},
        other_symbols=sum(count for symbol, count in symbols.items() if symbol not in "ACGTacgt"),
        unknown=split.unknown,
        lower_case=sum(count for symbol, count in symbols.items() if symbol.islower()),
        within=within,
        against=against,
    )


class _Rows:
    """The rows of a split in comparable form: upper case, reverse complement, sketch."""

    def __init__(self, split: LabelledSplit) -> None:
        partners = split.partners or ("",) * len(split)
        self.labels: list[Any] = split.labels.tolist()
        # The separator keeps a pair from being equal to its concatenation.
        self.texts = [f"{one}|{other}".upper() for one, other in zip(split.sequences, partners, strict=True)]
        self.reverses = [
            "|".join(part[::-1].translate(COMPLEMENT) for part in text.split("|")) for text in self.texts
        ]

    def words(self, row: int) -> NDArray[np.uint64]:
        """The hashes of the distinct words of a row, sorted."""
        return _words(self.texts[row])


class _Index:
    """An index of rows to compare with."""

    def __init__(self) -> None:
        self._labels: dict[str, Any] = {}
        self._texts: list[str] = []
        self._rows_of: defaultdict[int, list[int]] = defaultdict(list)

    def overlap(self, rows: _Rows) -> Overlap:
        """Duplicates of the indexed rows."""
        return _total(self._kind(rows, row, rows.words(row)) for row in range(len(rows.texts)))

    def add(self, rows: _Rows) -> Overlap:
        """Index rows; returns those that duplicate a row indexed before."""
        kinds = []
        for row, text in enumerate(rows.texts):
            words = rows.words(row)
            kinds.append(self._kind(rows, row, words))
            self._labels.setdefault(text, rows.labels[row])
            for word in words[:SKETCH].tolist():
                holders = self._rows_of[word]
                if len(holders) <= COMMON:
                    holders.append(len(self._texts))
            self._texts.append(text)
        return _total(kinds)

    def _kind(self, rows: _Rows, row: int, words: NDArray[np.uint64]) -> tuple[str, bool]:
        """The kind of duplicate that a row is, "" for none, and whether its label differs."""
        label = rows.labels[row]
        for kind, text in (("exact", rows.texts[row]), ("reverse", rows.reverses[row])):
            if text in self._labels:
                return kind, self._labels[text] != label
        shared = Counter[int]()
        for word in words[:SKETCH].tolist():
            holders = self._rows_of.get(word, ())
            if len(holders) <= COMMON:
                shared.update(holders)
        near = any(self._is_near(words, other) for other, _ in shared.most_common(TRIED))
        return ("near" if near else ""), False

    def _is_near(self, words: NDArray[np.uint64], other: int) -> bool:
        """Whether a row shares `NEAR` of its words with another."""
        theirs = _words(self._texts[other])
        both = len(np.intersect1d(words, theirs, assume_unique=True))
        return both >= NEAR * max(len(words), len(theirs), 1)


def _total(kinds: Iterable[tuple[str, bool]]) -> Overlap:
    """The number of duplicates of each kind."""
    count: Counter[str] = Counter()
    for kind, conflicts in kinds:
        count[kind] += 1
        count["conflicting"] += conflicts
    return Overlap(count["exact"], count["reverse"], count["near"], count["conflicting"])


def _words(text: str) -> NDArray[np.uint64]:
    """The hashes of a sequence's distinct canonical words of 15 bases, sorted."""
    codes = CODES[np.frombuffer(text.encode("ascii"), np.uint8)]
    if len(codes) < WORD:
        return np.empty(0, np.uint64)
    windows = np.lib.stride_tricks.sliding_window_view(codes, WORD)
    windows = windows[(windows < 4).all(1)]
    places = np.uint64(4) ** np.arange(WORD, dtype=np.uint64)
    forward, backward = windows @ places[::-1], (3 - windows) @ places
    return np.unique(_mixed(np.minimum(forward, backward)))


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A hash of each word (the finalizer of SplitMix64), so that sketches do not prefer words of A."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        words = (words ^ (words >> np.uint64(shift))) * np.uint64(factor)
    return words
