"""Baselines over data sets and seeds: a folder with results and predictions."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from genotok.baseline.set_work import BaselineSet, device_of
from genotok.baseline.training import NetworkConfig
from genotok.corpus.verdict import BASES
from genotok.evaluation.problem import Problem
from genotok.evaluation.results import markdown
from genotok.files.atomic import write_atomic
from genotok.gue.clean import clean_rows
from genotok.gue.splits import announce, with_train
from genotok.options import grouped
from genotok.options.learning import BaselineKeywords, BaselineOptions, ModelRunKeywords, ModelRunOptions
from genotok.run_records.provenance import Provenance
from genotok.run_records.schemas import BaselineRecord
from genotok.training import checkpoints

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from typing import Unpack

    from genotok.gue import LabelledSplit, Labels, Task

__all__ = ["RESULTS", "BaselineRunKeywords", "baselines", "fit_baselines"]

Record = dict[str, Any]

RESULTS = "results.json"
TABLE = "results.md"


class BaselineRunKeywords(BaselineKeywords, ModelRunKeywords, total=False):
    """The keywords of `baselines`."""


def baselines(
    tasks: Sequence[Task],
    output: str | os.PathLike[str],
    config: NetworkConfig | None = None,
    **options: Unpack[BaselineRunKeywords],
) -> Record:
    """Fit the baselines of each set: k-mers with regression, a small CNN for each seed, and their average.

    `output` gets `results.json`, its table as `results.md`, and for each set a folder with the results and
    predictions of each part (`baseline.set_work`). All choices are made on dev; the labels of test are
    compared with predictions, and nothing else.

    Args:
        tasks: The data sets.
        output: The folder of results.
        config: Settings of the CNN; None for the defaults.
        seeds: A CNN for each; it seeds weights, order and strands.
        stranded: Whether sequences are of one strand; None for what is known of sets of GUE, else False.
        aligned: Whether a place means the same in all sequences; None likewise.
        resume: Keep results that are there and belong to the same settings, and score their predictions anew.
        allow_unknown: The share of symbols other than N that may be unknown in a file (`corpus.verdict`).
        device: "auto", or "cpu".
        threads: Threads of torch on the CPU.
        on_status: Called with a message before each step of the work.
        progress: Called with a dictionary as a run proceeds; an exception stops it.

    Raises:
        ArgumentError: The folder is in use, or a value is out of range.
        SequenceFileError: A file of a data set is malformed.
        OSError: A file cannot be read or written.
    """
    groups = grouped("baselines", options, BaselineOptions, ModelRunOptions)
    return fit_baselines(tasks, output, config or NetworkConfig(), *groups)


def fit_baselines(
    tasks: Sequence[Task],
    output: str | os.PathLike[str],
    config: NetworkConfig,
    options: BaselineOptions,
    run: ModelRunOptions,
) -> Record:
    """`baselines`, with its options as groups."""
    start, folder = time.monotonic(), Path(output)
    if run.threads is not None:
        torch.set_num_threads(run.threads)
    head: Record = {
        "kind": "baseline",
        "config": dataclasses.asdict(config),
        "seeds": list(options.seeds),
        "stranded": options.stranded,
        "aligned": options.aligned,
        "labels": [list(one) for one in {(task.problem_type, task.label, *task.sequences) for task in tasks}],
    }
    identity = checkpoints.RunIdentity(settings=head, digests={}, free=("seeds",))
    works = [_SetWork(task, folder / task.name, config, options, run) for task in tasks]
    # Faults in any set are found before training starts, and leave no folder.
    digests = {work.task.name: work.describe() for work in works}
    with checkpoints.claim(folder, identity, resume=options.resume, on_status=run.on_status) as claimed:
        for name, found in digests.items():
            claimed.identify({"sets": {name: found}})
        record = BaselineRecord(
            provenance=Provenance.now(
                ("torch", "scikit-learn"), seeds=options.seeds, inputs=claimed.recorded
            ),
            config=head["config"],
            threads=torch.get_num_threads(),
            device=device_of(run),
            sets=[work.fit() for work in works],
            seconds=round(time.monotonic() - start, 1),
        )
        write_atomic(folder / TABLE, (markdown([], [record]) + "\n").encode())
        write_atomic(folder / RESULTS, record.text().encode())
    return record.to_json()


@dataclasses.dataclass(frozen=True, slots=True)
class _SetWork:
    """The baselines of one set."""

    task: Task
    folder: Path
    config: NetworkConfig
    options: BaselineOptions
    process: ModelRunOptions

    def read(self) -> tuple[dict[str, LabelledSplit], Labels]:
        """The splits of the set, and its labels. Read anew for each use: only one set is in memory."""
        return self.task.read(BASES, self.options.allow_unknown)

    def describe(self) -> dict[str, str | None]:
        """Report the labels of the set and its unknown symbols; the digests of its files, by split."""
        return announce(self.task.name, *self.read(), self.process.notify)

    def fit(self) -> Record:
        """The results of the set."""
        read, labels = self.read()
        splits, note = with_train(read)
        work = BaselineSet(
            task=self.task,
            splits=splits,
            problem=Problem(labels.type, labels.names),
            options=self.options,
            config=self.config,
            run=self.process,
            folder=self.folder,
            clean=clean_rows(read),
        )
        return {**self.task.facts(splits, labels, note), "baselines": work.record()}
