"""One adapter for each tool that learns a vocabulary from sequence: words in, tokens and seconds out.

To add a tool, write a class with the members of `Engine` and put it into `ENGINES`. Its library is imported
inside its methods, so that a benchmark runs with whatever is installed.

genotok and Hugging Face follow the same rule, and their merges are compared. SentencePiece follows rules of
its own: its byte-pair trainer counts and breaks ties in another way, its unigram trainer prunes a large
vocabulary instead of growing one. So its tokens are others, and a study says how many are the same.
"""

from __future__ import annotations

import gzip
import importlib.util
import io
import json
import lzma
import os
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Merge = tuple[str, str]

SPECIAL_TOKENS = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]


@dataclass(frozen=True)
class Corpus:
    """FASTA files, and the number of bases their words are cut into; None leaves the words whole."""

    paths: tuple[str, ...]
    word_length: int | None

    def words(self) -> Iterator[str]:
        """Yield the words in order, for tools that read no sequence files; holds one record at a time."""
        from genotok.tokenizer import reference  # noqa: PLC0415

        for path in self.paths:
            for sequence in sequences(Path(path)):
                yield from reference.words_of(sequence, self.word_length)


@dataclass(frozen=True)
class Training:
    """What a tool made of a corpus, and the seconds by the rule that `Engine.timed` states.

    Attributes:
        merges: In order of rank; none from a tool that makes no merges, or keeps them to itself.
        tokens: The tokens in order of id, without special tokens and single bases.
    """

    merges: list[Merge]
    seconds: float
    tokens: list[str]

    @classmethod
    def of_merges(cls, merges: list[Merge], seconds: float) -> Self:
        """By merges, each of which makes one token."""
        return cls(merges, seconds, [left + right for left, right in merges])


class Engine(Protocol):
    """A tool under test."""

    name: str
    timed: str
    """What the seconds hold and what they do not: the first caveat."""
    exact: bool
    """Whether it follows the rule, so that its merges must be those of all others."""

    def available(self) -> bool:
        """Whether the tool is installed."""

    def version(self) -> str:
        """Its version."""

    def environment(self, threads: int) -> dict[str, str]:
        """Variables that hold it to so many threads, set before its process starts."""

    def train(self, corpus: Corpus, vocab_size: int, threads: int) -> Training:
        """Train, with the five usual special tokens."""


class Genotok:
    """This project."""

    name = "genotok"
    timed = "opening, unpacking and reading the files, packing the bases, and training"
    exact = True

    def available(self) -> bool:
        """Whether the tool is installed."""
        return importlib.util.find_spec("genotok._native") is not None

    def version(self) -> str:
        """Its version."""
        return metadata.version("genotok")

    def environment(self, threads: int) -> dict[str, str]:
        """Nothing: the number of threads is an argument."""
        del threads
        return {}

    def train(self, corpus: Corpus, vocab_size: int, threads: int) -> Training:
        """Train on the files themselves."""
        import genotok  # noqa: PLC0415

        start = time.perf_counter()
        tokenizer = genotok.Tokenizer.train(
            list(corpus.paths),
            vocab_size=vocab_size,
            special_tokens=SPECIAL_TOKENS,
            word_length=corpus.word_length,
            threads=threads,
        )
        seconds = time.perf_counter() - start
        return Training.of_merges(tokenizer.merges, seconds)


class HuggingFace:
    """`BpeTrainer` of Hugging Face `tokenizers`, without pre-tokenizer, each word one string."""

    name = "Hugging Face tokenizers"
    timed = "training alone; the words lie in memory as Python strings, made outside the timing"
    exact = True

    def available(self) -> bool:
        """Whether the tool is installed."""
        return importlib.util.find_spec("tokenizers") is not None

    def version(self) -> str:
        """Its version."""
        return metadata.version("tokenizers")

    def environment(self, threads: int) -> dict[str, str]:
        """Its thread pool is rayon's."""
        return {"TOKENIZERS_PARALLELISM": "true", "RAYON_NUM_THREADS": str(threads)}

    def train(self, corpus: Corpus, vocab_size: int, threads: int) -> Training:
        """Train on a list of words; the environment has set the threads."""
        from tokenizers import Tokenizer, models, trainers  # noqa: PLC0415

        del threads
        words = list(corpus.words())
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            special_tokens=list(SPECIAL_TOKENS),
            initial_alphabet=list("ACGT"),
            show_progress=False,
        )
        tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
        start = time.perf_counter()
        tokenizer.train_from_iterator(words, trainer)
        seconds = time.perf_counter() - start
        merges = json.loads(tokenizer.to_str())["model"]["merges"]
        return Training.of_merges([(left, right) for left, right in merges], seconds)


class SentencePiece:
    """Google's SentencePiece without its normalisation of text, each word one sentence."""

    timed = "training from an iterator over Python strings, its own start included; model kept in memory"
    exact = False

    def __init__(self, model: str) -> None:
        self.model, self.name = model, f"SentencePiece {model}"

    def available(self) -> bool:
        """Whether the tool is installed."""
        return importlib.util.find_spec("sentencepiece") is not None

    def version(self) -> str:
        """Its version."""
        return metadata.version("sentencepiece")

    def environment(self, threads: int) -> dict[str, str]:
        """Nothing: the number of threads is an argument."""
        del threads
        return {}

    def train(self, corpus: Corpus, vocab_size: int, threads: int) -> Training:
        """Train on a list of words; pieces may be 256 bases long, as far as it goes."""
        import sentencepiece  # noqa: PLC0415

        words, model = list(corpus.words()), io.BytesIO()
        start = time.perf_counter()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(words),
            model_writer=model,
            model_type=self.model,
            vocab_size=vocab_size,
            num_threads=threads,
            max_sentence_length=2**30,
            max_sentencepiece_length=256,
            character_coverage=1.0,
            normalization_rule_name="identity",
            add_dummy_prefix=False,
            hard_vocab_limit=False,
            bos_id=-1,
            eos_id=-1,
            control_symbols=SPECIAL_TOKENS[1:],
            unk_piece=SPECIAL_TOKENS[0],
            minloglevel=2,
        )
        seconds = time.perf_counter() - start
        read = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
        pieces = [read.id_to_piece(number) for number in range(read.get_piece_size())]
        return Training(
            [], seconds, [piece for piece in pieces if len(piece) > 1 and set(piece) <= set("ACGT")]
        )


ENGINES: dict[str, Engine] = {
    engine.name: engine
    for engine in (Genotok(), HuggingFace(), SentencePiece("bpe"), SentencePiece("unigram"))
}


def sequences(path: Path) -> Iterator[str]:
    """Yield the sequences of a FASTA file, plain, gzip or xz."""
    opener: Callable[..., IO[str]] = {".gz": gzip.open, ".xz": lzma.open}.get(path.suffix, open)  # type: ignore[assignment]
    lines: list[str] = []
    with opener(os.fspath(path), "rt", encoding="ascii") as file:
        for line in file:
            if line.startswith(">"):
                yield "".join(lines)
                lines.clear()
            else:
                lines.append(line.strip())
    yield "".join(lines)
