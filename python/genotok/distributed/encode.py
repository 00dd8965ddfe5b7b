"""Encoding over Ray: every input is a portion of the folder, encoded by any free worker."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

from genotok.dataset.encode import EncodingOptions, encode_dataset
from genotok.distributed.cluster import LOCAL, Contact, cluster, raise_cause, told
from genotok.distributed.workers import check_no_memory, check_workers
from genotok.errors import ArgumentError
from genotok.files.paths import STANDARD_INPUT, Files, expand
from genotok.options import (
    OutputKeywords,
    OutputOptions,
    RayKeywords,
    RayOptions,
    RowKeywords,
    RowOptions,
    RunKeywords,
    RunOptions,
    grouped,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genotok.dataset.encode import EncodingReport
    from genotok.dataset.manifest import Portion
    from genotok.dataset.portions import RemoteJob
    from genotok.tokenizer import Tokenizer

__all__ = ["encode", "encode_on_ray"]

RETRIES = 3
"""How often an input is encoded again whose worker died."""


class EncodeOnRayKeywords(OutputKeywords, RowKeywords, RayKeywords, RunKeywords, total=False):
    """The keywords of `encode`."""


def encode(
    tokenizer: Tokenizer,
    files: Files,
    output: str | os.PathLike[str],
    **options: Unpack[EncodeOnRayKeywords],
) -> EncodingReport:
    """Write the rows of `files` to a folder of shards on a Ray cluster: the same files as without.

    Each input is one piece of work, and an input whose worker dies is encoded again, over what there is of
    it. So a folder can be resumed, on Ray or without.

    Args:
        tokenizer: It makes the ids.
        files: Sequence files under paths that every machine can read.
        output: A folder that every machine can write to.
        **options: Those of `genotok.dataset.encode.encode`; `threads` are those of each worker, 1 if none is
            given, and `progress` is not called. Also `address`: of a cluster, "auto" for the one that runs
            here, or "local", which starts one, as does None; and `workers`, the inputs that are encoded at a
            time, None for as many as there are CPU cores.

    Raises:
        ResourceError: The cluster is gone, or the worker of an input dies again and again.
        GenotokError, OSError: As for `genotok.dataset.encode.encode`.
    """
    chosen, rows, run, ray = grouped("encode", options, OutputOptions, RowOptions, RunOptions, RayOptions)
    return encode_on_ray(tokenizer, files, output, EncodingOptions(chosen, rows, run), ray)


def encode_on_ray(
    tokenizer: Tokenizer,
    files: Files,
    output: str | os.PathLike[str],
    options: EncodingOptions,
    ray: RayOptions,
) -> EncodingReport:
    """`encode`, with its options as groups."""
    paths = [path if path == STANDARD_INPUT else os.path.abspath(path) for path in expand(files)]
    if STANDARD_INPUT in paths:
        raise ArgumentError("files=-: other machines cannot read this one's standard input; name files")
    threads = 1 if options.run.threads is None else options.run.threads
    check_workers(ray.workers, threads)
    check_no_memory(options.run.memory)
    folder = os.path.join(os.path.abspath(os.fspath(output)), "")
    address = ray.address or LOCAL
    with cluster(address, ray.workers and ray.workers * threads) as module:
        slots = max(int(module.cluster_resources().get("CPU", 1)) // threads, 1)
        at_once = min(ray.workers or slots, slots)
        options = options._replace(run=RunOptions(threads=threads))
        remote = partial(_encode_remotely, module, address, at_once)
        return encode_dataset(tokenizer, paths, folder, options, remote)


def _encode_remotely(ray: Any, address: str, at_once: int, work: RemoteJob, left: range) -> Iterator[Portion]:
    """The portions in order, as many at a time as there are workers."""
    # A worker that is gone is none of the program's errors: only then is a task done again.
    encode_one = ray.remote(_encode).options(num_cpus=work.threads, max_retries=RETRIES)
    contact = Contact(ray)
    with told(ray, address):
        shared = ray.put(work)
        pending: list[Any] = []
        for index in left:
            pending.append(encode_one.remote(shared, index))
            if len(pending) > at_once:
                yield _get(ray, contact, pending.pop(0))
        while pending:
            yield _get(ray, contact, pending.pop(0))


def _encode(work: RemoteJob, index: int) -> Portion:
    return work.encode(index)


def _get(ray: Any, contact: Contact, ref: Any) -> Portion:
    """A portion, or what its worker could not do."""
    try:
        found: Portion = contact.get(ref)
    except ray.exceptions.RayTaskError as error:
        raise_cause(error)
    return found
