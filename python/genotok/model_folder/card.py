"""The model card, `README.md` in a model's folder: what it is, how it was made, and how to load it.

The front matter has the keys of Hugging Face's model cards, as YAML with JSON values.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["FRONT", "Card", "Metric"]

FRONT = '---\nlibrary_name: "transformers"\n'
"""The first lines of a card."""

AUTO_CLASSES = {
    "ForMaskedLM": ("AutoModelForMaskedLM", "fill-mask"),
    "ForSequenceClassification": ("AutoModelForSequenceClassification", "text-classification"),
    "ForTokenClassification": ("AutoModelForTokenClassification", "token-classification"),
}
"""Suffix of an architecture's name to the class that loads it, and its pipeline."""

LIMITS = (
    "The encoder has no longest input (ALiBi); the time of attention grows with the square of the length.",
    "Sequences are DNA; symbols outside the vocabulary are unknown tokens.",
    "Figures are of the data named here, and say nothing of other organisms, lengths or assays.",
)


CASE = {
    True: "Lower case is read as upper case.",
    False: "The tokenizer knows upper case only: give sequences in upper case (`genotok embed --uppercase`).",
}


@dataclass(frozen=True, slots=True)
class Metric:
    """A measured value, with its interval if there is one.

    Attributes:
        name: The name of the metric.
        value: The value.
        low: Lower end of the 95 % interval.
        high: Upper end.
        of: The data on which it was measured.
        key: Its name among Hugging Face's metrics, if it has one.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    of: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """The contents of a card, apart from those that follow from the folder.

    Attributes:
        title: The first heading.
        summary: A sentence or two.
        command: The command that made it; empty for a call from Python.
        data: The training data: a row per file, by column.
        settings: The settings of training.
        metrics: Measured values.
        notes: Further limits and remarks.
        base: The model whose weights training started from.
        manifest: How the model was made, for the folder's manifest; no part of the text.
    """

    title: str
    summary: str
    command: str = ""
    data: Sequence[Mapping[str, Any]] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    metrics: Sequence[Metric] = ()
    notes: Sequence[str] = ()
    base: str = ""
    manifest: Mapping[str, Any] = field(default_factory=dict)

    def markdown(
        self, config: Mapping[str, Any], files: Mapping[str, str], *, fast: bool, upper: bool
    ) -> str:
        """The text of the card.

        Args:
            config: The model's config.json.
            files: SHA-256 by name of the folder's files.
            fast: Whether transformers reads the folder's tokenizer.
            upper: Whether it reads lower case as upper case.
        """
        parts = [
            self._front(config),
            f"# {_plain(self.title)}",
            self.summary,
            _usage(config, fast=fast),
            self._data(),
            self._training(),
            self._figures(),
            _section("Files", _table(("file", "SHA-256"), [(name, f"`{files[name]}`") for name in files])),
            _section("Limits", "\n".join(f"- {text}" for text in (*LIMITS, CASE[upper], *self.notes))),
        ]
        return "\n\n".join(part for part in parts if part) + "\n"

    def _front(self, config: Mapping[str, Any]) -> str:
        """The front matter."""
        _, pipeline = _auto_class(config)
        facts: dict[str, Any] = {
            "library_name": "transformers",
            "pipeline_tag": pipeline,
            "tags": ["genotok", "genomics", "dna", "dnabert2", "alibi"],
            "metrics": sorted({one.key for one in self.metrics if one.key}) or None,
            "model-index": self._index(pipeline) or None,
        }
        lines = [f"{key}: {json.dumps(value)}" for key, value in facts.items() if value is not None]
        return "\n".join(["---", *lines, "---"])

    def _index(self, pipeline: str | None) -> list[Any]:
        """The results in the form that Hugging Face shows next to a card."""
        known = [one for one in self.metrics if one.key and one.of]
        results = [
            {
                "task": {"type": pipeline or "other"},
                "dataset": {"name": one.of, "type": one.of},
                "metrics": [{"type": one.key, "name": one.name, "value": one.value}],
            }
            for one in known
        ]
        return [{"name": self.title, "results": results}] if results else []

    def _data(self) -> str:
        """The table of the data."""
        if not self.data:
            return ""
        columns = list(dict.fromkeys(key for row in self.data for key in row))
        return _section(
            "Data", _table(columns, [[_cell(row.get(key)) for key in columns] for row in self.data])
        )

    def _training(self) -> str:
        """Command and settings."""
        parts = []
        if self.base:
            parts.append(f"Begun with the weights of `{self.base}`.")
        if self.command:
            parts.append(f"```bash\n{self.command}\n```")
        if self.settings:
            rows = [(name, _cell(value)) for name, value in self.settings.items()]
            parts.append(_table(("setting", "value"), rows))
        return _section("Training", "\n\n".join(parts)) if parts else ""

    def _figures(self) -> str:
        """The table of the metrics."""
        if not self.metrics:
            return ""
        rows = [
            (
                one.of,
                one.name,
                f"{one.value:.4g}",
                "" if one.low is None or one.high is None else f"{one.low:.4g} to {one.high:.4g}",
            )
            for one in self.metrics
        ]
        return _section("Metrics", _table(("measured on", "metric", "value", "95 % interval"), rows))


def _usage(config: Mapping[str, Any], *, fast: bool) -> str:
    """The section with the code that loads the model."""
    name, pipeline = _auto_class(config)
    lines = [
        "import genotok.model.huggingface  # registers the classes with transformers",
        f"from transformers import AutoTokenizer, {name}",
        "",
        'tokenizer = AutoTokenizer.from_pretrained("FOLDER")',
        f'model = {name}.from_pretrained("FOLDER")',
    ]
    text = "```python\n" + "\n".join(lines) + "\n```"
    if not fast:
        text += (
            "\n\nIts tokens are k-mers that no file of Hugging Face can express: `AutoTokenizer` needs the "
            "import too, and without it cannot read `tokenizer.json`."
        )
    if pipeline == "text-classification":
        text += "\n\n`genotok predict FILE --model FOLDER -o predictions.parquet` gives the same predictions."
    elif pipeline == "fill-mask":
        text += "\n\n`genotok embed FILE --model FOLDER -o vectors.parquet` gives vectors of sequences."
    return _section("How to use it", text)


def _auto_class(config: Mapping[str, Any]) -> tuple[str, str | None]:
    """The class that loads a model, and its pipeline."""
    heads = config.get("architectures") or [""]
    found = (pair for end, pair in AUTO_CLASSES.items() if str(heads[0]).endswith(end))
    return next(found, ("AutoModel", "feature-extraction"))


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n{text}"


def _table(columns: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    titles = list(columns)
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(map(_plain, line))} |" for line in lines)


def _cell(value: object) -> str:
    """A value as the text of a cell."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int):
        return str(value)
    return f"{value:,}"


def _plain(text: str) -> str:
    """A text without line ends, and with escaped column separators."""
    return re.sub(r"\s+", " ", str(text)).replace("|", "\\|")
