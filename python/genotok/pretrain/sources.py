"""The inputs of a run: encoded once, or cut into windows anew in each epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genotok.corpus.packed import is_packed_file, is_packed_folder
from genotok.errors import ArgumentError
from genotok.pretrain.genome import open_genomes
from genotok.pretrain.tokens import TokenSource, is_tokens, open_tokens, tokenizer_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from genotok.options.learning import ModelRunOptions
    from genotok.options.pretraining import PretrainOptions
    from genotok.pretrain.data import TrainingSource
    from genotok.tokenizer import Tokenizer

__all__ = ["open_source", "tokenizer_of"]


def tokenizer_of(files: Sequence[str], options: PretrainOptions) -> Tokenizer:
    """The tokenizer of a run, after a check of what its inputs look like.

    Raises:
        ArgumentError: The inputs do not go with the options.
        OSError: The tokenizer cannot be read.
    """
    packed = [path for path in files if is_packed_file(path) or is_packed_folder(path)]
    if options.windows is None:
        if options.stranded:
            raise ArgumentError("stranded=True: says how windows are read; needs windows")
        if packed:
            raise ArgumentError(f"{packed[0]}: is packed; --windows BASES trains on it")
    elif is_tokens(files) and not packed:
        raise ArgumentError(
            f"{files[0]}: is not packed; --windows takes sequence files, or what genotok pack made of them"
        )
    return tokenizer_for(() if options.windows else files, options.tokenizer)


def open_source(
    files: Sequence[str], folder: Path, tokenizer: Tokenizer, options: PretrainOptions, run: ModelRunOptions
) -> TrainingSource:
    """The inputs of a run, encoded or packed into its folder if necessary.

    Raises:
        ArgumentError: The inputs are not those of the run to resume.
        SymbolError, SequenceFileError: A file is malformed.
        OSError: A file cannot be read or written.
    """
    if options.windows is not None:
        return open_genomes(files, folder, tokenizer, options.windows, options, run)
    tokens = open_tokens(files, folder, tokenizer, options.allow_unknown, run)
    return TokenSource(tokens, files, tokenizer, options.hold_out)
