"""The round loop here, the text there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Unpack, cast

from genotok import _native
from genotok.distributed.storage import is_uri, listed
from genotok.distributed.workers import Workers, check_no_memory
from genotok.errors import ArgumentError, GenotokError
from genotok.files.paths import STANDARD_INPUT, Files, expand
from genotok.options import (
    RayKeywords,
    RayOptions,
    RunKeywords,
    RunOptions,
    TrainKeywords,
    TrainOptions,
    grouped,
)
from genotok.tokenizer import Tokenizer

if TYPE_CHECKING:
    from genotok.tokenizer import TrainingReport

__all__ = ["train", "train_on_ray"]


class TrainingOnRayKeywords(TrainKeywords, RunKeywords, RayKeywords, total=False):
    """The keywords of `train`."""


def train(files: Files, **options: Unpack[TrainingOnRayKeywords]) -> Tokenizer:
    """Learn the merges of `files` on a Ray cluster: those of `Tokenizer.train`, to the bit.

    Args:
        files: Sequence or packed files, or folders of packed shards, under paths that every machine can read,
            or under URIs such as `s3://bucket/shards`, of which each worker fetches its share.
        **options: Those of `Tokenizer.train` but `memory`; `threads` are those of each worker, 1 if none is
            given.
            Also `address`: of a cluster, "auto" for the one that runs here, or "local", which starts one, as
            does None; and `workers`, the processes that hold files: None for as many as the cluster has CPU
            cores for, and files.

    Raises:
        ResourceError: The cluster is gone, or workers die again and again.
        GenotokError, OSError: As for `Tokenizer.train`.
        ArgumentError: Ray is not installed, or an argument is outside its rule.
    """
    training, run, ray = grouped("train", options, TrainOptions, RunOptions, RayOptions)
    return train_on_ray(files, training, run, ray)


def train_on_ray(files: Files, options: TrainOptions, run: RunOptions, ray: RayOptions) -> Tokenizer:
    """`train`, with its options as groups."""
    check_no_memory(run.memory)
    paths = _paths(files)
    training = _native.ShardTraining(len(paths), options, run.progress)
    try:
        threads = 1 if run.threads is None else run.threads
        with Workers(paths, ray, threads=threads, allow_unknown=options.allow_unknown) as held:
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
