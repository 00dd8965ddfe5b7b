"""The runs of one set: what they start from, the model of each seed, the baselines, and the best model."""

from __future__ import annotations

import shutil
import statistics
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from transformers import set_seed

from genotok.baseline import NetworkConfig
from genotok.baseline.set_work import DEV, TEST, BaselineSet
from genotok.corpus.verdict import BASES, add_unknown, known_symbols
from genotok.errors import ArgumentError
from genotok.evaluation.figures import figures
from genotok.evaluation.predictions import write_predictions
from genotok.evaluation.problem import Problem
from genotok.files.documents import read_object
from genotok.finetune.data import TaskData, task_data
from genotok.finetune.saving import SeedFacts, save_model
from genotok.finetune.self_training import pretrain_encoder
from genotok.finetune.start import Start, of_train, settings_of
from genotok.finetune.train import FineTuned, fine_tune, steps_of
from genotok.gue.clean import clean_rows
from genotok.gue.splits import announce, with_train
from genotok.model.operations import SequenceSizes, training_operations
from genotok.run_records.version_1 import renamed
from genotok.tokenizer.special_ids import SpecialIds
from genotok.training import checkpoints

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from genotok.finetune.config import FinetuneConfig
    from genotok.finetune.teacher import Teacher
    from genotok.gue import LabelledSplit, Labels, Task
    from genotok.options.learning import FinetuneOptions, ModelRunOptions

__all__ = ["SetWork"]

Record = dict[str, Any]

RESULT = "result.json"


@dataclass(frozen=True, slots=True, eq=False)
class _ReadySet:
    """A set that its models can be trained on.

    Attributes:
        start: What they start from.
        changes: What fine-tuning changes in its configuration.
        data: The splits as tokens.
        splits: The splits as they were read.
        baselines: The baselines, which are fitted; None where they are not wanted.
        found: The facts of the set, for its record.
        files: Facts of each split, with the digest of its file.
        operations: Floating-point operations of a training step (`genotok.model.operations`).
    """

    start: Start
    changes: dict[str, Any]
    data: TaskData
    splits: dict[str, LabelledSplit]
    baselines: BaselineSet | None
    found: Record
    files: list[Record]
    operations: float


@dataclass(frozen=True, slots=True)
class SetWork:
    """The runs of one set.

    Attributes:
        task: The set.
        start: What its models start from; None to make it of the train split.
        folder: The folder of the results of the set.
        config: The settings.
        options: What is fine-tuned, and how often.
        process: Device, threads, callbacks.
        teacher: Predictions for train to learn from besides labels.
        budget: Floating-point operations of training for each seed; None for as many as the epochs take.
    """

    task: Task
    start: Start | None
    folder: Path
    config: FinetuneConfig
    options: FinetuneOptions
    process: ModelRunOptions
    teacher: Teacher | None = None
    budget: float | None = None

    @property
    def is_stranded(self) -> bool:
        """Whether the sequences are of one strand."""
        return self.task.is_stranded(self.options.stranded)

    @property
    def both_strands(self) -> bool:
        """Whether the model reads both strands."""
        return self.config.strands == "both" and not self.is_stranded

    def read(self) -> tuple[dict[str, LabelledSplit], Labels]:
        """The splits of the set, and its labels. Read anew for each use: only one set is in memory."""
        known = known_symbols(self.start.tokenizer, uppercase=True) if self.start else BASES
        return self.task.read(known, self.options.allow_unknown)

    def describe(self) -> dict[str, str | None]:
        """Report labels and unknown symbols; the digests of the files, by split, and of the teacher's table.

        Raises:
            ArgumentError: The teacher's table has not the rows of train.
        """
        splits, labels = self.read()
        found = announce(self.task.name, splits, labels, self.process.notify)
        if self.teacher:
            self.teacher.mixed(with_train(splits)[0]["train"], Problem(labels.type, labels.names))
            found = {**found, "teacher": self.teacher.digest()}
        return found

    def finetune(self, digests: dict[str, str | None]) -> Record:
        """The results of all seeds and the baseline; `digests` are those from `describe`."""
        ready = self._ready(digests)
        metric, runs = ready.data.metric, []
        for seed in self.options.seeds:
            self.process.notify(f"{self.task.name}: seed {seed}")
            runs.append(self._seed(seed, ready))
        self._keep_best(runs, metric)
        more = {} if ready.baselines is None else self._with_baselines(ready.baselines)
        values = [run["test"][metric] for run in runs]
        return {
            **ready.found,
            **more,
            "parameters": runs[0]["parameters"],
            "steps": runs[0]["steps"],
            "mean": statistics.fmean(values),
            "deviation": statistics.stdev(values) if len(values) > 1 else None,
            "runs": runs,
        }

    def _ready(self, digests: dict[str, str | None]) -> _ReadySet:
        """The set as tokens, what its models start from, and its facts with the baselines."""
        read, labels = self.read()
        splits, note = with_train(read)
        of_file = {split.path: digests[name] for name, split in read.items()}
        files = [
            {"split": name, "file": split.path, "rows": len(split), "SHA-256": of_file[split.path]}
            for name, split in splits.items()
        ]
        start = self.start or of_train(
            splits["train"], self.config, stranded=self.is_stranded, threads=self.process.threads
        )
        changes = settings_of(start.encoder, self.config, aligned=self.task.is_aligned(self.options.aligned))
        data = task_data(
            start.tokenizer,
            splits,
            Problem(labels.type, labels.names),
            self.task.metric_of(labels),
            self.config.max_tokens,
            both_strands=self.both_strands,
        )
        data = replace(data, clean=clean_rows(read))
        tokens, operations = self._cost(start, changes, data)
        if self.teacher:
            mixed = self.teacher.mixed(splits["train"], data.problem)
            data = replace(data, train=replace(data.train, labels=mixed))
        found: Record = {
            **self.task.facts(splits, labels, "; ".join(filter(None, (note, *self._remarks())))),
            "both_strands": self.both_strands,
            "base_position": changes.get("base_position", start.encoder.base_position),
            "max_tokens": data.max_tokens,
            "tokens_per_row": tokens,
            "vocab_size": start.tokenizer.vocab_size,
            "cut": {name: getattr(data, name).cut for name in ("train", "dev", "test")},
            "unknown_symbols": data.train.unknown + data.dev.unknown + data.test.unknown,
            "unknown": add_unknown(split.unknown for split in read.values()),
        }
        if self.teacher:
            found["teacher"] = self.teacher.facts()
        baselines = self._baselines(splits, data) if self.options.with_baseline else None
        if baselines:
            found["baselines"] = baselines.record()
        return _ReadySet(start, changes, data, splits, baselines, found, files, operations)

    def _cost(self, start: Start, changes: Record, data: TaskData) -> tuple[float, float]:
        """Mean tokens of a row of train, and the floating-point operations of a training step."""
        encoder = start.encoder.with_changes(pooling=changes.get("pooling", start.encoder.pooling))
        ids = [one for strand in data.train.strands for one in strand]
        sizes = SequenceSizes.of(ids, encoder.spelling).per_sequence()
        of_row = training_operations(encoder, sizes, classes=data.problem.num_outputs)
        return sizes.tokens, self.config.batch * of_row

    def _remarks(self) -> Iterator[str]:
        """What the models learn from besides the labels of train."""
        if steps := self.config.pretrain_steps:
            yield f"first trained on masked tokens of train, {steps:,} steps"
        if self.teacher:
            yield f"learned from a teacher, too: {self.teacher.table}, weight {self.teacher.weight:g}"

    def _seed(self, seed: int, ready: _ReadySet) -> Record:
        """One run, or the result of an earlier one."""
        place = self.folder / f"seed-{seed}"
        if (place / RESULT).exists():
            done: Record = renamed(read_object(place / RESULT, "the result of a seed"))
            if not {"dev", "test", "parameters", "steps"} <= done.keys():
                raise ArgumentError(f"{place / RESULT}: is damaged; remove {place} to train this seed again")
            return done
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        known = self.task.known
        data, source = ready.data, ready.start.folder
        steps = steps_of(self.config, len(data.train), known.settings if known else None)
        if self.budget is not None:
            steps = max(round(self.budget / ready.operations), 1)
        set_seed(seed)
        model = ready.start.classifier(data.problem, fresh=self.options.scratch, **ready.changes)
        model.config.pairs, model.config.both_strands = bool(ready.splits["test"].partners), self.both_strands
        before = self._pretrained(model, seed, ready)
        tuned = fine_tune(model, data, self.config, steps=steps, seed=seed, run=self.process)
        for name, split, outputs in ((DEV, "dev", tuned.dev), (TEST, "test", tuned.outputs)):
            write_predictions(str(place / name), ready.splits[split], data.problem, outputs)
        result = self._result(seed, tuned, ready) | before
        base = "" if self.options.scratch or source is None else source.path.name
        facts = SeedFacts(base=base, found=ready.found, result=result, data=ready.files)
        save_model(tuned.model, place / "model", ready.start.tokenizer, self.config, facts)
        checkpoints.write_json(place / RESULT, result)
        return result

    def _pretrained(self, model: Any, seed: int, ready: _ReadySet) -> Record:
        """Train the encoder of a model on masked tokens of train, if the settings say so; the figures."""
        if not self.config.pretrain_steps:
            return {}
        special, rows = SpecialIds.of(ready.start.tokenizer), ready.data.train
        found = pretrain_encoder(model, rows, special, self.config, seed=seed, run=self.process)
        return {"pretraining": found}

    def _result(self, seed: int, tuned: FineTuned, ready: _ReadySet) -> Record:
        """The result of a run."""
        data = ready.data
        best = next(one for one in tuned.evaluations if one[0] == tuned.step)
        return {
            "seed": seed,
            "parameters": tuned.model.num_parameters(),
            "steps": tuned.steps,
            "best_step": tuned.step,
            "dev": {data.metric: best[1], "loss": best[2]},
            "evaluations": [list(one) for one in tuned.evaluations],
            "test": figures(data.problem, data.test.labels, tuned.outputs, data.metric, data.clean),
            "seconds": round(tuned.seconds, 1),
            "cpu_seconds": round(tuned.cpu_seconds, 1),
            "operations": tuned.done * ready.operations,
        } | ({"stopped_at": tuned.done} if tuned.done < tuned.steps else {})

    def _with_baselines(self, baselines: BaselineSet) -> Record:
        """The models averaged with the baselines; nothing if a run of an earlier version lacks dev."""
        places = {seed: self.folder / f"seed-{seed}" for seed in self.options.seeds}
        if not all((place / DEV).exists() for place in places.values()):
            return {}
        return {"with_baselines": baselines.with_model(places)}

    def _baselines(self, splits: dict[str, LabelledSplit], data: TaskData) -> BaselineSet:
        """The baselines, with the seeds of the run."""
        return BaselineSet(
            task=self.task,
            splits=splits,
            problem=data.problem,
            options=self.options,
            config=NetworkConfig(),
            run=self.process,
            folder=self.folder / "baselines",
            clean=data.clean,
        )

    def _keep_best(self, runs: list[Record], metric: str) -> None:
        """Keep the model of the seed that is best on dev, as `model/`."""
        merit = "loss" if self.config.choose_by == "loss" else metric
        sign = -1 if merit == "loss" else 1
        best = max(runs, key=lambda run: sign * run["dev"][merit])["seed"]
        target = self.folder / "model"
        for run in runs:
            place = self.folder / f"seed-{run['seed']}" / "model"
            if place.exists() and run["seed"] == best:
                checkpoints.publish(place, target)
            shutil.rmtree(place, ignore_errors=True)
