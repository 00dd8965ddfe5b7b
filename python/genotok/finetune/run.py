"""Fine-tuning over data sets and seeds: a folder with results, predictions and the best model of each set."""

from __future__ import annotations

import dataclasses
import shutil
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import set_seed

from genotok.baseline import NetworkConfig
from genotok.baseline.set_work import BaselineSet
from genotok.corpus.verdict import add_unknown, known_symbols
from genotok.errors import ArgumentError
from genotok.evaluation.figures import figures
from genotok.evaluation.predictions import write_predictions
from genotok.evaluation.problem import Problem
from genotok.evaluation.results import markdown
from genotok.files.atomic import write_atomic
from genotok.files.documents import read_object
from genotok.finetune.data import TaskData, task_data
from genotok.finetune.saving import SeedFacts, save_model
from genotok.finetune.train import FineTuned, classifier, fine_tune, steps_of
from genotok.gue.clean import clean_rows
from genotok.gue.splits import announce, with_train
from genotok.model_folder.load import check_attention
from genotok.model_folder.read import ModelFolder, read_folder
from genotok.options import grouped
from genotok.options.learning import FinetuneKeywords, FinetuneOptions, ModelRunKeywords, ModelRunOptions
from genotok.run_records.provenance import Provenance
from genotok.run_records.schemas import FinetuneRecord
from genotok.run_records.version_1 import renamed
from genotok.tokenizer import Tokenizer
from genotok.training import checkpoints
from genotok.training.log import quietly

if TYPE_CHECKING:
    import os
    from typing import Unpack

    from genotok.finetune.config import FinetuneConfig
    from genotok.gue import LabelledSplit, Labels, Task

__all__ = ["RESULTS", "FinetuningKeywords", "finetune", "finetune_model"]

Record = dict[str, Any]

PRECISIONS = {"float32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
RESULTS = "results.json"
RESULT = "result.json"
TABLE = "results.md"


class FinetuningKeywords(FinetuneKeywords, ModelRunKeywords, total=False):
    """The keywords of `finetune`."""


def finetune(
    tasks: Sequence[Task],
    model: str | os.PathLike[str],
    output: str | os.PathLike[str],
    config: FinetuneConfig,
    **options: Unpack[FinetuningKeywords],
) -> Record:
    """Fine-tune a model on each set with each seed.

    `output` gets `results.json`, its table as `results.md`, and for each set a folder with `model/` (of the
    seed that is best on dev), and for each seed `result.json` and `predictions.parquet`, a row for each of
    test.

    Args:
        tasks: The data sets.
        model: A folder with config.json, model.safetensors and tokenizer.json.
        output: The folder of results.
        config: Settings.
        seeds: A run for each; it seeds new weights, order and dropout.
        scratch: Start from new weights of the same architecture.
        with_baseline: Also fit the baselines (`genotok.baseline`).
        stranded: For baselines, whether sequences are of one strand; None for what is known of the set.
        aligned: For baselines, whether a place means the same in all sequences; None likewise.
        resume: Keep results that are there and belong to the same settings.
        device: "auto", or "cpu".
        threads: Threads of torch on the CPU.
        problem_type: What labels are, where a task does not say so; None to read it off them.
        allow_unknown: The share of symbols other than N that may be unknown in a file (`corpus.verdict`).
        on_status: Called with a message before each step of the work.
        progress: Called with a dictionary as a run proceeds; an exception stops it.

    Raises:
        ArgumentError: The folder is in use, or a value is out of range.
        SequenceFileError: A file of a data set is malformed.
        OSError: A file cannot be read or written.
    """
    groups = grouped("finetune", options, FinetuneOptions, ModelRunOptions)
    return finetune_model(tasks, model, output, config, *groups)


@quietly()
def finetune_model(
    tasks: Sequence[Task],
    model: str | os.PathLike[str],
    output: str | os.PathLike[str],
    config: FinetuneConfig,
    options: FinetuneOptions,
    run: ModelRunOptions,
) -> Record:
    """`finetune`, with its options as groups."""
    folder, source = Path(output), read_folder(model, need_weights=not options.scratch)
    tokenizer = source.tokenizer()
    place = torch.device("cpu" if run.device == "cpu" or not torch.cuda.is_available() else "cuda")
    check_attention(source, place, PRECISIONS[config.precision], source.settings.encoder.attention_dropout)
    if not options.scratch:
        source.check_finite()
    if run.threads is not None:
        torch.set_num_threads(run.threads)
    tasks = [
        dataclasses.replace(task, problem_type=task.problem_type or options.problem_type) for task in tasks
    ]
    head: Record = {
        "kind": "gue",
        "model": source.path.name,
        "scratch": options.scratch,
        "config": dataclasses.asdict(config),
        "seeds": list(options.seeds),
        "labels": _declared(tasks),
    }
    identity = checkpoints.RunIdentity(
        settings=head, digests=source.digests(), free=("seeds",), names=("model",)
    )
    works = [_SetWork(task, source, tokenizer, folder / task.name, config, options, run) for task in tasks]
    # Faults in any set are found before training starts, and leave no folder.
    digests = {work.task.name: work.describe() for work in works}
    with checkpoints.claim(folder, identity, resume=options.resume, on_status=run.on_status) as claimed:
        for name, found in digests.items():
            claimed.identify({"sets": {name: found}})
        sets = [work.finetune(digests[work.task.name]) for work in works]
        record = FinetuneRecord(
            provenance=Provenance.now(
                ("torch", "transformers"), seeds=options.seeds, inputs=claimed.recorded
            ),
            model=source.path.name,
            scratch=options.scratch,
            config=head["config"],
            labels=head["labels"],
            threads=torch.get_num_threads(),
            device="cpu" if place.type == "cpu" else torch.cuda.get_device_name(),
            parameters=sets[0]["parameters"],
            sets=sets,
        )
        write_atomic(folder / TABLE, (markdown([record]) + "\n").encode())
        write_atomic(folder / RESULTS, record.text().encode())
    return record.to_json()


def _declared(tasks: Sequence[Task]) -> list[list[str | None]]:
    """The declared problem types and columns of all tasks."""
    return [list(one) for one in {(task.problem_type, task.label, *task.sequences): 0 for task in tasks}]


@dataclasses.dataclass(frozen=True, slots=True)
class _SetWork:
    """The runs of one set."""

    task: Task
    source: ModelFolder
    tokenizer: Tokenizer
    folder: Path
    config: FinetuneConfig
    options: FinetuneOptions
    process: ModelRunOptions

    def read(self) -> tuple[dict[str, LabelledSplit], Labels]:
        """The splits of the set, and its labels. Read anew for each use: only one set is in memory."""
        return self.task.read(known_symbols(self.tokenizer, uppercase=True), self.options.allow_unknown)

    def describe(self) -> dict[str, str | None]:
        """Report labels and unknown symbols; the digests of the files, by split."""
        return announce(self.task.name, *self.read(), self.process.notify)

    def finetune(self, digests: dict[str, str | None]) -> Record:
        """The results of all seeds and the baseline; `digests` are those from `describe`."""
        read, labels = self.read()
        splits, note = with_train(read)
        of_file = {split.path: digests[name] for name, split in read.items()}
        files = [
            {"split": name, "file": split.path, "rows": len(split), "SHA-256": of_file[split.path]}
            for name, split in splits.items()
        ]
        problem, metric = Problem(labels.type, labels.names), self.task.metric_of(labels)
        data = task_data(self.tokenizer, splits, problem, metric, self.config.max_tokens, clean_rows(read))
        found: Record = {
            **self.task.facts(splits, labels, note),
            "max_tokens": data.max_tokens,
            "cut": {name: getattr(data, name).cut for name in ("train", "dev", "test")},
            "unknown_symbols": data.train.unknown + data.dev.unknown + data.test.unknown,
            "unknown": add_unknown(split.unknown for split in read.values()),
        }
        if self.options.with_baseline:
            found["baselines"] = self._baselines(splits, data)
        runs = []
        for seed in self.options.seeds:
            self.process.notify(f"{self.task.name}: seed {seed}")
            runs.append(self._seed(seed, data, splits["test"], found, files))
        self._keep_best(runs, metric)
        values = [run["test"][metric] for run in runs]
        return {
            **found,
            "parameters": runs[0]["parameters"],
            "steps": runs[0]["steps"],
            "mean": statistics.fmean(values),
            "deviation": statistics.stdev(values) if len(values) > 1 else None,
            "runs": runs,
        }

    def _seed(
        self, seed: int, data: TaskData, test: LabelledSplit, found: Record, files: list[Record]
    ) -> Record:
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
        steps = steps_of(self.config, len(data.train), known.settings if known else None)
        set_seed(seed)
        model = classifier(self.source, data.problem, fresh=self.options.scratch)
        model.config.pairs = bool(test.partners)
        tuned = fine_tune(model, data, self.config, steps=steps, seed=seed, run=self.process)
        write_predictions(str(place / "predictions.parquet"), test, data.problem, tuned.outputs)
        result, base = self._result(seed, tuned, data), "" if self.options.scratch else self.source.path.name
        facts = SeedFacts(base=base, found=found, result=result, data=files)
        save_model(tuned.model, place / "model", self.tokenizer, self.config, facts)
        checkpoints.write_json(place / RESULT, result)
        return result

    def _result(self, seed: int, tuned: FineTuned, data: TaskData) -> Record:
        """The result of a run."""
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
        }

    def _baselines(self, splits: dict[str, LabelledSplit], data: TaskData) -> Record:
        """The results of the baselines, with the seeds of the run."""
        return BaselineSet(
            task=self.task,
            splits=splits,
            problem=data.problem,
            options=self.options,
            config=NetworkConfig(),
            run=self.process,
            folder=self.folder / "baselines",
            clean=data.clean,
        ).record()

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
