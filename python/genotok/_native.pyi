"""The native module: arguments in, the interpreter's lock released, the core called, errors mapped.

Use `genotok.Tokenizer` and `genotok.pack`; they add path patterns and reports.
"""

from collections.abc import Callable
from typing import final

__all__ = ["Tokenizer", "check", "pack", "simulate"]

@final
class Tokenizer:
    @staticmethod
    def train(
        paths: list[str],
        *,
        vocab_size: int,
        min_frequency: int,
        special_tokens: list[str],
        word_length: int | None,
        max_token_length: int | None,
        both_strands: bool,
        threads: int | None,
        checkpoint: str | None,
        resume: bool,
        progress: Callable[[dict[str, object]], None] | None,
    ) -> tuple[Tokenizer, dict[str, object]]: ...
    @staticmethod
    def train_words(
        words: list[tuple[str, int]],
        *,
        vocab_size: int,
        min_frequency: int,
        special_tokens: list[str],
        max_token_length: int | None,
        threads: int | None,
        seed: int | None,
    ) -> Tokenizer: ...
    @staticmethod
    def from_json(text: str) -> Tokenizer: ...
    @staticmethod
    def from_file(path: str) -> Tokenizer: ...
    def to_json(self) -> str: ...
    def save(self, path: str) -> None: ...
    def truncate(self, vocab_size: int) -> Tokenizer: ...
    @property
    def merges(self) -> list[tuple[str, str]]: ...
    @property
    def vocab(self) -> dict[str, int]: ...
    @property
    def vocab_size(self) -> int: ...
    @property
    def special_tokens(self) -> list[str]: ...
    def encode(self, sequence: str) -> list[int]: ...
    def decode(self, ids: list[int]) -> str: ...
    def explain(self, sequence: str) -> list[dict[str, object]]: ...

def check(
    paths: list[str],
    *,
    limit: int,
    threads: int | None,
    progress: Callable[[dict[str, object]], None] | None,
) -> list[dict[str, object]]: ...
def pack(
    paths: list[str],
    output: str,
    *,
    threads: int | None,
    progress: Callable[[dict[str, object]], None] | None,
) -> dict[str, object]: ...
def simulate(num_bases: int, seed: int) -> bytes: ...
