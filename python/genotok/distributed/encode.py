"""Encoding over Ray: every input is a portion of the folder, encoded by whoever is free."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

from genotok.dataset.encode import encode as write_encoded
from genotok.distributed.cluster import LOCAL, cluster, raise_cause, told
from genotok.errors import ArgumentError
from genotok.files.paths import STANDARD_INPUT, Files, expand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genotok.dataset.encode import EncodingReport
    from genotok.dataset.formats import FormatName
    from genotok.dataset.manifest import Portion
    from genotok.dataset.portions import PortionWork, RowOptions
    from genotok.tokenizer import Tokenizer

__all__ = ["encode"]

RETRIES = 3
"""How often an input is encoded again whose worker died."""


def encode(
    tokenizer: Tokenizer,
    files: Files,
    output: str | os.PathLike[str],
    *,
    address: str = LOCAL,
    workers: int | None = None,
    threads: int = 1,
    format: FormatName | str | None = None,  # noqa: A002
    shard_size: int | None = None,
    resume: bool = False,
    force: bool = False,
    **rows: Unpack[RowOptions],
) -> EncodingReport:
    """Write the rows of `files` to a folder of shards on a Ray cluster: the same files as without.

    Each input is one piece of work, and an input whose worker dies is encoded again, over what there is of
    it. So a folder can be gone on with, here or there.

    Args:
        tokenizer: It makes the ids.
        files: Sequence files under paths that every machine can read.
        output: A folder that every machine can write to.
        address: Of a cluster, "auto" for the one that runs here, or "local", which starts one.
        workers: Inputs that are encoded at a time; None for as many as there are processors.
        threads: Threads of each.
        format: As for `genotok.dataset.encode.encode`, like all that follow.
        shard_size: Bases after which a new file is begun.
        resume: Go on with a folder whose run was killed.
        force: Replace a folder that is there.
        **rows: As for `Tokenizer.encode_files`.

    Raises:
        ResourceError: The cluster is gone, or the worker of an input dies again and again.
        GenotokError, OSError: As for `genotok.dataset.encode.encode`.
    """
    paths = [path if path == STANDARD_INPUT else os.path.abspath(path) for path in expand(files)]
    if STANDARD_INPUT in paths:
        raise ArgumentError("files=-: other machines cannot read this one's standard input; name files")
    for name, number in (("workers", workers), ("threads", threads)):
        if number is not None and number < 1:
            raise ArgumentError(f"{name}={number}: at least 1 is expected")
    folder = os.path.join(os.path.abspath(os.fspath(output)), "")
    with cluster(address, workers and workers * threads) as ray:
        slots = max(int(ray.cluster_resources().get("CPU", 1)) // threads, 1)
        return write_encoded(
            tokenizer,
            paths,
            folder,
            format=format,
            shard_size=shard_size,
            resume=resume,
            force=force,
            threads=threads,
            elsewhere=partial(_spread, ray, address, min(workers or slots, slots), threads),
            **rows,
        )


def _spread(
    ray: Any, address: str, at_once: int, threads: int, work: PortionWork, left: range
) -> Iterator[Portion]:
    """The portions in order, some of them in the making meanwhile."""
    # A worker that is gone is none of the program's errors: only then is a task done again.
    encode_one = ray.remote(_encode).options(num_cpus=threads, max_retries=RETRIES)
    with told(ray, address):
        shared = ray.put(work)
        pending: list[Any] = []
        for index in left:
            pending.append(encode_one.remote(shared, index))
            if len(pending) > at_once:
                yield _get(ray, pending.pop(0))
        while pending:
            yield _get(ray, pending.pop(0))


def _encode(work: PortionWork, index: int) -> Portion:
    return work.encode(index)


def _get(ray: Any, ref: Any) -> Portion:
    """A portion, or what its worker could not do."""
    try:
        found: Portion = ray.get(ref)
    except ray.exceptions.RayTaskError as error:
        raise_cause(error)
    return found
