"""The round loop here, the text there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

from genotok import _native
from genotok.distributed.cluster import LOCAL
from genotok.distributed.storage import is_uri, listed
from genotok.distributed.workers import Workers
from genotok.errors import ArgumentError, GenotokError
from genotok.files.paths import STANDARD_INPUT, Files, expand
from genotok.tokenizer import DEFAULT_SPECIAL_TOKENS, DEFAULT_VOCAB_SIZE, Tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from genotok.tokenizer import TrainingReport
    from genotok.tokenizer.encoder import Progress

__all__ = ["train"]


def train(
    files: Files,
    *,
    address: str = LOCAL,
    workers: int | None = None,
    threads: int = 1,
    vocab_size: int = DEFAULT_VOCAB_SIZE,
    min_frequency: int = 0,
    special_tokens: Iterable[str] = DEFAULT_SPECIAL_TOKENS,
    word_length: int | None = None,
    max_token_length: int | None = None,
    both_strands: bool = False,
    allow_unknown: float = _native.MAX_UNKNOWN,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> Tokenizer:
    """Learn the merges of `files` on a Ray cluster: those of `Tokenizer.train`, to the bit.

    Args:
        files: Sequence or packed files, or folders of packed shards, under paths that every machine can read,
            or under URIs such as `s3://bucket/shards`, of which each worker fetches its share.
        address: Of a cluster, "auto" for the one that runs here, or "local", which starts one.
        workers: Processes that hold files; None for as many as the cluster has processors for, and files.
        threads: Threads of each.
        vocab_size: As for `Tokenizer.train`, like all that follow.
        min_frequency: Stop when the most frequent pair occurs less often than this.
        special_tokens: Tokens with the first ids.
        word_length: Cut words into pieces of this many bases.
        max_token_length: Longest token allowed, in bases.
        both_strands: Count each word and its reverse complement.
        allow_unknown: The share of a file's symbols other than N that may be unknown.
        checkpoint: Where a training that ends early leaves its merges.
        resume: Go on from it.
        progress: Called with a dictionary now and then; an exception stops the training.

    Raises:
        ResourceError: The cluster is gone, or workers die again and again.
        GenotokError, OSError: As for `Tokenizer.train`.
        ArgumentError: Ray is not installed, or an argument is outside its rule.
    """
    paths = _paths(files)
    training = _native.ShardTraining(
        len(paths),
        vocab_size=vocab_size,
        min_frequency=min_frequency,
        special_tokens=list(special_tokens),
        word_length=word_length,
        max_token_length=max_token_length,
        both_strands=both_strands,
        threads=None,
        checkpoint=None if checkpoint is None else os.fspath(checkpoint),
        resume=resume,
        progress=progress,
    )
    try:
        with Workers(
            paths, address=address, workers=workers, threads=threads, allow_unknown=allow_unknown
        ) as held:
            while (question := training.next()) is not None:
                training.answer(held.ask(question, training.look))
    except BaseException:
        training.stop()
        raise
    found = training.result()
    if found is None:
        raise GenotokError("internal error, please report it: training ended without a result")
    native, report = found
    return Tokenizer(native, cast("TrainingReport", report))


def _paths(files: Files) -> list[str]:
    """All files: paths from the root, and URIs as they are."""
    given = [files] if isinstance(files, str | os.PathLike) else list(files)
    uris: list[str] = []
    local: list[str | os.PathLike[str]] = []
    for path in given:
        if isinstance(path, str) and is_uri(path):
            uris.append(path)
        else:
            local.append(path)
    paths = expand(local, shards=True) if local or not uris else []
    if STANDARD_INPUT in paths:
        raise ArgumentError("files=-: other machines cannot read this one's standard input; name files")
    return [*map(os.path.abspath, paths), *(found for uri in uris for found in listed(uri))]
