"""The tokenizer as Python sees it: train, load, save, look inside; `encoder` has what it does with sequences.

A thin wrapper of the native class: it expands path patterns, keeps the training report beside the tokenizer,
and gives the native dictionaries their types.
"""

from collections.abc import Callable, Iterable
from typing import Self, Unpack, cast

from genotok import _native
from genotok.files.paths import Files, expand
from genotok.options import RunKeywords, RunOptions, TrainKeywords, TrainOptions, grouped
from genotok.options.training import DEFAULT_SPECIAL_TOKENS, DEFAULT_VOCAB_SIZE
from genotok.tokenizer.saving import SavedTokenizer
from genotok.tokenizer.training_report import RoundRecord, TrainingReport

__all__ = [
    "DEFAULT_SPECIAL_TOKENS",
    "DEFAULT_VOCAB_SIZE",
    "RoundRecord",
    "Tokenizer",
    "TrainingKeywords",
    "TrainingReport",
    "train_tokenizer",
]


class TrainingKeywords(TrainKeywords, RunKeywords, total=False):
    """The keywords of `Tokenizer.train`."""


class Tokenizer(SavedTokenizer):
    """An exact byte-pair tokenizer for DNA; it never changes once made.

    Make one with `train`, `from_file` or `from_json`. Its file is Hugging Face's `tokenizer.json`.

    Attributes:
        report: What training read and found; None for a tokenizer that was loaded.
    """

    __slots__ = ("report",)

    def __init__(self, native: _native.Tokenizer, report: TrainingReport | None = None) -> None:
        super().__init__(native)
        self.report = report

    @classmethod
    def train(cls, files: Files, **options: Unpack[TrainingKeywords]) -> Self:
        """Learn the merges of `files` by exact byte-pair encoding.

        Time is about ten passes over the corpus whatever the vocabulary; memory is about a quarter of a
        byte per base plus some hundred megabytes. The result does not depend on the number of threads.

        Args:
            files: FASTA or FASTQ (plain, gzip, bgzf, xz, zstd), packed files, folders of shards that
                `pack_shards` made, or `-` for standard input: a path, a pattern such as
                `"genomes/**/*.fa.gz"`, or an iterable of them.
            vocab_size: Number of tokens wanted: special tokens, four bases and merges together.
            min_frequency: Stop when the most frequent pair occurs less often than this.
            special_tokens: Tokens that get the first ids, in this order; none may be a string of bases.
            word_length: Cut words into pieces of this many bases; None leaves them whole.
            max_token_length: Longest token allowed, in bases.
            both_strands: Count each word and its reverse complement.
            allow_unknown: The share of a file's symbols other than N that may be unknown (`corpus.verdict`).
            threads: Threads to use; None for all cores.
            memory: Bytes to stay below, about; packed files are mapped and do not count, whatever their
                size. None for what it takes, which is below a gigabyte beside the text.
            checkpoint: Where a training that is interrupted, by whatever, leaves its merges. It is yours to
                remove once the tokenizer is saved.
            resume: Resume from `checkpoint`, to the result of an uninterrupted training.
            progress: Called about ten times a second at most, with a dictionary; an exception stops the
                training.

        Raises:
            SequenceFileError: A file is empty, cut short, damaged, malformed, or not of nucleotides.
            SymbolError: A sequence holds symbols of no nucleotide code: it looks like protein.
            ArgumentError: An argument is outside its rule; found before anything is read.
            ResourceError: `memory` is too little for the text and the threads.
            OSError: A file cannot be read.
            KeyboardInterrupt: Ctrl-C, within a second.
        """
        training, run = grouped("train", options, TrainOptions, RunOptions)
        return cls(*_trained(files, training, run))

    @classmethod
    def kmer(
        cls,
        k: int,
        *,
        overlap: bool = True,
        canonical: bool = False,
        special_tokens: Iterable[str] | None = None,
        uppercase: bool = False,
    ) -> Self:
        """A tokenizer of k-mers, which needs no training; `reference_kmers` is its specification.

        Args:
            k: Bases in a k-mer, 1 to 12.
            overlap: One k-mer at each position, as DNABERT. Otherwise non-overlapping k-mers, as Nucleotide
                Transformer, or fixed patches: what remains of a run of bases base by base, and N a token of
                its own.
            canonical: A k-mer and its reverse complement are one token.
            special_tokens: Tokens that get the first ids; None for those of DNABERT (overlapping) or
                Nucleotide Transformer, where that model has them.
            uppercase: Read lower case as upper case. Both models do not know them.

        Raises:
            ArgumentError: `k` is out of range, or a special token cannot be one.
        """
        names = None if special_tokens is None else list(special_tokens)
        return cls(
            _native.Tokenizer.kmer(
                k, overlap=overlap, canonical=canonical, special_tokens=names, uppercase=uppercase
            )
        )

    def truncate(self, vocab_size: int) -> Self:
        """The tokenizer that training at the smaller `vocab_size` would have given."""
        return type(self)(self._native.truncate(vocab_size))

    def automaton_size(self) -> tuple[int, int] | None:
        """States and bytes in memory of the automaton that encodes; None if the vocabulary has none.

        The first call builds it, as the first encoding does: some 20 ms for 4,096 tokens.
        """
        return self._native.automaton_size()

    def why_no_automaton(self) -> str | None:
        """Why encoding is slow, if there is no automaton; None for k-mers, whose ids are computed."""
        return self._native.why_no_automaton()

    def __len__(self) -> int:
        return self.vocab_size

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tokenizer):
            return NotImplemented
        return self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.to_json())

    def __repr__(self) -> str:
        return f"<genotok.Tokenizer: {self.vocab_size:,} tokens, {len(self.special_tokens)} of them special>"

    def __reduce__(self) -> tuple[Callable[..., "Tokenizer"], tuple[object, ...]]:
        return _restore, (
            type(self),
            self.to_json(),
            self.report,
            self._native.roles,
            self.model_max_length,
        )


def train_tokenizer(files: Files, training: TrainOptions, run: RunOptions) -> Tokenizer:
    """`Tokenizer.train`, with its options as groups."""
    return Tokenizer(*_trained(files, training, run))


def _trained(
    files: Files, training: TrainOptions, run: RunOptions
) -> tuple[_native.Tokenizer, TrainingReport]:
    """What training makes, and its report."""
    native, report = _native.Tokenizer.train(expand(files, shards=True), training, run)
    return native, cast("TrainingReport", report)


def _restore(
    kind: type[Tokenizer],
    text: str,
    report: TrainingReport | None,
    roles: tuple[dict[str, str], list[str]] = ({}, []),
    model_max_length: int | None = None,
) -> Tokenizer:
    """A pickled tokenizer, from its own file format and what stood beside it."""
    tokenizer = kind(_native.Tokenizer.from_json(text, roles), report)
    tokenizer.model_max_length = model_max_length
    return tokenizer
