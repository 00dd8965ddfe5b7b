"""A comparison: for each tokenizer the windows as tokens, an encoder, and its results on labelled sets.

The same for all tokenizers: the windows and their order, the encoder except its token embeddings, and the
settings. What differs is the number of tokens per window, and so the time. At equal bases all take the same
steps, and the time is measured. At equal compute each takes as many steps as the floating-point operations of
the first tokenizer allow, in pre-training and for each set in fine-tuning (`genotok.model.operations`).
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genotok._native import Claim
from genotok.compare.compute import at_compute, step_operations
from genotok.compare.table import comparison_markdown
from genotok.dataset import TokenDataset
from genotok.dataset.encode import encode
from genotok.dataset.journal import is_folder_of_shards, is_whole
from genotok.errors import ArgumentError
from genotok.files.atomic import write_atomic
from genotok.files.identity import files_sha256, vocabulary_sha256
from genotok.files.paths import expand
from genotok.finetune import finetune_model
from genotok.finetune.config import EARLIER
from genotok.finetune.shuffled import changed_by_shuffling
from genotok.gue.splits import check_train
from genotok.options import grouped
from genotok.options.learning import FinetuneOptions, ModelRunKeywords, ModelRunOptions
from genotok.options.pretraining import ComparisonKeywords, ComparisonOptions, PretrainOptions
from genotok.pretrain import pretrain_model
from genotok.pretrain.run import REPORT
from genotok.run_records.provenance import Provenance
from genotok.run_records.reading import read_record
from genotok.run_records.schemas import ComparisonRecord
from genotok.training import checkpoints

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from genotok.compare.config import CompareConfig
    from genotok.gue import Task
    from genotok.study import Subject

__all__ = ["RECORD", "CompareKeywords", "TokenizerComparison", "compare"]

Record = dict[str, Any]

RECORD = "compared.json"
TABLE = "compared.md"
KEPT = (
    "parameters",
    "unknown",
    "tokens",
    "train_sequences",
    "held_out_sequences",
    "train_loss",
    "seconds",
    "device",
)
CAVEATS = {
    "bases": "All encoders see the same windows, those without N, in the same order, for as many steps and "
    "bases; a tokenizer with more tokens per window computes more. ",
    "compute": "All encoders see the same windows, those without N, in the same order, for as many steps as "
    "the floating-point operations of the first allow, in pre-training and in fine-tuning; a tokenizer with "
    "fewer tokens per window sees more bases. ",
}
ALIKE = (
    "Their layers are the same, their token embeddings are not. Overlapping k-mers are masked k in a row, as "
    "in DNABERT; nearly all bases of such a span still show in its neighbours, and each base is predicted k "
    "times, so there are no bits per base to compare."
)


class CompareKeywords(ComparisonKeywords, ModelRunKeywords, total=False):
    """The keywords of `compare`."""


def compare(
    subjects: Sequence[Subject],
    files: Sequence[str],
    tasks: Sequence[Task],
    output: str | os.PathLike[str],
    config: CompareConfig,
    **options: Unpack[CompareKeywords],
) -> Record:
    """Pre-train and fine-tune the same encoder on each tokenizer.

    `output` gets `compared.json`, and for each tokenizer a folder with its tokens, `model/` and `results/`.

    Args:
        subjects: The tokenizers.
        files: Sequence files or patterns to pre-train on.
        tasks: Labelled sets to fine-tune on.
        output: The folder.
        config: Settings.
        hold_out: Records to evaluate on and not to train on.
        equal: "bases" or "compute".
        resume: Resume a comparison that was stopped.
        device: "auto", or "cpu".
        threads: Threads of encoding, and of torch on the CPU.
        problem_type: What labels are, where a task does not say so; None to read it off them.
        allow_unknown: The share of a file's symbols other than N that may be unknown (`corpus.verdict`).
        on_status: Called with a message before each step of the work.
        progress: Called with a dictionary as a run proceeds; an exception stops it.

    Raises:
        ArgumentError: The folder is in use, two tokenizers have one name, or a value is out of range.
        SequenceFileError: A file is malformed.
        OSError: A file cannot be read or written.
    """
    comparison = TokenizerComparison(subjects, files, tasks, config)
    return comparison.run(output, *grouped("compare", options, ComparisonOptions, ModelRunOptions))


@dataclasses.dataclass(frozen=True, slots=True)
class TokenizerComparison:
    """What is compared, on what; the attributes are the arguments of `compare`."""

    subjects: Sequence[Subject]
    files: Sequence[str]
    tasks: Sequence[Task]
    config: CompareConfig

    def run(self, output: str | os.PathLike[str], options: ComparisonOptions, run: ModelRunOptions) -> Record:
        """`compare`, with its options as groups."""
        start, config, subjects = time.monotonic(), self.config, self.subjects
        names = [subject.name for subject in subjects]
        if not subjects or len(set(names)) < len(names):
            raise ArgumentError(f"tokenizers={names}: at least one is expected, and none twice")
        tasks = [
            dataclasses.replace(task, problem_type=task.problem_type or options.problem_type)
            for task in self.tasks
        ]
        folder, paths = Path(output), expand(self.files)
        settings: Record = {
            "files": [os.path.basename(path) for path in paths],
            "hold_out": list(options.hold_out),
            "sets": [task.name for task in tasks],
            "problem_type": options.problem_type,
            "equal": options.equal,
            **dataclasses.asdict(config),
        }
        identity = checkpoints.RunIdentity(
            settings={"kind": "models", **settings, "tokenizers": names},
            digests=_digests(subjects, paths),
            free=("tokenizers",),
            names=("files",),
            earlier={"equal": "bases", "finetune": EARLIER},
        )
        for task in tasks:  # faults in a set are found before training starts
            check_train(*task.read(allow_unknown=1.0))
        with checkpoints.claim(folder, identity, resume=options.resume, on_status=run.on_status) as claimed:
            found: list[Record] = []
            for number, subject in enumerate(subjects):
                place = folder / subject.name.replace(":", "-")
                reference = found[0] if found and options.equal == "compute" else None
                one = _SubjectRuns(subject, place, config, options, run, reference)
                run.notify(f"{subject.name}: encoding and pre-training, {number + 1} of {len(subjects)}")
                trained = one.pretrain(paths)
                run.notify(f"{subject.name}: fine-tuning")
                tuned = one.finetune(tasks, with_baseline=number == 0)
                changed = {task.name: one.changed_by_shuffling(task) for task in tasks}
                found.append(
                    {**subject.describe(), "pretrain": trained, "finetune": tuned, "shuffled": changed}
                )
            seeds = settings.pop("seeds")
            record = ComparisonRecord(
                provenance=Provenance.now(
                    ("torch", "transformers"), seeds=seeds, inputs={**claimed.recorded, "sets": _sets(found)}
                ),
                **settings,
                bases=config.bases,
                tokenizers=found,
                caveats=[CAVEATS[options.equal] + ALIKE],
                seconds=round(time.monotonic() - start, 1),
            )
            write_atomic(folder / TABLE, (comparison_markdown(record) + "\n").encode())
            write_atomic(folder / RECORD, record.text().encode())
        return record.to_json()


def _sets(found: Sequence[Record]) -> Record:
    """The digests of the labelled sets, as fine-tuning recorded them; the same for all tokenizers."""
    made: Record = found[0]["finetune"]["provenance"]["inputs"].get("sets", {})
    return made


def _digests(subjects: Sequence[Subject], paths: Sequence[str]) -> Record:
    """The digests of tokenizers and inputs; `finetune` has those of the sets."""
    tokenizers = {subject.name: {"vocabulary": vocabulary_sha256(subject.tokenizer)} for subject in subjects}
    return {"files": files_sha256(paths), "tokenizers": tokenizers}


@dataclasses.dataclass(frozen=True, slots=True)
class _SubjectRuns:
    """The runs of one tokenizer.

    Attributes:
        reference: The record of the tokenizer whose operations are to be spent; None for equal bases.
    """

    subject: Subject
    folder: Path
    config: CompareConfig
    options: ComparisonOptions
    process: ModelRunOptions
    reference: Record | None = None

    def pretrain(self, paths: Sequence[str]) -> Record:
        """The windows as tokens, and an encoder trained on them; its figures."""
        tokens, model = self.folder / "tokens", self.folder / "model"
        self.folder.mkdir(exist_ok=True)
        tokenizer = self.folder / "tokenizer.json"
        self.subject.tokenizer.save(tokenizer)
        if not is_whole(str(tokens)):
            window = self.config.window
            encode(
                self.subject.tokenizer,
                paths,
                f"{tokens}{os.sep}",
                format="arrow",
                resume=is_folder_of_shards(str(tokens)),
                window=window,
                stride=window,
                unknown="split",
                uppercase=True,
                allow_unknown=self.options.allow_unknown,
                threads=self.process.threads,
                progress=self.process.progress,
            )
        config = self.config.for_tokenizer(self.subject.overlap)
        operations = step_operations(TokenDataset(tokens), self.subject.tokenizer, config)
        if self.reference is not None:
            config = at_compute(config, self.reference["pretrain"]["operations"] / operations)
        if not (model / REPORT).exists():
            options = PretrainOptions(
                tokenizer=str(tokenizer), hold_out=self.options.hold_out, resume=_begun(model)
            )
            pretrain_model([str(tokens)], model, config, options, self.process)
        else:
            Claim(str(model), folder=True).release()  # which removes one that a failed removal left
        report = read_record(model / REPORT)
        sequences = report["train_sequences"] + report["held_out_sequences"]
        figures = {key: value for key, value in report.items() if key in KEPT or key.startswith("eval_")}
        return {
            **figures,
            "tokens_per_window": report["tokens"] / sequences,
            "bases": report["steps"] * config.batch * self.config.window,
            "operations": report["steps"] * operations,
        }

    def finetune(self, tasks: Sequence[Task], *, with_baseline: bool) -> Record:
        """The encoder on the labelled sets; a record of `genotok finetune`."""
        place = self.folder / "results"
        sets = self.reference["finetune"]["sets"] if self.reference else ()
        options = FinetuneOptions(
            seeds=self.config.seeds,
            with_baseline=with_baseline,
            resume=_begun(place),
            allow_unknown=self.options.allow_unknown,
            budgets={one["name"]: one["runs"][0]["operations"] for one in sets},
        )
        model, config = self.folder / "model", self.config.finetune
        record = finetune_model(tasks, model, place, config, options, self.process)
        return {**record, "model": self.subject.name}

    def changed_by_shuffling(self, task: Task) -> float | None:
        """The share of dev rows whose predicted class changes when tokens are shuffled."""
        return changed_by_shuffling(
            self.folder / "results" / task.name / "model", task, device=self.process.device
        )


def _begun(place: Path) -> bool:
    """Whether a folder has a run to resume; a folder without one is removed."""
    if (place / checkpoints.RUN).exists():
        return True
    shutil.rmtree(place, ignore_errors=True)
    return False
