"""What a fine-tuned model says of other sequences, and how right it is where labels are known."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from genotok.errors import ArgumentError, SequenceFileError
from genotok.files.kinds import PARQUET
from genotok.files.outputs import named, output_file
from genotok.files.whole import is_stream
from genotok.finetune.data import encode
from genotok.finetune.figures import AnyScores, score_outputs
from genotok.finetune.problem import Problem
from genotok.finetune.run import write_predictions
from genotok.finetune.train import outputs_of
from genotok.gue import LabelledSplit, read_labelled
from genotok.model.huggingface import DnaBert2ForSequenceClassification
from genotok.model_folder.load import load_pretrained
from genotok.model_folder.read import read_folder
from genotok.training.log import quietly
from genotok.verdict import MAX_UNKNOWN, known_symbols

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Classifier", "Evaluation"]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """How right a model is on labelled sequences.

    Attributes:
        scores: All metrics.
        classes: Names of the classes or labels, in the order of the scores; none of numbers.
        cut: Sequences that were longer than the limit.
        unknown: Symbols that the tokenizer does not know, by kind.
    """

    scores: AnyScores
    classes: tuple[str, ...]
    cut: int
    unknown: dict[str, int]


class Classifier:
    """A fine-tuned model in a folder, with its tokenizer.

    Args:
        folder: As `finetune` leaves it: config.json, model.safetensors, tokenizer.json.
        device: "auto", or "cpu".
        batch_tokens: Tokens of a batch.

    Raises:
        ArgumentError: The folder's files do not fit each other, or are of no classifier.
        OSError: They are not there.
    """

    def __init__(
        self, folder: str | os.PathLike[str], *, device: str = "auto", batch_tokens: int = 16_384
    ) -> None:
        place = read_folder(folder)
        place.check_classifier()
        self.tokenizer = place.tokenizer()
        self.batch_tokens = batch_tokens
        self.device = torch.device("cpu" if device == "cpu" or not torch.cuda.is_available() else "cuda")
        with quietly():
            found: Any = load_pretrained(DnaBert2ForSequenceClassification, place)
        self._model: Any = found.to(self.device).eval()
        self.problem = Problem.of_config(found.config)
        self.classes = self.problem.classes

    def outputs(self, split: LabelledSplit, max_tokens: int | None = None) -> tuple[NDArray[Any], int]:
        """(N, C) what is predicted, as `Problem.probabilities` gives it, and how many sequences were cut."""
        rows = encode(self.tokenizer, split, max_tokens)
        padding = self._model.config.pad_token_id
        found = outputs_of(self._model, self.problem, rows, padding, self.batch_tokens, self.device)
        return found, rows.cut

    def read(
        self,
        path: str | os.PathLike[str],
        *,
        need_labels: bool = False,
        columns: Sequence[str] = (),
        label: str | None = None,
        allow_unknown: float = MAX_UNKNOWN,
    ) -> LabelledSplit:
        """The rows of a CSV file, which says how many of its symbols the tokenizer does not know.

        Raises:
            SymbolError, SequenceFileError: As for `genotok.gue.read_labelled`.
        """
        known = known_symbols(self.tokenizer, uppercase=True)
        return read_labelled(
            path,
            need_labels=need_labels,
            columns=columns,
            label=label,
            empty_labels=not need_labels or self.problem.type == "multilabel",
            known=known,
            allow_unknown=allow_unknown,
        )

    def predict(
        self,
        rows: str | os.PathLike[str] | LabelledSplit,
        output: str | os.PathLike[str],
        max_tokens: int | None = None,
        *,
        force: bool = False,
    ) -> tuple[int, int]:
        """Write predictions for a CSV file with a column `sequence`; how many, and how many were cut.

        Args:
            rows: The CSV file: a path, or what `read` gave.
            output: A name in `.parquet`, or `-` for standard output.
            max_tokens: Cut longer sequences; None cuts none.
            force: Replace an output that is there.

        Raises:
            ArgumentError: The output is there already, or is what is read.
            SequenceFileError: The file is not what it should be.
            OSError: A file cannot be read or written.
        """
        target = named(os.fspath(output))
        if not target.endswith(".parquet") and not is_stream(target):
            raise ArgumentError(f"output={target}: a name in .parquet is expected, or - for standard output")
        source = os.fspath(rows.path if isinstance(rows, LabelledSplit) else rows)
        with output_file(target, PARQUET, inputs=[source], force=force) as file:
            split = rows if isinstance(rows, LabelledSplit) else self.read(rows)
            outputs, cut = self.outputs(split, max_tokens)
            write_predictions(file.path, split, self.problem, outputs)
        return len(split), cut

    def evaluate(
        self, rows: str | os.PathLike[str] | LabelledSplit, max_tokens: int | None = None
    ) -> Evaluation:
        """Score predictions for a CSV file with labels: a path, or what `read` gave.

        Raises:
            SequenceFileError: A label is none of the model's classes.
        """
        read = rows if isinstance(rows, LabelledSplit) else self.read(rows, need_labels=True)
        split = read.numbered(self.problem.labels)
        outputs, cut = self.outputs(split, max_tokens)
        if not len(split):
            raise SequenceFileError(f"{split.path}: no rows")
        found = score_outputs(self.problem, split.labels, outputs)
        return Evaluation(found, self.classes, cut, split.unknown)
