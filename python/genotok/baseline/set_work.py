"""The baselines of one set: fitted, kept in a folder, and scored.

    kmers/     fitted.json, dev.parquet, predictions.parquet
    seed-N/    fitted.json, dev.parquet, predictions.parquet (of the CNN), average.parquet

A part that has its fitted.json is finished and is not fitted again. The average and all scores are computed
from the predictions that are kept, so that a run that is repeated with `resume` scores them anew.
"""

from __future__ import annotations

import dataclasses
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from genotok.baseline import kmers
from genotok.baseline.average import averaged, choose_weight
from genotok.baseline.blind import BlindSet
from genotok.baseline.training import NetworkConfig, train_network
from genotok.errors import ArgumentError
from genotok.evaluation.figures import figures
from genotok.evaluation.predictions import read_outputs, write_predictions
from genotok.files.documents import read_object
from genotok.training import checkpoints

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from genotok.evaluation.metrics import Metric
    from genotok.evaluation.problem import Problem
    from genotok.gue import CleanRows, LabelledSplit, Task
    from genotok.options.learning import BaselineOptions, FinetuneOptions, ModelRunOptions

__all__ = ["AVERAGE", "CNN", "DEV", "KMERS", "TEST", "BaselineSet", "device_of"]

Record = dict[str, Any]

KMERS, CNN, AVERAGE = "kmers", "cnn", "average"
"""The keys of the baselines in records."""

RESULT, DEV, TEST = "fitted.json", "dev.parquet", "predictions.parquet"
"""The files of a part; a model has its predictions under the same names."""

AVERAGED = "average.parquet"
WITH_BASELINES = "with-baselines.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineSet:
    """A set, and how its baselines are fitted.

    Attributes:
        task: The set.
        splits: train, dev and test with labels.
        problem: What is predicted.
        options: Seeds, a network for each, and what they say of strands and places.
        config: The settings of the network.
        run: Device, callbacks.
        folder: Where results are kept.
        clean: The clean rows of test, which are scored too; None to score all rows only.
    """

    task: Task
    splits: dict[str, LabelledSplit]
    problem: Problem
    options: BaselineOptions | FinetuneOptions
    config: NetworkConfig
    run: ModelRunOptions
    folder: Path
    clean: CleanRows | None = None

    @property
    def metric(self) -> Metric:
        """What choices are made by on dev."""
        return self.task.metric_of(self.problem.labels)

    @property
    def stranded(self) -> bool:
        """Whether all sequences are of one strand."""
        return self.task.is_stranded(self.options.stranded)

    @property
    def aligned(self) -> bool:
        """Whether a place means the same in all sequences."""
        return self.task.is_aligned(self.options.aligned)

    def record(self) -> Record:
        """The results of all baselines, as records of runs have them.

        Raises:
            ArgumentError: All rows of train have one label; a file that is kept is damaged.
        """
        blind = self._blind()
        common = self._kmers(blind)
        parts = [self._seed(seed, blind) for seed in self.options.seeds]
        averages = [self._average(seed, blind) for seed in self.options.seeds]
        facts = {"stranded": self.stranded, "aligned": self.aligned}
        return {
            KMERS: {**facts, "runs": [self._scored(common, self.folder / KMERS / TEST)]},
            CNN: {
                **facts,
                "config": dataclasses.asdict(self.config),
                "runs": [self._scored(part, self._place(part["seed"]) / TEST) for part in parts],
            },
            AVERAGE: {
                "runs": [self._scored(part, self._place(part["seed"]) / AVERAGED) for part in averages]
            },
        }

    def with_model(self, places: Mapping[int, Path]) -> Record:
        """The results of a model averaged with the averaged baseline, seed by seed, after `record`.

        Args:
            places: The folder of each seed, which has `DEV` and `TEST` of the model and gets the average.

        Raises:
            ArgumentError: A file is damaged.
        """
        blind, runs = self._blind(), []
        for seed, place in places.items():
            model, baseline = (read_outputs(path / DEV, self.problem) for path in (place, self._place(seed)))
            other = read_outputs(self.folder / KMERS / DEV, self.problem)
            weight, _ = choose_weight(baseline, other, blind)
            floor = averaged(baseline, other, weight)
            weight, value = choose_weight(model, floor, blind)
            model, floor = (
                read_outputs(path, self.problem) for path in (place / TEST, self._place(seed) / AVERAGED)
            )
            self._write(place / WITH_BASELINES, "test", averaged(model, floor, weight))
            run = {"seed": seed, "weight_of_model": weight, "dev": {self.metric: value}}
            runs.append(self._scored(run, place / WITH_BASELINES))
        return {"runs": runs}

    def _blind(self) -> BlindSet:
        """The set without the labels of test."""
        return BlindSet(self.splits, self.problem, self.metric, self.stranded, self.aligned)

    def _place(self, seed: int) -> Path:
        """The folder of a seed."""
        return self.folder / f"seed-{seed}"

    def _scored(self, run: Record, path: Path) -> Record:
        """A run with the scores of its predictions of test."""
        outputs = read_outputs(path, self.problem)
        test = self.splits["test"]
        if len(outputs) != len(test):
            raise ArgumentError(f"{path}: {len(outputs):,} rows; the test split has {len(test):,}")
        return {**run, "test": figures(self.problem, test.labels, outputs, self.metric, self.clean)}

    def _kmers(self, blind: BlindSet) -> Record:
        """The k-mer baseline, which no seed changes."""
        place = self.folder / KMERS
        if (place / RESULT).exists():
            return _finished(place, {"penalty", "parameters"})
        self.run.notify(f"{self.task.name}: k-mer baseline")
        fitted = kmers.fit(blind)
        _clear(place)
        self._write(place / DEV, "dev", fitted.dev)
        self._write(place / TEST, "test", fitted.test)
        result = {
            "penalty": fitted.penalty,
            "parameters": fitted.parameters,
            "dev": {self.metric: fitted.scores[fitted.penalty]},
            "penalties": [[penalty, value] for penalty, value in fitted.scores.items()],
            "seconds": round(fitted.seconds, 1),
        }
        checkpoints.write_json(place / RESULT, result)
        return result

    def _seed(self, seed: int, blind: BlindSet) -> Record:
        """The network of one seed."""
        place = self._place(seed)
        if (place / RESULT).exists():
            return _finished(place, {"seed", "parameters", "epoch"})
        self.run.notify(f"{self.task.name}: CNN baseline, seed {seed}")
        trained = train_network(
            blind, self.config, seed, torch.device(device_of(self.run)), self.run.progress
        )
        _clear(place)
        self._write(place / DEV, "dev", trained.dev)
        self._write(place / TEST, "test", trained.test)
        result = {
            "seed": seed,
            "parameters": trained.parameters,
            "epoch": trained.epoch,
            "epochs": len(trained.evaluations),
            "dev": {self.metric: trained.evaluations[trained.epoch - 1]},
            "evaluations": list(trained.evaluations),
            "seconds": round(trained.seconds, 1),
            "cpu_seconds": round(trained.cpu_seconds, 1),
        }
        checkpoints.write_json(place / RESULT, result)
        return result

    def _average(self, seed: int, blind: BlindSet) -> Record:
        """The average of the network of one seed and the k-mer baseline."""
        places = self._place(seed), self.folder / KMERS
        one, other = (read_outputs(place / DEV, self.problem) for place in places)
        weight, value = choose_weight(one, other, blind)
        one, other = (read_outputs(place / TEST, self.problem) for place in places)
        self._write(places[0] / AVERAGED, "test", averaged(one, other, weight))
        return {"seed": seed, "weight_of_cnn": weight, "dev": {self.metric: value}}

    def _write(self, path: Path, name: str, outputs: NDArray[np.float64]) -> None:
        """Keep the predictions of a split."""
        write_predictions(str(path), self.splits[name], self.problem, outputs)


def device_of(run: ModelRunOptions) -> str:
    """Where networks are trained: "cuda" if that is wanted and available, else "cpu"."""
    return "cuda" if run.device != "cpu" and torch.cuda.is_available() else "cpu"


def _clear(place: Path) -> None:
    """An empty folder; what an interrupted run left in it is removed."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)


def _finished(place: Path, keys: set[str]) -> Record:
    """The result of a part that was fitted before.

    Raises:
        ArgumentError: It is damaged.
    """
    found: Record = read_object(place / RESULT, "the result of a baseline")
    if not keys <= found.keys():
        raise ArgumentError(f"{place / RESULT}: is damaged; remove {place} to fit this part again")
    return found
