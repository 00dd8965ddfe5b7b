"""Predictions of a fine-tuned model, and their evaluation where labels are known."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict, get_args

import numpy as np
import torch

from genotok.errors import ArgumentError, SequenceFileError
from genotok.evaluation.figures import AnyScores, figures, score_outputs
from genotok.evaluation.predictions import batch_of, columns_of, schema_of, value_of
from genotok.evaluation.problem import Problem
from genotok.files.outputs import output_file
from genotok.files.paths import Files, expand
from genotok.finetune.data import TokenizedRows, assemble, encode
from genotok.finetune.outputs import outputs_of
from genotok.gue.clean import clean_rows_of
from genotok.gue.labels import LabelError
from genotok.gue.tasks import MAIN_METRIC
from genotok.model.huggingface import DnaBert2ForSequenceClassification
from genotok.model_folder.load import check_attention
from genotok.model_folder.pretrained import load_pretrained
from genotok.model_folder.read import read_folder
from genotok.options import OutputFormat, grouped
from genotok.options.inference import (
    EvaluationKeywords,
    EvaluationOptions,
    PredictionKeywords,
    PredictionOptions,
    PredictionOutputKeywords,
    PredictionOutputOptions,
)
from genotok.rows import ColumnRequest, RowSource, RowTokenization, SourceRows, non_empty, open_rows, text_of
from genotok.rows.chunks import MAX_ROWS
from genotok.rows.column_request import LINE
from genotok.rows.targets import RowTarget
from genotok.rows.writers import row_writer
from genotok.tokenizer.special_ids import SpecialIds
from genotok.training.log import quietly

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Unpack

    from numpy.typing import NDArray

    from genotok.gue import LabelledSplit
    from genotok.options import Progress

__all__ = ["Classifier", "Evaluation", "PredictionReport"]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The evaluation of a model on labelled sequences.

    Attributes:
        scores: All metrics.
        classes: Names of the classes or labels, in the order of the scores; none for numbers.
        cut: Number of sequences that were cut.
        unknown: Number of symbols outside the vocabulary, by symbol.
        symbols: Number of all symbols of the sequences.
        loci: Where clean rows are known: all metrics, as records have them, the interval of the main one from
            drawn loci as `low` and `high`, and the same of the clean rows as `clean`.
    """

    scores: AnyScores
    classes: tuple[str, ...]
    cut: int
    unknown: dict[str, int]
    symbols: int
    loci: dict[str, Any] | None = None


class PredictionReport(TypedDict):
    """What was read and written.

    `cut` rows were cut; `unknown` counts those of the `symbols` that are outside the vocabulary, by symbol.
    """

    output: str
    rows: int
    cut: int
    symbols: int
    unknown: dict[str, int]
    classes: tuple[str, ...]
    bytes: int


class PredictKeywords(PredictionKeywords, PredictionOutputKeywords, total=False):
    """The keywords of `Classifier.predict`."""


class Classifier:
    """A fine-tuned model in a folder, with its tokenizer.

    Args:
        folder: A model that `finetune` wrote: config.json, model.safetensors, tokenizer.json.
        device: "auto", or "cpu".
        batch_tokens: Tokens of a batch.

    Attributes:
        problem: What the model predicts.
        classes: The names of the classes.
        pairs: Whether it was trained on pairs of sequences; None if its folder does not say.
        both_strands: Whether a prediction is the mean over a sequence and its reverse complement.
        files: The files of the folder.

    Raises:
        ArgumentError: The files of the folder do not match, or are not of a classifier.
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
        check_attention(place, self.device)
        with quietly():
            found: Any = load_pretrained(DnaBert2ForSequenceClassification, place)
        self._model: Any = found.to(self.device).eval()
        self.problem = Problem.of_config(found.config)
        self.classes = self.problem.classes
        self.pairs: bool | None = place.settings.pairs
        self.both_strands = bool(place.settings.both_strands)
        self.files = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]

    def outputs(self, split: LabelledSplit, max_tokens: int | None = None) -> tuple[NDArray[Any], int]:
        """Predictions (N, C), from `Problem.probabilities`, and the number of sequences that were cut."""
        rows = encode(self.tokenizer, split, max_tokens, both_strands=self.both_strands)
        return self._computed(rows), rows.cut

    def predict(
        self,
        files: Files,
        output: str | os.PathLike[str],
        *,
        progress: Progress | None = None,
        **options: Unpack[PredictKeywords],
    ) -> PredictionReport:
        """Write what the model predicts for each row of `files` to `output`, atomically.

        A row is a record of a sequence file, a window of one, or a row of a table. Its columns are `record`,
        `start` and `end` (counted from 0, the end excluded), or `line` and all columns of the table; then
        `predicted`, and `prob_<class>` for each class. Rows are in the order of the files. Files other than
        pipes are read twice, so that faults are found before the first prediction.

        Args:
            files: FASTA or FASTQ (plain, gzip, bgzf, xz, zstd), or tables with a header: CSV, TSV, JSON
                lines, Parquet (plain, gzip, bzip2, xz, zstd); or `-`: a path, a pattern, or an iterable.
            output: A name in .parquet, .csv, .tsv, .jsonl, .bed or .bedgraph, the text formats also with
                .gz behind; or `-` for standard output.
            max_tokens: Cut longer sequences; None cuts none.
            sequence: The column of sequences in tables, of pairs two; None for the usual names.
            input_format: The format of the files, if their names and contents do not say it.
            window: Cut records into rows of this many bases.
            stride: Bases from the start of one window to that of the next; None for `window`.
            output_format: The format of the output, if its name does not say it.
            class_name: The class whose probability bedGraph holds; None for the second of two.
            allow_unknown: The share of a file's symbols other than N that may be unknown (`corpus.verdict`).
            force: Replace an output that is there.
            progress: Called with a dictionary as the work proceeds; an exception stops it.

        Raises:
            ArgumentError: The output is there already, or is what is read; options contradict each other, or
                a table has no such column; the model was trained on pairs, or the table has them.
            SequenceFileError: A file is not what it should be, or a sequence is missing.
            SymbolError: A sequence holds protein residues.
            OSError: A file cannot be read or written.
        """
        rows, written = grouped("predict", options, PredictionOptions, PredictionOutputOptions)
        return self.predict_files(files, output, rows, written, progress)

    def predict_files(
        self,
        files: Files,
        output: str | os.PathLike[str],
        rows: PredictionOptions,
        written: PredictionOutputOptions,
        progress: Progress | None,
    ) -> PredictionReport:
        """`predict`, with its options as groups."""
        target = RowTarget.of(os.fspath(output), written.output_format, get_args(OutputFormat))
        value = value_of(target, self.problem, written.class_name)
        inputs = expand(files)
        taken = frozenset({LINE, *columns_of(self.problem)})
        num_rows = cut = 0
        with output_file(target.path, target.kind, inputs=[*inputs, *self.files], force=written.force):
            if target.form == "bedgraph" and rows.window and rows.stride and rows.stride < rows.window:
                raise ArgumentError(
                    "format=bedgraph: holds one number per base, and these windows overlap; write BED"
                )
            source = self._source(inputs, ColumnRequest(rows.sequence, pairs=self.pairs, taken=taken), rows)
            settings = {name: getattr(rows, name) for name in ("window", "stride", "max_tokens")}
            schema = schema_of(source.schema, self.problem, has_lines=source.has_lines, options=settings)
            total = 0
            if source.is_repeatable:
                total = sum(piece.num_tokens for piece in non_empty(source.batches(progress)))
            with row_writer(target, schema, value=value) as (writer, sink):
                for piece, outputs, piece_cut in self._outputs(source, total, rows.max_tokens, progress):
                    writer.write(batch_of(piece.columns, piece.lines, self.problem, outputs, schema))
                    num_rows, cut = num_rows + len(piece), cut + piece_cut
            num_bytes = sink.num_bytes
        return {
            "output": target.path,
            "rows": num_rows,
            "cut": cut,
            "symbols": source.symbols.read,
            "unknown": source.symbols.kinds,
            "classes": self.classes,
            "bytes": num_bytes,
        }

    def evaluate(
        self, files: Files, *, progress: Progress | None = None, **options: Unpack[EvaluationKeywords]
    ) -> Evaluation:
        """Score predictions for the rows of tables with labels in the column `label` (None for "label").

        The other arguments are those of `predict`. If `files` is the test file of a folder with train or
        dev, the clean rows are scored too (`genotok.gue.clean_rows`).

        Raises:
            SequenceFileError: A label is missing, or unknown to the model.
        """
        return self.evaluate_files(files, *grouped("evaluate", options, EvaluationOptions), progress)

    def evaluate_files(self, files: Files, rows: EvaluationOptions, progress: Progress | None) -> Evaluation:
        """`evaluate`, with its options as a group."""
        wanted = ColumnRequest(rows.sequence, rows.label, need_label=True, pairs=self.pairs)
        whole = PredictionOptions(input_format=rows.input_format, allow_unknown=rows.allow_unknown)
        inputs = expand(files)
        source = self._source(inputs, wanted, whole)
        known, total = [], 0
        for piece in non_empty(source.batches()):
            known.append(self._labels(source, piece))
            total += piece.num_tokens
        found, cut = [], 0
        for _, outputs, piece_cut in self._outputs(source, total, rows.max_tokens, progress):
            found.append(outputs)
            cut += piece_cut
        labels, outputs = np.concatenate(known), np.concatenate(found)
        clean = clean_rows_of(inputs, rows.sequence)
        loci = (
            figures(self.problem, labels, outputs, MAIN_METRIC[self.problem.type], clean) if clean else None
        )
        result = score_outputs(self.problem, labels, outputs)
        return Evaluation(result, self.classes, cut, source.symbols.kinds, source.symbols.read, loci)

    def _source(self, inputs: list[str], wanted: ColumnRequest, rows: PredictionOptions) -> RowSource:
        """The rows of files as tokens, without special tokens."""
        tokenization = RowTokenization(
            self.tokenizer,
            special=False,
            uppercase=True,
            allow_empty=False,
            allow_unknown=rows.allow_unknown,
            window=rows.window,
            stride=rows.stride,
            both_strands=self.both_strands,
        )
        return open_rows(tokenization, inputs, wanted, input_format=rows.input_format)

    def _computed(self, rows: TokenizedRows) -> NDArray[Any]:
        """Predictions (N, C) for rows."""
        padding = self._model.config.pad_token_id
        return outputs_of(self._model, self.problem, rows, padding, self.batch_tokens, self.device)

    def _labels(self, source: RowSource, piece: SourceRows) -> NDArray[Any]:
        """The labels of some rows as numbers."""
        texts = text_of(piece.columns.column(source.label)).to_pylist()
        try:
            return self.problem.labels.values([text.strip() for text in texts])
        except LabelError as error:
            raise SequenceFileError(f"{piece.place(error.row)}: {error}") from None

    def _outputs(
        self, source: RowSource, total: int, max_tokens: int | None, progress: Progress | None
    ) -> Iterator[tuple[SourceRows, NDArray[Any], int]]:
        """Pieces of at most `MAX_ROWS` rows, their predictions (N, C), and how many rows were cut.

        `total` is the number of tokens of all rows, 0 if unknown.
        """
        special, done = SpecialIds.of(self.tokenizer), 0
        for whole in non_empty(source.batches(None if total else progress)):
            for piece in whole.parts(MAX_ROWS):
                ids, cut = assemble(special, piece.sides, max_tokens)
                reverse = assemble(special, piece.reverse, max_tokens)[0] if piece.reverse else []
                rows = TokenizedRows(ids, np.empty(0, np.int64), cut, 0, reverse)
                yield piece, self._computed(rows), cut
                done += piece.num_tokens
                if progress:
                    progress({"phase": "predicting", "tokens": done, "tokens_total": total})
