"""Fine-tuning over data sets and seeds: a folder with results, predictions and the best model of each set."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from genotok.errors import ArgumentError
from genotok.evaluation.results import markdown
from genotok.files.atomic import write_atomic
from genotok.finetune.config import EARLIER
from genotok.finetune.set_work import SetWork
from genotok.finetune.start import Start, encoder_of, has_places, of_name
from genotok.finetune.teacher import teacher_of
from genotok.model_folder.load import check_attention
from genotok.model_folder.read import ModelFolder, read_folder
from genotok.options import grouped
from genotok.options.learning import FinetuneKeywords, FinetuneOptions, ModelRunKeywords, ModelRunOptions
from genotok.run_records.provenance import Provenance
from genotok.run_records.schemas import FinetuneRecord
from genotok.training import checkpoints
from genotok.training.log import quietly

if TYPE_CHECKING:
    import os
    from typing import Unpack

    from genotok.finetune.config import FinetuneConfig
    from genotok.gue import Task

__all__ = ["RESULTS", "FinetuningKeywords", "finetune", "finetune_model"]

Record = dict[str, Any]

PRECISIONS = {"float32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
RESULTS = "results.json"
TABLE = "results.md"


class FinetuningKeywords(FinetuneKeywords, ModelRunKeywords, total=False):
    """The keywords of `finetune`."""


def finetune(
    tasks: Sequence[Task],
    model: str | os.PathLike[str] | None,
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
        model: A folder with config.json, model.safetensors and tokenizer.json; None for a new encoder
            (`config.encoder`) and, for each set, a vocabulary that is trained on its train split, or k-mers
            (`config.tokenizer`).
        output: The folder of results.
        config: Settings.
        seeds: A run for each; it seeds new weights, order and dropout.
        scratch: Start from new weights of the same architecture.
        teacher: Predictions for the rows of train, to learn from besides labels (`config.teacher_weight`): a
            table as `genotok predict` writes it, or a folder with one for each set, such as `mouse_0.csv`.
        with_baseline: Also fit the baselines (`genotok.baseline`).
        stranded: Whether sequences are of one strand, so that the other is not read, whatever
            `config.strands` says; None for what is known of the set.
        aligned: Whether a place means the same in all sequences; None likewise.
        resume: Keep results that are there and belong to the same settings.
        device: "auto", or "cpu".
        threads: Threads of torch on the CPU.
        problem_type: What labels are, where a task does not say so; None to read it off them.
        allow_unknown: The share of symbols other than N that may be unknown in a file (`corpus.verdict`).
        budgets: By set the floating-point operations of training with each seed, in place of epochs.
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
    model: str | os.PathLike[str] | None,
    output: str | os.PathLike[str],
    config: FinetuneConfig,
    options: FinetuneOptions,
    run: ModelRunOptions,
) -> Record:
    """`finetune`, with its options as groups."""
    if model is None:
        if config.lora:
            raise ArgumentError("lora: trains a model that is there; name one by model")
        options = dataclasses.replace(options, scratch=True)
    if config.pretrain_steps and not options.scratch:
        raise ArgumentError(
            f"pretrain_steps={config.pretrain_steps}: trains new weights; needs scratch, or no model"
        )
    folder = Path(output)
    source = None if model is None else read_folder(model, need_weights=not options.scratch)
    place = torch.device("cpu" if run.device == "cpu" or not torch.cuda.is_available() else "cuda")
    start = of_name(config) if source is None else _start(source, place, config, options)
    encoder = start.encoder if start else encoder_of(config)
    has_places(encoder, config, aligned=False)  # an error before anything is read
    title = source.path.name if source else config.encoder
    if run.threads is not None:
        torch.set_num_threads(run.threads)
    tasks = [
        dataclasses.replace(task, problem_type=task.problem_type or options.problem_type) for task in tasks
    ]
    budgets = dict(options.budgets or {})
    head: Record = {
        "kind": "gue",
        "model": title,
        "scratch": options.scratch,
        "config": dataclasses.asdict(config),
        "seeds": list(options.seeds),
        "labels": _declared(tasks),
        "stranded": options.stranded,
        "aligned": options.aligned,
        "teacher": options.teacher is not None,
    } | ({"budgets": budgets} if budgets else {})
    identity = checkpoints.RunIdentity(
        settings=head,
        digests=source.digests() if source else {},
        free=("seeds",),
        names=("model",) if source else (),
        earlier={"config": EARLIER, "teacher": False},
    )
    teachers = [teacher_of(task, len(tasks), config, options) for task in tasks]
    works = [
        SetWork(task, start, folder / task.name, config, options, run, teacher, budgets.get(task.name))
        for task, teacher in zip(tasks, teachers, strict=True)
    ]
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
            model=title,
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


def _start(
    source: ModelFolder, place: torch.device, config: FinetuneConfig, options: FinetuneOptions
) -> Start:
    """What the models of all sets start from, checked."""
    encoder = source.settings.encoder
    check_attention(source, place, PRECISIONS[config.precision], encoder.attention_dropout)
    if not options.scratch:
        source.check_finite()
    return Start(source.tokenizer(), encoder, source)
