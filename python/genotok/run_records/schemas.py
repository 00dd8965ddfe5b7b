"""The fields of each kind of record.

A record in JSON is one object: `kind`, `version`, `provenance`, and the fields below by their names. What a
kind adds now and then stands beside them and is kept in `more`. Rows of tables (a measure, a set, a case) are
objects of their own, described where they are made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Self

from genotok.errors import ArgumentError
from genotok.run_records.provenance import Provenance
from genotok.run_records.version_1 import VERSION, is_old, upgraded

__all__ = [
    "VERSION",
    "AuditRecord",
    "BaselineRecord",
    "BenchmarkRecord",
    "ComparisonRecord",
    "FinetuneRecord",
    "Json",
    "PredictionsRecord",
    "PretrainRecord",
    "RunRecord",
    "StudyRecord",
]

Json = dict[str, Any]
"""An object of JSON."""

Rows = Sequence[Mapping[str, Any]]
Settings = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """What all kinds of records share.

    Attributes:
        kind: The kind, by which `genotok report` chooses a section.
        provenance: Where the record comes from.
        more: Other keys and values of the object.
    """

    kind: str
    provenance: Provenance = field(default_factory=Provenance)
    more: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> Json:
        """The record as an object of JSON."""
        found: Json = {"kind": self.kind, "version": VERSION, "provenance": self.provenance.to_json()}
        own = (one.name for one in fields(self) if one.name not in {"kind", "provenance", "more"})
        return {**found, **{name: getattr(self, name) for name in own}, **self.more}

    def text(self) -> str:
        """The record as a file has it: a line for each field, and for each row of a list."""
        parts = []
        for key, value in self.to_json().items():
            rows = ",\n".join(f"  {json.dumps(row)}" for row in value) if isinstance(value, list) else ""
            parts.append(f" {json.dumps(key)}: " + (f"[\n{rows}\n ]" if rows else json.dumps(value)))
        return "{\n" + ",\n".join(parts) + "\n}\n"

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The record in an object of JSON, of this version or of version 1.

        Raises:
            KeyError: The object lacks a field; the key is its name.
            ArgumentError: A newer genotok wrote it.
            TypeError: The provenance is none.
        """
        data = upgraded(dict(data)) if is_old(data) else dict(data)
        written = data.pop("version", VERSION)
        if isinstance(written, int) and written > VERSION:
            raise ArgumentError(
                f"version={written}: written by a newer genotok; {VERSION} is the latest known"
            )
        known: Json = {}
        for one in fields(cls):
            if one.name in data:
                known[one.name] = data.pop(one.name)
            elif one.default is MISSING and one.default_factory is MISSING:
                raise KeyError(one.name)
        return cls(**{**known, "provenance": Provenance.from_json(known.get("provenance", {})), "more": data})


@dataclass(frozen=True, kw_only=True)
class StudyRecord(RunRecord):
    """Tokenizers measured on genomes.

    Attributes:
        seconds: The duration.
        peak_memory_bytes: The peak memory of the process.
        options: Settings that change what is measured.
        tokenizers, genomes: What was compared.
        measures: Numbers, a row for each tokenizer on each genome (`genotok.study.measures`).
        curves: Points to plot.
        agreement: Pairs of byte-pair vocabularies.
        claims: Published claims, each with what was measured.
        caveats: What limits the comparison.
    """

    kind: str = "study"
    seconds: float = 0.0
    peak_memory_bytes: int = 0
    options: Settings = field(default_factory=dict)
    tokenizers: Rows
    genomes: Rows
    measures: Rows
    curves: Rows
    agreement: Rows
    claims: Rows
    caveats: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class AuditRecord(RunRecord):
    """Audits of labelled sets.

    Attributes:
        options: When rows are of one locus (`genotok.options.LocusOptions`).
        sets: For each set its `name`, `seconds`, and the figures of `genotok.gue.Audit`.
        seconds: The duration.
        peak_memory_bytes: The peak memory of the process.
    """

    kind: str = "audit"
    options: Settings
    sets: Rows
    seconds: float = 0.0
    peak_memory_bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class PretrainRecord(RunRecord):
    """A finished pre-training run; evaluations on held-out sequences (`eval_...`) are in `more`.

    Attributes:
        config: The settings.
        files: The inputs, by name.
        hold_out: Records kept for evaluation.
        windows: Bases of the windows that were cut anew in each epoch; None if the inputs were encoded once.
        stranded: Whether windows were read on the strand in the files only.
        unknown: Number of unknown symbols, by symbol.
        tokens: Tokens of the corpus; estimated if there are `windows`.
        train_sequences, held_out_sequences: Numbers of sequences; epochs of windows may have a few more.
        steps: Training steps done.
        train_loss: Mean loss in nats per masked token, of the steps since the run was resumed if it was.
        parameters: Parameters of the model.
        processes: Processes that trained together.
        device: Where.
        resumed_at: The step from which the run was resumed; 0 if it was not.
        seconds: The duration of the last part.
        waiting: Share of the training time of the last part that the main process waited for batches; None in
            records of earlier versions.
    """

    kind: str = "pretrain"
    config: Settings
    files: Sequence[str]
    hold_out: Sequence[str]
    windows: int | None = None
    stranded: bool = False
    unknown: Mapping[str, int] = field(default_factory=dict)
    tokens: int
    train_sequences: int
    held_out_sequences: int
    steps: int
    train_loss: float
    parameters: int
    processes: int
    device: str
    resumed_at: int
    seconds: float
    waiting: float | None = None


@dataclass(frozen=True, kw_only=True)
class FinetuneRecord(RunRecord):
    """A model fine-tuned on labelled sets.

    Attributes:
        model: The name of the model's folder.
        scratch: Whether training started from fresh weights.
        config: The settings.
        labels: What was declared of the labels.
        threads: Threads of torch; None if that is not recorded.
        device: Where.
        parameters: Parameters of the model.
        sets: Results by set: metrics, seeds, `baselines` as in `BaselineRecord`; records of earlier versions
            have the k-mer baseline as `baseline`.
    """

    kind: str = "gue"
    model: str
    scratch: bool
    config: Settings = field(default_factory=dict)
    labels: Sequence[Any] = ()
    threads: int | None = None
    device: str = ""
    parameters: int
    sets: Rows

    @property
    def title(self) -> str:
        """The name of the model in tables."""
        return f"{self.model}, from scratch" if self.scratch else str(self.model)


@dataclass(frozen=True, kw_only=True)
class BaselineRecord(RunRecord):
    """Baselines fitted to labelled sets.

    Attributes:
        config: The settings of the CNN.
        threads: Threads of torch; None if that is not recorded.
        device: Where.
        sets: Results by set, with `baselines`: `kmers`, `cnn` and `average`, each with its `runs`.
        seconds: The duration; of a resumed run that of its last part.
    """

    kind: str = "baseline"
    config: Settings = field(default_factory=dict)
    threads: int | None = None
    device: str = ""
    sets: Rows
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class PredictionsRecord(RunRecord):
    """The scores of predictions that any tool made.

    Attributes:
        model: What the predictions are of.
        sets: Results by set: metrics of test in one entry of `runs`.
    """

    kind: str = "predictions"
    model: str
    sets: Rows


@dataclass(frozen=True, kw_only=True)
class ComparisonRecord(RunRecord):
    """Tokenizers compared as models.

    Attributes:
        files, hold_out: What the encoders were pre-trained on, and records kept for evaluation.
        sets: Names of the labelled sets.
        problem_type: What labels are; None if that was read off them.
        window: Bases of a window.
        pretrain, finetune: The settings.
        bases: Bases seen in pre-training, at equal compute by the first encoder.
        equal: What is the same for all: "bases", or "compute", the operations that the first one takes.
        tokenizers: For each its figures, with `pretrain` and a fine-tuning record as `finetune`.
        caveats: What limits the comparison.
        seconds: The duration.
    """

    kind: str = "models"
    files: Sequence[str]
    hold_out: Sequence[str] = ()
    sets: Sequence[str]
    problem_type: str | None = None
    window: int
    pretrain: Settings
    finetune: Settings
    bases: int
    equal: str = "bases"
    tokenizers: Rows
    caveats: Sequence[str] = ()
    seconds: float = 0.0

    def results(self) -> list[FinetuneRecord]:
        """The fine-tuning records, in the order of the tokenizers."""
        return [FinetuneRecord.from_json(one["finetune"]) for one in self.tokenizers]


@dataclass(frozen=True, kw_only=True)
class BenchmarkRecord(RunRecord):
    """A benchmark.

    Attributes:
        threads: Threads of each tool.
        cases: What was measured, each with a `title` and figures of its own.
        caveats: What limits the comparison.
    """

    threads: int | None = None
    cases: Rows
    caveats: Sequence[str] = ()
