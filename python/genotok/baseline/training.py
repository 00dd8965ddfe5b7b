"""The training of the small network: AdamW, a one-cycle schedule, random strands, the epoch chosen on dev.

Each row of a batch is shown on a random strand, and predictions are the mean over both, unless sequences are
of one strand. After each epoch dev is predicted; the weights of the epoch with the best metric on dev predict
test, once, at the end. A `BlindSet` has no labels of test.

Time on one core is about 8 microseconds for each base of each epoch: 46 to 143 s for seven sets of 2,620 to
32,378 rows (docs/evidence/gue.md).
"""

# Shapes: N rows, C outputs.

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from genotok.baseline.bases import both_strands
from genotok.baseline.network import PADDING, SmallNetwork
from genotok.evaluation.metrics import merit

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from genotok.baseline.blind import BlindSet

    Progress = Callable[[dict[str, Any]], object]

__all__ = ["NetworkConfig", "NetworkRun", "epochs_for", "train_network"]


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The settings of the training.

    Attributes:
        learning_rate: The peak of the cycle.
        weight_decay: Of AdamW.
        label_smoothing: Of classes and labels.
        batch: Rows per step.
        bases: Bases to train on: as many epochs as come next to it.
        min_epochs, max_epochs: The limits of that.
        eval_bases: Bases, with padding, of a batch of predictions.
    """

    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    label_smoothing: float = 0.05
    batch: int = 64
    bases: int = 16_000_000
    min_epochs: int = 5
    max_epochs: int = 20
    eval_bases: int = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class NetworkRun:
    """A trained network and what it predicts.

    Attributes:
        epoch: The chosen epoch, from 1.
        evaluations: The metric on dev after each epoch.
        dev: (N, C) its outputs for dev: probabilities of classes or labels, or numbers.
        test: (N, C) the same for test.
        parameters: Of the network.
        seconds: For everything.
        cpu_seconds: The time of all threads.
    """

    epoch: int
    evaluations: tuple[float, ...]
    dev: NDArray[np.float64]
    test: NDArray[np.float64]
    parameters: int
    seconds: float
    cpu_seconds: float


def epochs_for(config: NetworkConfig, symbols: int) -> int:
    """Epochs over a train split of so many symbols."""
    wanted = round(config.bases / max(symbols, 1))
    return min(max(wanted, config.min_epochs), config.max_epochs)


def train_network(
    blind: BlindSet, config: NetworkConfig, seed: int, device: torch.device, progress: Progress | None = None
) -> NetworkRun:
    """Train on train, choose the epoch on dev, predict dev and test.

    Args:
        blind: The set.
        config: Settings.
        seed: Decides weights, order and strands; with it, on one kind of device, runs are reproducible.
        device: Where.
        progress: Called with `phase`, `step`, `steps` and `loss` after each step; an exception stops the run.
    """
    start, cpu_start = time.perf_counter(), time.process_time()
    run = _Training(blind, config, seed, device)
    best, found = (-np.inf, 0, run.weights()), []
    for epoch in range(1, run.epochs + 1):
        run.train_epoch(progress)
        outputs = run.outputs("dev")
        found.append(merit(blind.metric, blind.splits["dev"].labels, outputs))
        if found[-1] > best[0]:
            best = found[-1], epoch, run.weights()
    run.network.load_state_dict(best[2])
    dev, test = run.outputs("dev"), run.outputs("test")
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    return NetworkRun(best[1], tuple(found), dev, test, run.parameters, seconds, cpu_seconds)


class _Training:
    """A network in training: its data, optimizer and draws."""

    def __init__(self, blind: BlindSet, config: NetworkConfig, seed: int, device: torch.device) -> None:
        self.blind, self.config, self.device = blind, config, device
        self.rows = {name: both_strands(split) for name, split in blind.splits.items()}
        train, sides = self.rows["train"], len(self.rows["train"].forward)
        width = train.forward[0].shape[1] if blind.aligned else None
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = SmallNetwork(blind.problem.num_outputs, sides=sides, width=width)
        self.network = network.to(device)
        self.parameters = sum(one.numel() for one in network.parameters())
        self.scale = _Scale.of(blind)
        self.targets = self.scale.targets(blind.splits["train"].labels, device)
        self.epochs = epochs_for(config, train.symbols)
        self.steps, self.step = -(-len(train) // config.batch) * self.epochs, 0
        self.draw = np.random.default_rng(seed)
        rate = config.learning_rate
        self.optimizer = torch.optim.AdamW(network.parameters(), rate, weight_decay=config.weight_decay)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, rate, total_steps=self.steps)

    def weights(self) -> dict[str, Tensor]:
        """A copy of the weights."""
        return copy.deepcopy(self.network.state_dict())

    def train_epoch(self, progress: Progress | None) -> None:
        """Show each row once, in a new order, on random strands."""
        self.network.train()
        count = len(self.rows["train"])
        order, flips = self.draw.permutation(count), self.draw.random(count) < 0.5
        for first in range(0, count, self.config.batch):
            chosen = order[first : first + self.config.batch]
            flipped = np.zeros(len(chosen), bool) if self.blind.stranded else flips[chosen]
            outputs = self.network(self._batch("train", chosen, flipped))
            loss = self._loss(outputs, self.targets[torch.from_numpy(chosen).to(self.device)])
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
            self.step += 1
            if progress is not None:
                progress({"phase": "learning", "step": self.step, "steps": self.steps, "loss": loss.item()})

    @torch.no_grad()
    def outputs(self, name: str) -> NDArray[np.float64]:
        """What the network predicts for a split, (N, C): the mean over both strands, unless stranded."""
        self.network.eval()
        count, width = len(self.rows[name]), self.rows[name].forward[0].shape[1]
        size = max(self.config.eval_bases // max(width, 1), 1)
        found = []
        for first in range(0, count, size):
            chosen = np.arange(first, min(first + size, count))
            strands = (False,) if self.blind.stranded else (False, True)
            parts = [
                self.network(self._batch(name, chosen, np.full(len(chosen), strand))) for strand in strands
            ]
            probabilities = [self.blind.problem.probabilities(part) for part in parts]
            found.append(self.scale.restored(np.mean(probabilities, 0)))
        return np.concatenate(found)

    def _batch(self, name: str, chosen: NDArray[np.int64], flipped: NDArray[np.bool_]) -> list[Tensor]:
        """The codes of some rows, (B, L) for each side, cut to the longest of them."""
        rows, found = self.rows[name], []
        for forward, reverse in zip(rows.forward, rows.reverse, strict=True):
            codes = forward[chosen]
            codes[flipped] = reverse[chosen[flipped]]
            longest = int((codes != PADDING).any(0).sum())
            found.append(torch.from_numpy(codes[:, :longest]).to(self.device))
        return found

    def _loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Cross entropy of classes, binary cross entropy of labels, squared error of numbers."""
        kind, smoothing = self.blind.problem.type, self.config.label_smoothing
        if kind == "classification":
            return functional.cross_entropy(outputs, targets, label_smoothing=smoothing)
        if kind == "multilabel":
            smooth = targets * (1 - smoothing) + smoothing / 2
            return functional.binary_cross_entropy_with_logits(outputs, smooth)
        return functional.mse_loss(outputs[:, 0], targets)


@dataclass(frozen=True, slots=True)
class _Scale:
    """What the network's numbers are multiplied by and added to; of classes and labels nothing."""

    mean: float = 0.0
    deviation: float = 1.0

    @classmethod
    def of(cls, blind: BlindSet) -> _Scale:
        """That of the numbers of train."""
        labels = blind.splits["train"].labels
        if blind.problem.type != "regression":
            return cls()
        return cls(float(labels.mean()), float(labels.std()) or 1.0)

    def targets(self, labels: NDArray[Any], device: torch.device) -> Tensor:
        """Labels as the loss takes them: class numbers as int64, others as float32."""
        if np.issubdtype(labels.dtype, np.integer) and labels.ndim == 1:
            return torch.from_numpy(labels.astype(np.int64)).to(device)
        scaled = (labels - self.mean) / self.deviation
        return torch.from_numpy(scaled.astype(np.float32)).to(device)

    def restored(self, outputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Outputs in the units of the labels."""
        return outputs * self.deviation + self.mean
