"""Ray actors that hold files, and what is asked of them together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self, cast

from genotok import _native
from genotok.distributed.cluster import (
    LOCAL,
    TICK,
    Contact,
    cluster,
    lost,
    raise_cause,
    ray_module,
    told,
)
from genotok.distributed.storage import fetch, size_of
from genotok.errors import ArgumentError, ResourceError

if TYPE_CHECKING:
    from genotok.options import RayOptions

__all__ = ["Workers", "balanced", "check_no_memory", "check_workers"]

Look = Callable[[], None]

FAN_IN = 4
"""Answers that one task adds up."""

TRIES = 4
"""How often in a row a worker is started anew, or a question repeated, before giving up."""


class Workers:
    """Ray actors that hold files, balanced by size; a context that ends them.

    Args:
        paths: The files; every worker has at least one.
        ray: The cluster, and how many workers hold files there.
        threads: Threads of each worker.
        allow_unknown: As for `Tokenizer.train`.
    """

    def __init__(
        self,
        paths: list[str],
        ray: RayOptions,
        *,
        threads: int = 1,
        allow_unknown: float = _native.MAX_UNKNOWN,
    ) -> None:
        check_workers(ray.workers, threads)
        self._ray = ray_module()
        self._address, self._wanted = ray.address or LOCAL, ray.workers
        self._threads, self._paths = threads, paths
        self._allow_unknown = allow_unknown
        self._shares: list[list[str]] = []
        self._actors: list[Any] = []
        self._connected = ExitStack()
        self._contact: Contact

    def __enter__(self) -> Self:
        wanted = self._wanted and self._wanted * self._threads
        self._connected = ExitStack()
        with ExitStack() as opened:
            ray = opened.enter_context(cluster(self._address, wanted))
            slots = max(int(ray.cluster_resources().get("CPU", 1)) // self._threads, 1)
            count = min(self._wanted or slots, len(self._paths))
            if count > slots:
                raise ArgumentError(
                    f"workers={count}: with {self._threads} threads each the cluster can run {slots}"
                )
            self._contact = Contact(ray)
            self._shares = balanced(self._paths, count)
            self._actors = [self._start(share) for share in self._shares]
            self._connected = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        for actor in [] if self._contact.is_lost else self._actors:
            self._ray.kill(actor)
        self._actors = []
        self._connected.close()

    @property
    def actors(self) -> list[Any]:
        """The Ray actors, in the order of their shares."""
        return list(self._actors)

    def _start(self, share: list[str]) -> Any:
        holder = self._ray.remote(_Holder).options(num_cpus=self._threads)
        return holder.remote(share, self._threads, self._allow_unknown)

    def ask(self, question: bytes, look: Look | None = None) -> bytes:
        """The sum of all workers' answers to a question.

        Raises:
            ResourceError: Workers die again and again, or the cluster is gone.
            GenotokError, OSError: A worker could not read its files.
        """
        ray = self._ray
        with told(ray, self._address):
            question_ref = ray.put(question)
            for _ in range(TRIES):
                answers = self._answers(question_ref, look)
                try:
                    return cast("bytes", self._contact.get(self._sum(answers), look))
                except lost(ray):
                    continue  # a machine went, with answers on it
                except ray.exceptions.RayTaskError as error:
                    if not isinstance(error.cause, lost(ray)):
                        raise_cause(error)
        raise ResourceError(f"ray: answers were lost {TRIES} times in a row; the checkpoint is kept")

    def _answers(self, question: Any, look: Look | None) -> list[Any]:
        """References to all answers, once all are made; a worker that died is replaced and asked again."""
        ray = self._ray
        tries = [0] * len(self._actors)
        answers: list[Any] = [None] * len(self._actors)
        pending: dict[Any, int] = {}

        def ask(number: int) -> None:
            # The first reference says that the answer was made, without bringing it here.
            made, answers[number] = self._actors[number].answer.options(num_returns=2).remote(question)
            pending[made] = number

        for number in range(len(self._actors)):
            ask(number)
        while pending:
            ready, _ = ray.wait(list(pending), timeout=TICK)
            self._contact.check()
            if look is not None:
                look()
            for made in ready:
                number = pending.pop(made)
                try:
                    ray.get(made)
                except ray.exceptions.RayTaskError as error:
                    raise_cause(error)
                except lost(ray) as error:
                    tries[number] += 1
                    if tries[number] == TRIES:
                        raise self._given_up(number, error) from None
                    self._actors[number] = self._start(self._shares[number])
                    ask(number)
        return answers

    def _given_up(self, number: int, error: Exception) -> ResourceError:
        share = self._shares[number]
        named = share[0] if len(share) == 1 else f"{share[0]} and {len(share) - 1} more"
        return ResourceError(
            f"ray: the worker that holds {named} died {TRIES} times in a row ({type(error).__name__}); if "
            "memory is short, use more workers or packed files. The checkpoint is kept"
        )

    def _sum(self, answers: list[Any]) -> Any:
        """A reference to the sum, by tasks that add a few at a time."""
        add = self._ray.remote(_add)
        while len(answers) > 1:
            groups = [answers[first : first + FAN_IN] for first in range(0, len(answers), FAN_IN)]
            answers = [
                add.options(num_cpus=0).remote(*group) if len(group) > 1 else group[0] for group in groups
            ]
        return answers[0]


class _Holder:
    """What an actor is: a shard, read when the first question comes."""

    def __init__(self, paths: list[str], threads: int, allow_unknown: float) -> None:
        self._paths, self._threads, self._allow_unknown = paths, threads, allow_unknown
        self._shard: _native.Shard | None = None
        self._copies = TemporaryDirectory(prefix="genotok-")

    def answer(self, question: bytes) -> tuple[int, bytes]:
        """The answer, and its length in front."""
        if self._shard is None:
            paths = [fetch(path, self._copies.name, number) for number, path in enumerate(self._paths)]
            self._shard = _native.Shard(paths, allow_unknown=self._allow_unknown, threads=self._threads)
        found = self._shard.answer(question)
        return len(found), found


def check_workers(workers: int | None, threads: int) -> None:
    """Check how many workers with how many threads each are wanted.

    Raises:
        ArgumentError: A number is below 1.
    """
    for name, number in (("workers", workers), ("threads", threads)):
        if number is not None and number < 1:
            raise ArgumentError(f"{name}={number}: at least 1 is expected")


def check_no_memory(memory: int | None) -> None:
    """Refuse a limit on memory, which no other machine would keep.

    Raises:
        ArgumentError: There is one.
    """
    if memory is not None:
        raise ArgumentError(
            f"memory={memory}: is for this process; Ray's workers hold a part of the files each"
        )


def _add(*answers: bytes) -> bytes:
    return _native.add_answers(list(answers))


def balanced(paths: list[str], count: int) -> list[list[str]]:
    """Files in `count` shares of nearly equal size, the larger ones dealt first.

    Raises:
        OSError: A file is not there.
    """
    sizes = {path: size_of(path) for path in paths}
    shares: list[list[str]] = [[] for _ in range(count)]
    loads = [0] * count
    for path in sorted(paths, key=lambda path: (-sizes[path], path)):
        lightest = loads.index(min(loads))
        shares[lightest].append(path)
        loads[lightest] += sizes[path]
    return shares
