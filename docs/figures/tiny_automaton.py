"""The states of a small tokenizer's automaton, built as `rust/src/bpe/encode/automaton.rs` defines them.

Two tokens are compatible if the string of both encodes to both. To ask this of all pairs takes time with the
square of the vocabulary, so this is for figures and tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import genotok

__all__ = ["MARKS", "State", "states"]

MARKS = 3
"""States that genotok adds for what is no base: white space, unknown symbols, lower case."""

OpenStart = tuple[str, frozenset[str]]
"""The bases read since the start, and the longer tokens with this prefix that may still come of it."""


class State(NamedTuple):
    """The last token of a prefix ("" at the start of a word), and its open starts, oldest first."""

    last: str
    open_starts: tuple[OpenStart, ...]


def states(tokenizer: genotok.Tokenizer) -> dict[State, dict[str, State]]:
    """All states that a text reaches, breadth-first, each with the state after each base.

    Raises:
        ValueError: Two tokens of the tokenizer qualify as last, or none: it was not made by training.
    """
    tokens = [token for token in tokenizer.vocab if token not in tokenizer.special_tokens]
    follow = {last: frozenset(t for t in tokens if compatible(tokenizer, last, t)) for last in ["", *tokens]}
    start = State("", (("", follow[""]),))
    found: dict[State, dict[str, State]] = {start: {}}
    for state in (queue := [start]):
        for base in "ACGT":
            after = step(state, base, follow)
            found[state][base] = after
            if after not in found:
                found[after] = {}
                queue.append(after)
    return found


def compatible(tokenizer: genotok.Tokenizer, last: str, token: str) -> bool:
    """Whether the string of both encodes to both; every token may stand first."""
    pair = [tokenizer.token_to_id(one) for one in (last, token) if one]
    return tokenizer.encode(last + token) == pair


def step(state: State, base: str, follow: dict[str, frozenset[str]]) -> State:
    """The state after a base: open starts grow or close, one token ends, and a start opens after it."""
    grown = [(prefix + base, allowed) for prefix, allowed in state.open_starts]
    ended = [prefix for prefix, allowed in grown if prefix in allowed]
    if len(ended) != 1:
        raise ValueError(f"{ended}: one token is expected to end")
    longer = [
        (prefix, frozenset(token for token in allowed if token.startswith(prefix) and token != prefix))
        for prefix, allowed in grown
    ]
    return State(ended[0], (*((prefix, rest) for prefix, rest in longer if rest), ("", follow[ended[0]])))
