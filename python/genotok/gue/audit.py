"""What is wrong with a data set before anything is trained on it: the same sequences in train and test, ...

*Exact* duplicates are equal but for case. *Reverse-complement* ones are equal to the other strand. *Near*
ones share at least `NEAR` of the distinct words of 15 bases, read from both strands, of the one that has more
of them. A row of a later split counts once, under the first of the three that holds, if any row of an earlier
split is such a duplicate of it; within a split it is compared with the rows above it.

Near duplicates are looked for among rows that share one of their `SKETCH` words of lowest hash (a bottom
sketch; Broder, 1997), the `TRIED` that share most of them; a word in more than `COMMON` sketches says nothing
and is left out. A row with nine words of ten in common with another is missed with a chance below 10^-8; one
of many copies of a repeat may be. Time and memory are linear in the letters.
"""

# Shape letters: N rows, W words of a row.

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

__all__ = ["Audit", "Lengths", "Overlap", "SplitAudit", "audit"]

WORD = 15
NEAR = 0.8
SKETCH = 8
COMMON = 200
TRIED = 10
COMPLEMENT = str.maketrans("ACGTURYSWKMBDHVN", "TGCAAYRSWMKVHDBN")
CODES = np.full(256, 4, np.uint64)
for code, letters in enumerate(("Aa", "Cc", "Gg", "TtUu")):
    for one in letters:
        CODES[ord(one)] = code

CountTokens = Callable[[Sequence[str]], NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths of rows."""

    least: int
    median: float
    p95: float
    most: int

    @classmethod
    def of(cls, lengths: NDArray[np.int64]) -> Lengths:
        """Of (N,) lengths."""
        median, p95 = np.quantile(lengths, [0.5, 0.95])
        return cls(int(lengths.min()), float(median), float(p95), int(lengths.max()))


@dataclass(frozen=True, slots=True)
class Numbers:
    """Range, mean and standard deviation of labels that are numbers."""

    least: float
    mean: float
    deviation: float
    most: float

    @classmethod
    def of(cls, labels: NDArray[np.float64]) -> Numbers:
        """Of (N,) labels."""
        figures = (labels.min(), labels.mean(), labels.std(), labels.max())
        return cls(*map(float, figures))


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many rows repeat one of another split, or one above them in their own.

    Attributes:
        exact: Rows with an equal one.
        reverse: Further rows that equal the other strand of one.
        near: Further rows that are almost equal to one.
        conflicting: Of the exact and reverse ones, those with another label.
    """

    exact: int
    reverse: int
    near: int
    conflicting: int

    @property
    def rows(self) -> int:
        """All rows that repeat something."""
        return self.exact + self.reverse + self.near


@dataclass(frozen=True, slots=True)
class SplitAudit:
    """What one split is like.

    Attributes:
        rows: N.
        classes: Rows of each class or label; none if labels are numbers.
        numbers: Their range and mean, if labels are numbers.
        bases: Lengths in bases; pairs counted together.
        tokens: Lengths in tokens with special ones, if a tokenizer was given.
        cut: For each asked-for number of tokens the share of rows that are longer.
        unknown_letters: Letters other than A, C, G, T in either case.
        unknown: Unknown letters, of the tokenizer's if one was given, by kind.
        lower_case: Lower-case letters.
        within: Rows that repeat one above them.
        against: For each earlier split the rows that repeat one of its rows.
    """

    rows: int
    classes: tuple[int, ...]
    numbers: Numbers | None
    bases: Lengths
    tokens: Lengths | None
    cut: dict[int, float]
    unknown_letters: int
    unknown: dict[str, int]
    lower_case: int
    within: Overlap
    against: dict[str, Overlap]


@dataclass(frozen=True, slots=True)
class Audit:
    """All splits of a data set, and what its labels are."""

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
    """Look at all splits, each also against those before it.

    Args:
        splits: In the order train, dev, test.
        classes: What their labels are.
        count_tokens: Tokens of sequences without special ones.
        max_tokens: For which limits to tell how many rows are longer.
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
    """What one split is like."""
    sides = [side for side in (split.sequences, split.partners) if side]
    letters = Counter("".join(map("".join, sides)))
    tokens = None
    if count_tokens is not None:
        # [CLS] one [SEP], or [CLS] one [SEP] other [SEP]
        tokens = sum((count_tokens(side) for side in sides), np.full(len(split), 1 + len(sides), np.int64))
    return SplitAudit(
        rows=len(split),
        classes=tuple(classes.counts(split.labels)),
        numbers=Numbers.of(split.labels) if classes.type == "regression" else None,
        bases=Lengths.of(np.sum([[len(text) for text in side] for side in sides], 0)),
        tokens=None if tokens is None else Lengths.of(tokens),
        cut={} if tokens is None else {most: float((tokens > most).mean()) for most in max_tokens},
        unknown_letters=sum(count for letter, count in letters.items() if letter not in "ACGTacgt"),
        unknown=split.unknown,
        lower_case=sum(count for letter, count in letters.items() if letter.islower()),
        within=within,
        against=against,
    )


class _Rows:
    """The rows of a split as they are compared: upper case, the other strand, a sketch."""

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
    """Rows to compare with."""

    def __init__(self) -> None:
        self._labels: dict[str, Any] = {}
        self._texts: list[str] = []
        self._rows_of: defaultdict[int, list[int]] = defaultdict(list)

    def overlap(self, rows: _Rows) -> Overlap:
        """How many rows repeat one of these."""
        return _total(self._kind(rows, row, rows.words(row)) for row in range(len(rows.texts)))

    def add(self, rows: _Rows) -> Overlap:
        """Take rows in, and tell how many repeat one that was in before them."""
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
        """What kind of duplicate a row is, "" for none, and whether its label is another one."""
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
        """Whether a row's words are mostly those of another."""
        theirs = _words(self._texts[other])
        both = len(np.intersect1d(words, theirs, assume_unique=True))
        return both >= NEAR * max(len(words), len(theirs), 1)


def _total(kinds: Iterable[tuple[str, bool]]) -> Overlap:
    """Counts of each kind."""
    count: Counter[str] = Counter()
    for kind, conflicts in kinds:
        count[kind] += 1
        count["conflicting"] += conflicts
    return Overlap(count["exact"], count["reverse"], count["near"], count["conflicting"])


def _words(text: str) -> NDArray[np.uint64]:
    """The hashes of a sequence's distinct words of 15 bases, read from both strands, sorted."""
    codes = CODES[np.frombuffer(text.encode("ascii"), np.uint8)]
    if len(codes) < WORD:
        return np.empty(0, np.uint64)
    windows = np.lib.stride_tricks.sliding_window_view(codes, WORD)
    windows = windows[(windows < 4).all(1)]
    places = np.uint64(4) ** np.arange(WORD, dtype=np.uint64)
    forward, backward = windows @ places[::-1], (3 - windows) @ places
    return np.unique(_mixed(np.minimum(forward, backward)))


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A hash of each word (the finaliser of SplitMix64), so that a sketch is no sample of the alphabet."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        words = (words ^ (words >> np.uint64(shift))) * np.uint64(factor)
    return words
