"""Genomes as a source of pre-training: packed files, cut into windows anew in each epoch.

Sequence files are packed into the folder of the run first; packed files and folders of packed shards are used
where they lie.
"""

from __future__ import annotations

import json
import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from genotok.corpus.mapped import PackedWords
from genotok.corpus.packed import is_packed_file, words_of, write_shards
from genotok.errors import ArgumentError
from genotok.files.checksums import blake3, has_checksum
from genotok.files.identity import object_sha256
from genotok.files.paths import MANIFEST, expand
from genotok.files.reading import read_bytes
from genotok.options import PackOptions, RunOptions
from genotok.pretrain.ahead import PrefetchBlocks, WindowRun
from genotok.pretrain.data import TrainingData
from genotok.pretrain.stretches import FixedWindows, Stretches, WindowEncoder
from genotok.pretrain.windows import Epochs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from transformers import TrainingArguments

    from genotok.options.learning import ModelRunOptions
    from genotok.options.pretraining import PretrainOptions
    from genotok.pretrain.config import PretrainConfig
    from genotok.tokenizer import Tokenizer
    from genotok.training.batches import Masking

__all__ = ["GenomeSource", "open_genomes"]

WORDS = "words"
"""The folder of packed words in the folder of a run."""

SAMPLE = 2_000
"""Windows by which the tokens of a corpus are estimated."""


class GenomeSource:
    """Packed words and the tokenizer that reads them.

    Args:
        packed: The words.
        tokenizer: The tokenizer.
        window: The bases of a window.
        options: Strands, and records to hold out.
        manifest: What the manifest of words in the folder of the run says; None if the words are not there.
    """

    def __init__(
        self,
        packed: PackedWords,
        tokenizer: Tokenizer,
        window: int,
        options: PretrainOptions,
        manifest: Mapping[str, Any] | None = None,
    ) -> None:
        self.packed, self.tokenizer, self.window, self.options = packed, tokenizer, window, options
        self._packed_here: list[dict[str, Any]] = manifest["inputs"] if manifest else []

    @property
    def symbols(self) -> int:
        """All symbols of the sequence files that were packed for the run; 0 if none was."""
        bases: int = sum(one["bases"] for one in self._packed_here)
        return bases + sum(self.unknown.values())

    @cached_property
    def unknown(self) -> dict[str, int]:
        """The symbols between words, by kind."""
        found: dict[str, int] = {}
        for kind, count in (each for one in self._packed_here for each in one["skipped"].items()):
            found[kind] = found.get(kind, 0) + count
        return found

    def digests(self) -> dict[str, Any]:
        """The digest of all words."""
        return {"words": object_sha256(self.packed.checksums)}

    def inputs(self) -> list[dict[str, Any]]:
        """Name, size and checksum of the sequence files, or of the words in packed files."""
        if self._packed_here:
            return [
                {"file": one["name"], "bytes": one["bytes"], "checksum": blake3(one["checksum"])}
                for one in self._packed_here
            ]
        return [
            {"file": path, "bytes": os.path.getsize(path), "checksum of the words": blake3(digits)}
            for path, digits in zip(self.packed.paths, self.packed.checksums, strict=True)
        ]

    def data(self, config: PretrainConfig, masking: Masking, arguments: TrainingArguments) -> TrainingData:
        """Windows to train on, new in each epoch, and windows to evaluate, always the same.

        Raises:
            ArgumentError: A record to hold out does not exist, or nothing is left to train on.
        """
        if config.row_bases is not None:
            raise ArgumentError(f"row_bases={config.row_bases}: selects encoded rows; not with windows")
        window, special = self.window, masking.special
        train, held_out = self._divided(config.held_out)
        encoder = WindowEncoder(train, self.tokenizer, special)
        epochs = Epochs(train.lengths, window, config.seed, stranded=self.options.stranded)
        blocks = PrefetchBlocks(
            config.steps * config.batch, arguments.per_device_train_batch_size, arguments.world_size
        )
        fixed = FixedWindows(encoder, window)
        return TrainingData(
            WindowRun(encoder, epochs, masking, config.seed, blocks),
            fixed,
            FixedWindows(WindowEncoder(held_out, self.tokenizer, special), window),
            _estimated_tokens(fixed, int(self.packed.lengths.sum())),
        )

    def _divided(self, share: float) -> tuple[Stretches, Stretches]:
        """What is trained on, and what is held out."""
        everything = Stretches.of(self.packed)
        if self.options.hold_out:
            out = self._held_out_words()
            train, held_out = everything.select(~out), everything.select(out)
        else:
            train, held_out = everything.divide(self.window, share)
        if not len(train):
            raise ArgumentError(f"{self.packed.paths[0]}: no sequences are left to train on")
        return train, held_out

    def _held_out_words(self) -> NDArray[np.bool_]:
        """Which words are of the records to hold out, (W,)."""
        names: list[str] = []
        for path in self.packed.paths:
            try:
                names += [word.record for word in words_of(path)]
            except FileNotFoundError:
                raise ArgumentError(
                    f"{path}: has no names of records; hold_out needs a folder of packed shards, which "
                    "genotok pack --shard-size makes, or sequence files"
                ) from None
        wanted = set(self.options.hold_out)
        if unknown := sorted(wanted - set(names)):
            some = ", ".join(sorted(set(names))[:6])
            raise ArgumentError(f"hold_out={unknown[0]}: no such record; there are {some}, ...")
        return np.fromiter((name in wanted for name in names), bool, len(names))


def open_genomes(
    files: Sequence[str],
    folder: Path,
    tokenizer: Tokenizer,
    window: int,
    options: PretrainOptions,
    run: ModelRunOptions,
) -> GenomeSource:
    """The words of files, packed into `folder` if necessary; those of an earlier run are used again.

    Raises:
        ArgumentError: Some files are packed and some are not, or the words in the folder are of other files.
        SymbolError, SequenceFileError: A file is malformed.
        OSError: A file cannot be read or written.
    """
    place = folder / WORDS
    if (place / MANIFEST).exists():
        manifest = json.loads(read_bytes(place / MANIFEST))
        _check_inputs(manifest, files, folder, run)
    else:
        paths = expand(files, shards=True)
        are_packed = [is_packed_file(path) for path in paths]
        if all(are_packed):
            return GenomeSource(PackedWords(paths), tokenizer, window, options)
        if any(are_packed):
            raise ArgumentError(
                f"{paths[are_packed.index(False)]}: is not packed, and {paths[are_packed.index(True)]} is; "
                "give packed files alone or none"
            )
        packing = PackOptions(allow_unknown=options.allow_unknown)
        write_shards(paths, place, packing, RunOptions(threads=run.threads, progress=run.progress))
        manifest = json.loads(read_bytes(place / MANIFEST))
    packed = PackedWords(expand([str(place)], shards=True))
    return GenomeSource(packed, tokenizer, window, options, manifest)


def _check_inputs(
    manifest: Mapping[str, Any], files: Sequence[str], folder: Path, run: ModelRunOptions
) -> None:
    """An error unless the words in the folder of a run are of these files; missing files are reported."""
    before = manifest["inputs"]
    try:
        paths = expand(files)
    except FileNotFoundError as error:
        run.notify(f"{error.filename or error}: is missing; the words that {folder} has of it are used")
        return
    if len(paths) != len(before):
        raise ArgumentError(f"{folder}: was started with {len(before):,} files, and {len(paths):,} are given")
    for path, then in zip(paths, before, strict=True):
        if not has_checksum(path, blake3(then["checksum"])):
            raise ArgumentError(
                f"{path}: is not the file that {folder} was started with, {then['name']} (its checksum "
                "differs); give that one, or start a new run in another folder"
            )


def _estimated_tokens(windows: FixedWindows, bases: int) -> int:
    """About how many tokens so many bases have, by windows evenly spaced."""
    found = sampled = 0
    for number in np.linspace(0, len(windows) - 1, min(SAMPLE, len(windows))).astype(np.int64):
        found += len(windows.without_special(int(number)))
        sampled += windows.num_bases(int(number))
    return round(found * bases / sampled)
