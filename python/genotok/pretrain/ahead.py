"""Windows of a run, masked, read and encoded ahead of the training step in a thread of their own.

The run is divided into blocks, each of the sequences that a process trains on at once. While a step is
computed, a thread prepares the next blocks that this process, or this worker process of torch, will ask for.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from torch.utils.data import get_worker_info

if TYPE_CHECKING:
    from concurrent.futures import Future

    from genotok.pretrain.stretches import WindowEncoder
    from genotok.pretrain.windows import Epochs
    from genotok.tokenizer.special_ids import Ids
    from genotok.training.batches import Masking

__all__ = ["PrefetchBlocks", "WindowRun"]

AHEAD = 2
"""Blocks that are prepared while one is used."""


class PrefetchBlocks(NamedTuple):
    """How a run is read.

    Attributes:
        count: Sequences of the run.
        size: Sequences that a process trains on at once.
        processes: Processes that take turns at blocks.
    """

    count: int
    size: int
    processes: int = 1


class WindowRun:
    """All masked windows of a run in training order, as a torch data set.

    Item k is a function of (seed, k): whoever reads it, in whatever order, gets the same.

    Args:
        encoder: Gives the ids of windows.
        epochs: Where the windows are.
        masking: How tokens are masked.
        seed: Seed of the masks.
        blocks: How the run is read.
    """

    def __init__(
        self, encoder: WindowEncoder, epochs: Epochs, masking: Masking, seed: int, blocks: PrefetchBlocks
    ) -> None:
        self._encoder, self._epochs, self._masking, self._seed = encoder, epochs, masking, seed
        self._blocks = blocks
        self._thread: ThreadPoolExecutor | None = None
        self._ready: dict[int, Future[list[tuple[Ids, Ids]]]] = {}
        self._current = -1

    def __len__(self) -> int:
        return self._blocks.count

    def __getitem__(self, place: int) -> tuple[Ids, Ids]:
        """Inputs and labels (L,) of the k-th window to train on."""
        if not 0 <= place < len(self):
            raise IndexError(place)
        number, within = divmod(place, self._blocks.size)
        if number != self._current:
            self._prepare(number)
        return self._ready[number].result()[within]

    def _prepare(self, number: int) -> None:
        """Have a block and the next ones prepared; forget others."""
        if self._thread is None:  # not before: a process that is forked would lack it
            self._thread = ThreadPoolExecutor(1, "genotok-windows")
        worker = get_worker_info()
        step = self._blocks.processes * (worker.num_workers if worker else 1)
        last = (len(self) - 1) // self._blocks.size
        wanted = range(number, min(number + AHEAD * step, last) + 1, step)
        self._ready = {
            each: self._ready.get(each) or self._thread.submit(self._block, each) for each in wanted
        }
        self._current = number

    def _block(self, number: int) -> list[tuple[Ids, Ids]]:
        """Inputs and labels of the windows of a block."""
        first = number * self._blocks.size
        places = [self._epochs.at(place) for place in range(first, min(first + self._blocks.size, len(self)))]
        ids = self._encoder.encode([window for _, _, window in places])
        return [
            self._masking.apply(row, self._seed, epoch, index)
            for row, (epoch, index, _) in zip(ids, places, strict=True)
        ]
