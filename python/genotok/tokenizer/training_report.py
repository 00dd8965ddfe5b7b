"""What training a tokenizer tells of itself."""

from typing import Literal, TypedDict

__all__ = ["RoundRecord", "TrainingReport"]


class RoundRecord(TypedDict):
    """One pass over the corpus: how many merges it committed, from how many guessed pairs, in what time.

    `seconds` is the sum of the three phases: the guess with the automaton, the pass, the replay.
    """

    round: int
    merges: int
    guessed_pairs: int
    islands: int
    theta: int
    seconds: float
    seconds_guess: float
    seconds_pass: float
    seconds_replay: float


class TrainingReport(TypedDict):
    """What training read and found; `skipped` counts the symbols outside A, C, G and T by kind."""

    files: int
    records: int
    empty_records: int
    words: int
    bases: int
    skipped: dict[str, int]
    both_strands: bool
    word_length: int | None
    vocab_size: int
    merges: int
    rounds: int
    resumed_merges: int
    stopped: Literal["vocabulary full", "no pair left", "min_frequency"]
    seconds_reading: float
    seconds_training: float
    threads: int
    tokens: int
    bases_per_token: float
    longest_tokens: list[str]
    fingerprint: str
    round_log: list[RoundRecord]
