"""The tokens of a run: token files as they are, or sequence files, encoded once for the run."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genotok.dataset import TokenDataset
from genotok.dataset.encode import encode
from genotok.dataset.journal import is_folder_of_shards, is_whole
from genotok.errors import ArgumentError
from genotok.files.checksums import digits_of, has_checksum
from genotok.files.identity import file_sha256, object_sha256, vocabulary_sha256
from genotok.files.paths import expand
from genotok.model_folder.spelling import spelling_for
from genotok.pretrain.corpus import BaseFilter, PretrainingCorpus, TrainingRun
from genotok.pretrain.data import TrainingData
from genotok.tokenizer import Tokenizer
from genotok.training.new_encoder import new_encoder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from transformers import TrainingArguments

    from genotok.dataset.manifest import InputEntry
    from genotok.options.learning import ModelRunOptions
    from genotok.pretrain.config import PretrainConfig
    from genotok.training.batches import Masking

__all__ = [
    "TOKENIZER",
    "TokenSource",
    "bases_of_tokens",
    "digests_of",
    "is_tokens",
    "open_tokens",
    "overlap_of",
    "spelling_if_seen",
    "tokenizer_for",
]

TOKENS = "tokens"
TOKENIZER = "tokenizer.json"
ENDINGS = (".arrow", ".arrows", ".parquet", ".bin")


class TokenSource:
    """Encoded sequences, cut into pieces once for all epochs.

    Args:
        tokens: The sequences.
        files: The inputs, as they were given.
        tokenizer: What they were encoded with.
        hold_out: Records to hold out.
    """

    def __init__(
        self, tokens: TokenDataset, files: Sequence[str], tokenizer: Tokenizer, hold_out: Sequence[str]
    ) -> None:
        self.tokens, self.files, self.tokenizer, self.hold_out = tokens, files, tokenizer, hold_out
        found = tokens.manifest.totals() if tokens.manifest else None
        self.symbols: int = found.symbols if found else 0
        self.unknown: dict[str, int] = found.unknown_symbols if found else {}

    def digests(self) -> dict[str, Any]:
        """The digest of the tokens."""
        return {"tokens": digests_of(self.tokens, self.files)}

    def inputs(self) -> list[dict[str, Any]]:
        """The sequence files of the tokens, if a manifest names them; else the token files."""
        if self.tokens.manifest is None:
            return [{"file": name} for name in self.files]
        inputs = (one for portion in self.tokens.manifest.portions for one in portion.inputs)
        return [{"file": one.path, "bytes": one.bytes, **_digest(one)} for one in inputs]

    def data(self, config: PretrainConfig, masking: Masking, arguments: TrainingArguments) -> TrainingData:
        """Pieces to train on and to evaluate.

        Raises:
            ArgumentError: A record to hold out does not exist, or nothing is left to train on.
        """
        del arguments
        added = bases_of_tokens(self.tokenizer)
        only = BaseFilter(config.row_bases, added, overlap_of(self.tokenizer)) if config.row_bases else None
        corpus = PretrainingCorpus.of(
            self.tokens, masking.special, config.max_tokens, config.held_out, self.hold_out, only
        )
        run = TrainingRun(corpus.train, masking, config.steps * config.batch, config.seed)
        return TrainingData(run, corpus.train, corpus.held_out, corpus.tokens)


def _digest(entry: InputEntry) -> dict[str, str | None]:
    """The SHA-256 of a file, if it is still the one that was encoded; else the checksum that is known."""
    if entry.checksum and os.path.isfile(entry.path) and has_checksum(entry.path, entry.checksum):
        return {"SHA-256": file_sha256(entry.path)}
    return {"checksum": entry.checksum}


def is_tokens(files: Sequence[str]) -> bool:
    """Whether `files` is one folder or file of encoded sequences."""
    return len(files) == 1 and (os.path.isdir(files[0]) or files[0].endswith(ENDINGS))


def tokenizer_for(files: Sequence[str], given: str | None) -> Tokenizer:
    """The given tokenizer, that of the token folder, or `tokenizer.json` in the working directory."""
    beside = Path(files[0]) / TOKENIZER if is_tokens(files) else Path(TOKENIZER)
    return Tokenizer.from_file(given if given is not None else beside)


def open_tokens(
    files: Sequence[str], folder: Path, tokenizer: Tokenizer, allow_unknown: float, run: ModelRunOptions
) -> TokenDataset:
    """The tokens of files, encoded into `folder` if necessary; tokens of an earlier run are used again.

    Symbols outside the vocabulary are left out, and no token spans them, as in the corpus of DNABERT-2.

    Raises:
        ArgumentError: The tokens are of another vocabulary, or those of an earlier run are of other files.
        SymbolError, SequenceFileError: A file is malformed.
        OSError: A file cannot be read or written.
    """
    if is_tokens(files):
        found = TokenDataset(files[0])
        size, digest = found.facts.get("vocab_size"), found.facts.get("tokenizer_sha256")
        if size is not None and size != tokenizer.vocab_size:
            raise ArgumentError(
                f"{files[0]}: encoded with {size:,} tokens, and the tokenizer has {tokenizer.vocab_size:,}"
            )
        if (
            size is not None
            and digest not in {None, *tokenizer.digests}
            and not _is_like(files[0], tokenizer)
        ):
            raise ArgumentError(
                f"{files[0]}: encoded with another tokenizer of {size:,} tokens; name it by -t"
            )
        return found
    place = folder / TOKENS
    if not is_whole(str(place)):
        encode(
            tokenizer,
            expand(files),
            f"{place}{os.sep}",
            format="arrow",
            resume=is_folder_of_shards(str(place)),
            threads=run.threads,
            progress=run.progress,
            unknown="split",
            uppercase=True,
            allow_unknown=allow_unknown,
        )
        return TokenDataset(place)
    found = TokenDataset(place)
    _check_shards(found, place)
    _check_inputs(found, files, folder, run.notify)
    return found


def _is_like(tokens: str, tokenizer: Tokenizer) -> bool:
    """Whether a folder of tokens holds a tokenizer of the same vocabulary and merges.

    A model's folder may hold the tokenizer in another form, such as one that upper-cases.
    """
    beside = Path(tokens) / TOKENIZER
    return beside.is_file() and vocabulary_sha256(Tokenizer.from_file(beside)) == vocabulary_sha256(tokenizer)


def _check_shards(found: TokenDataset, place: Path) -> None:
    """An error unless the token files match their checksums; reads all of them."""
    if found.manifest is None:
        return
    for file in (one for shard in found.manifest.shards for one in shard.files):
        if not has_checksum(place / file.name, file.checksum):
            raise ArgumentError(
                f"{place / file.name}: was cut or altered since it was written; remove the folder {place} "
                "to encode anew"
            )


def _check_inputs(
    found: TokenDataset, files: Sequence[str], folder: Path, on_status: Callable[[str], None]
) -> None:
    """An error unless the tokens are of these files, by digest; missing files are reported."""
    if found.manifest is None:
        return
    before = [one for portion in found.manifest.portions for one in portion.inputs]
    missing = [path for path in files if not glob.has_magic(path) and not os.path.exists(path)]
    if missing:
        on_status(f"{missing[0]}: is missing; the tokens that {folder} has of it are used")
        return
    paths = expand(files)
    if len(paths) != len(before):
        raise ArgumentError(f"{folder}: was started with {len(before):,} files, and {len(paths):,} are given")
    for path, then in zip(paths, before, strict=True):
        if then.checksum is not None and os.path.isfile(path) and not has_checksum(path, then.checksum):
            raise ArgumentError(
                f"{path}: is not the file that {folder} was started with, {then.path} (its checksum "
                "differs); give that one, or start a new run in another folder"
            )


def digests_of(tokens: TokenDataset, files: Sequence[str]) -> str | None:
    """The digest of tokens: that of the checksums of their shards, or of their file."""
    if tokens.manifest is None:
        return file_sha256(files[0])
    return object_sha256([digits_of(one.checksum) for shard in tokens.manifest.shards for one in shard.files])


def bases_of_tokens(tokenizer: Tokenizer) -> NDArray[np.int64]:
    """Bases that each token adds to a sequence, by id, (V,); 0 for special tokens and those of N.

    That is its length, or 1 for overlapping k-mers.
    """
    bases = np.zeros(tokenizer.vocab_size, np.int64)
    for text, number in tokenizer.vocab.items():
        if not text.upper().strip("ACGT"):
            bases[number] = len(text)
    return np.minimum(bases, 1) if overlap_of(tokenizer) else bases


def spelling_if_seen(tokenizer: Tokenizer, config: PretrainConfig) -> str:
    """The bases of each token if the encoder of the settings sees them, else "".

    Raises:
        ArgumentError: It does, and the tokens of a sequence do not spell it.
    """
    if new_encoder(config).base_features == "none":
        return ""
    try:
        return spelling_for(tokenizer)
    except ArgumentError as error:
        plain = config.encoder.removesuffix("-bases")
        raise ArgumentError(f"{error}; encoder={plain} has no base features") from None


def overlap_of(tokenizer: Tokenizer) -> int:
    """Bases that a token shares with the next: k - 1 for overlapping k-mers, else 0."""
    longest = max((len(text) for text in tokenizer.vocab if not text.strip("ACGT")), default=0)
    probe = "ACGT" * (longest + 1)
    overlaps = longest > 1 and len(tokenizer.encode(probe)) == len(probe) - longest + 1
    return longest - 1 if overlaps else 0
