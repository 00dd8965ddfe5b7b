"""Which columns of a table are sequences, and which is the label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from genotok.errors import ArgumentError
from genotok.verdict import SYMBOLS

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LABEL", "LINE", "PAIR", "SINGLE", "Chosen", "Wanted", "choose"]

SINGLE = ("sequence",)
PAIR = ("sequence1", "sequence2")
LABEL = "label"
LINE = "line"
"""The column of the line of each row, which text tables have."""

MIN_SEQUENCE = 8
"""A name of so many letters of DNA is no name of a column."""

NAMES_SHOWN = 12
LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a command takes for sequences and labels.

    Attributes:
        sequence: Columns of sequences that the user names: one, of pairs two; none for the usual names.
        label: The column of labels that the user names; None for "label".
        need_label: It is an error if there is none.
        pairs: Whether rows are pairs; None takes either.
        taken: Names that the output's own columns have.
    """

    sequence: tuple[str, ...] = ()
    label: str | None = None
    need_label: bool = False
    pairs: bool | None = None
    taken: frozenset[str] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """Names by which a table is known."""
        return self.sequence or (*SINGLE, *PAIR)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The columns of a table by role: one of sequences, or two; and that of labels, if it is there."""

    sequences: tuple[str, ...]
    label: str | None


def choose(path: str, names: Sequence[str], wanted: Wanted, *, has_lines: bool = True) -> Chosen:
    """The columns of a table by role; a name fits in any case where no column has it to the letter.

    Raises:
        ArgumentError: A column is missing, a name stands twice, or rows are pairs where they must not be.
    """
    if len(set(names)) < len(names):
        raise ArgumentError(f"{path}: a name stands twice among its columns: {_listed(names)}")
    taken = wanted.taken if has_lines else wanted.taken - {LINE}
    if clash := next((name for name in names if name in taken), None):
        raise ArgumentError(f"{path}: a column is called {clash} already, as one that is written; rename it")
    if len(wanted.sequence) > len(PAIR):
        raise ArgumentError(f"sequence={', '.join(wanted.sequence)}: one column is expected, of pairs two")
    sequences = _sequences(path, names, wanted)
    label = _find(names, wanted.label or LABEL)
    if label is None and (wanted.label or wanted.need_label):
        raise _missing(path, names, wanted.label or LABEL, "--label")
    return Chosen(sequences, label)


def _sequences(path: str, names: Sequence[str], wanted: Wanted) -> tuple[str, ...]:
    """The columns of sequences."""
    if wanted.sequence:
        found = [_find(names, name) for name in wanted.sequence]
        for name, one in zip(wanted.sequence, found, strict=True):
            if one is None:
                raise _missing(path, names, name, "--sequence")
        usual = [tuple(one for one in found if one is not None)]
    else:
        sides = [tuple(filter(None, (_find(names, name) for name in side))) for side in (PAIR, SINGLE)]
        usual = [found for found, side in zip(sides, (PAIR, SINGLE), strict=True) if len(found) == len(side)]
    if not usual:
        raise _missing(path, names, (PAIR if wanted.pairs else SINGLE)[0], "--sequence")
    fitting = [one for one in usual if wanted.pairs is None or (len(one) > 1) == wanted.pairs]
    if not fitting:
        has, needs = ("single sequences", "pairs") if wanted.pairs else ("pairs", "single sequences")
        raise ArgumentError(
            f"{path}: has {has} ({', '.join(usual[0])}), and the model was trained on {needs}"
        )
    return fitting[0]


def _find(names: Sequence[str], wanted: str) -> str | None:
    """The column of this name, or else of the same name in another case."""
    if wanted in names:
        return wanted
    return next((name for name in names if name.lower() == wanted.lower()), None)


def _missing(path: str, names: Sequence[str], name: str, option: str) -> ArgumentError:
    """What to say of a column that is not there."""
    if any(len(one) >= MIN_SEQUENCE and SYMBOLS.issuperset(one) for one in names):
        return ArgumentError(
            f"{path}: has no header: a sequence stands in its first line; put one before it, such as "
            "sequence,label"
        )
    return ArgumentError(
        f"{path}: no column is called {name}; they are: {_listed(names)}; name yours with {option}"
    )


def _listed(names: Sequence[str]) -> str:
    """The names, as far as a line has room for them."""
    shown = [name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}..." for name in names]
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(shown[:NAMES_SHOWN]) + more
