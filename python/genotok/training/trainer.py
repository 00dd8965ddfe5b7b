"""transformers' `Trainer` with batches in a given order, atomic checkpoints, and counters.

What differs, and why:

- *Order.* The data set is the run: item k is the k-th sequence to train on, so batches are read front to
  back. A resumed run skips the items it has seen; processes take turns at batches.
- *Checkpoints.* `Trainer` writes into the folder that it would resume from, so a kill can leave one that
  cannot be read. Here checkpoints are written atomically (see `checkpoints`), with the states of optimizer,
  schedule and random number generators.
- *Counters.* Each logged loss comes with tokens per second, the share of time spent waiting for batches, and
  the share of padding.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch.utils.data import SequentialSampler
from transformers import Trainer

from genotok.files.identity import write_checksums
from genotok.model_folder.write_errors import write_errors
from genotok.training import checkpoints

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from torch import Tensor, nn

__all__ = ["OrderedTrainer"]


class OrderedTrainer(Trainer):
    """`Trainer` as above.

    Args:
        keep: Checkpoints to keep.
        **settings: As for `Trainer`.
    """

    def __init__(self, *, keep: int = 2, **settings: Any) -> None:
        super().__init__(**settings)
        self.keep = keep
        self._folder: Path | None = None
        self.counters = Counters()

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        data: Any = self.train_dataset if train_dataset is None else train_dataset
        return SequentialSampler(data)

    def get_batch_samples(
        self, epoch_iterator: Iterator[Any], num_batches: int, device: torch.device
    ) -> tuple[list[Any], Tensor | int | None]:
        """The batches of a step; the time spent waiting for them is counted."""
        start = time.perf_counter()
        batches, items = super().get_batch_samples(epoch_iterator, num_batches, device)
        self.counters.waited += time.perf_counter() - start
        for batch in batches:
            self.counters.add(batch["attention_mask"])
        return batches, items

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log values, with the counters beside each training loss."""
        if "loss" in logs:
            logs |= self.counters.take()
        super().log(logs, start_time)

    def _get_output_dir(self, trial: Any) -> str:
        return super()._get_output_dir(trial) if self._folder is None else str(self._folder)

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        """Save under a temporary name, then publish."""
        place = Path(str(self.args.output_dir))
        name = f"{checkpoints.PREFIX}{self.state.global_step}"
        self._folder = checkpoints.unfinished(place, self.state.global_step)
        try:
            with write_errors(place / name):
                super()._save_checkpoint(model, trial)
            self.accelerator.wait_for_everyone()
            if self.args.should_save:
                write_checksums(self._folder / name)
                checkpoints.publish(self._folder / name, place / name)
                shutil.rmtree(self._folder)
                checkpoints.rotate(place, self.keep)
            self.accelerator.wait_for_everyone()
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        finally:
            self._folder = None


class Counters:
    """Tokens, padding and waiting time since the last line of the log, in this process."""

    def __init__(self) -> None:
        self._all_waited = self._all_seconds = 0.0
        self._reset()

    def _reset(self) -> None:
        self.waited = 0.0
        self._tokens = self._places = 0
        self._start = time.perf_counter()

    def add(self, mask: Tensor) -> None:
        """Count a batch."""
        self._tokens += int(mask.sum())
        self._places += mask.numel()

    def take(self) -> dict[str, float]:
        """The figures; counting starts anew."""
        seconds = max(time.perf_counter() - self._start, 1e-9)
        self._all_waited += self.waited
        self._all_seconds += seconds
        found = {
            "tokens_per_second": round(self._tokens / seconds, 1),
            "waiting": round(self.waited / seconds, 4),
            "padding": round(1 - self._tokens / max(self._places, 1), 4),
        }
        self._reset()
        return found

    def waiting(self) -> float:
        """The share of time spent waiting for batches since these counters were made."""
        seconds = self._all_seconds + time.perf_counter() - self._start
        return round((self._all_waited + self.waited) / max(seconds, 1e-9), 4)
