"""The folder of a fine-tuned model: what its card and its manifest say about the run."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from genotok.model_folder.card import Card, Metric
from genotok.model_folder.tokenizer_files import FolderTokenizer
from genotok.model_folder.write import save_folder
from genotok.run_records.provenance import command_line
from genotok.tokenizer.special_ids import SpecialIds

if TYPE_CHECKING:
    from pathlib import Path

    from genotok.finetune.config import FinetuneConfig
    from genotok.tokenizer import Tokenizer

__all__ = ["SeedFacts", "save_model"]

NAMES = {
    "mcc": ("Matthews correlation (MCC)", "matthews_correlation"),
    "f1": ("macro F1", "f1"),
    "accuracy": ("accuracy", "accuracy"),
    "precision": ("precision", "precision"),
    "recall": ("recall", "recall"),
    "pearson": ("Pearson correlation", "pearsonr"),
    "spearman": ("Spearman correlation", "spearmanr"),
    "r2": ("R²", "r_squared"),
    "rmse": ("root mean squared error", "rmse"),
    "mae": ("mean absolute error", "mae"),
    "map": ("mean average precision of labels (mAP)", "mean_average_precision"),
    "f1_micro": ("micro F1", "f1"),
    "f1_macro": ("macro F1", "f1"),
    "subset_accuracy": ("subset accuracy", "accuracy"),
    "auroc": ("mean area under the ROC curve (AUROC)", "roc_auc"),
}
"""The name of each metric, here and at Hugging Face."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SeedFacts:
    """What the folder of a model says about its run.

    Attributes:
        base: The name of the model that training started from; empty for new weights.
        found: The facts of the set.
        result: The result of the run.
        data: Facts of each split, with the digest of its file.
    """

    base: str
    found: dict[str, Any]
    result: dict[str, Any]
    data: list[dict[str, Any]]


def save_model(
    model: Any, place: Path, tokenizer: Tokenizer, config: FinetuneConfig, facts: SeedFacts
) -> None:
    """Write the model of one seed.

    Args:
        model: The classifier.
        place: Its folder.
        tokenizer: As it was trained with.
        config: The settings.
        facts: What its card and manifest say.
    """
    found, result = facts.found, facts.result
    settings = {"seed": result["seed"], "steps": result["steps"], **dataclasses.asdict(config)}
    metrics = _metrics(result["test"], found)
    command = command_line()
    manifest = {
        "made_by": "finetune",
        "command": command,
        "base": facts.base or None,
        "data": facts.data,
        "settings": settings,
        "metrics": {name: value for name, value in result["test"].items() if isinstance(value, float)},
    }
    trained = "fine-tuned" if facts.base else "trained from new weights"
    card = Card(
        title=f"{found['name']}, {trained}",
        summary=(
            f"A DNABERT-2 encoder {trained} on the set {found['name']} by genotok; of several seeds the "
            "best on dev is kept."
        ),
        command=command,
        data=facts.data,
        settings=settings,
        metrics=metrics,
        notes=_notes(found, config),
        base=facts.base,
        manifest=manifest,
    )
    saved = FolderTokenizer(tokenizer, SpecialIds.of(tokenizer), config.max_tokens)
    save_folder(model, place, tokenizer=saved, card=card)


def _metrics(test: dict[str, Any], found: dict[str, Any]) -> list[Metric]:
    """The metrics of the test split, with the interval of the main metric."""
    metrics = []
    for key, (name, known) in NAMES.items():
        value = test.get(key)
        if isinstance(value, float):
            ends = (test.get("low"), test.get("high")) if key == found["metric"] else (None, None)
            metrics.append(Metric(name, value, *ends, of=f"{found['name']}, test", key=known))
    return metrics


def _notes(found: dict[str, Any], config: FinetuneConfig) -> list[str]:
    """Limitations of this model."""
    notes = [found["note"]] if found.get("note") else []
    if found.get("both_strands"):
        notes.append(
            "Predictions of genotok are the mean over a sequence and its reverse complement; transformers "
            "computes that of one."
        )
    if config.max_tokens is not None:
        cut = ", ".join(f"{count:,} of {name}" for name, count in found["cut"].items())
        notes.append(f"In training, sequences were cut at {config.max_tokens:,} tokens: {cut}.")
    return notes
