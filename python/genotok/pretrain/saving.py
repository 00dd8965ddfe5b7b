"""The folder of a pre-trained model: what its card and its manifest say about the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genotok.model_folder.card import Card, Metric
from genotok.model_folder.tokenizer_files import FolderTokenizer
from genotok.model_folder.write import save_folder
from genotok.run_records.provenance import command_line
from genotok.tokenizer.special_ids import SpecialIds

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from genotok.tokenizer import Tokenizer

__all__ = ["save_model"]

NAMES = {
    "eval_bits_per_base": ("bits per base", ""),
    "eval_loss": ("loss per masked token, nats", ""),
    "eval_accuracy": ("masked-token accuracy", "accuracy"),
    "eval_unigram_bits_per_base": ("bits per base of the unigram baseline", ""),
    "eval_unigram_loss": ("loss of the unigram baseline, nats", ""),
}
"""By key of the report: the name of a figure on the card, and its metric at Hugging Face."""


def save_model(
    model: Any,
    weights: dict[str, torch.Tensor],
    folder: Path,
    tokenizer: Tokenizer,
    data: list[dict[str, Any]],
    report: dict[str, Any],
) -> None:
    """Write the model into the folder of its run.

    Args:
        model: The masked language model.
        weights: Its weights, gathered from all processes.
        folder: The folder of the run.
        tokenizer: As it was trained with.
        data: The files that it was trained on.
        report: The figures of the run.
    """
    metrics = [
        Metric(name, report[key], of="held-out sequences", key=known)
        for key, (name, known) in NAMES.items()
        if isinstance(report.get(key), float)
    ]
    settings = {**report["config"], "hold_out": report["hold_out"]}
    longest = f"sequences of at most {report['config']['max_tokens']:,} tokens"
    if report["windows"]:
        settings |= {"windows": report["windows"], "stranded": report["stranded"]}
        longest = f"windows of {report['windows']:,} bases, cut anew in each epoch"
    command = command_line()
    manifest = {
        "made_by": "pretrain",
        "command": command,
        "data": data,
        "settings": settings,
        "metrics": {one: report[one] for one in NAMES if isinstance(report.get(one), float)},
    }
    card = Card(
        title=f"{report['config']['encoder']}, pre-trained",
        summary=(
            f"A DNABERT-2 encoder of {report['parameters']:,} parameters, pre-trained by genotok to predict "
            f"masked tokens: {report['steps']:,} steps on {report['tokens']:,} tokens in "
            f"{report['train_sequences']:,} sequences; {report['held_out_sequences']:,} are held out."
        ),
        command=command,
        data=data,
        settings=settings,
        metrics=metrics,
        notes=[f"Trained on {longest}."],
        manifest=manifest,
    )
    saved = FolderTokenizer(tokenizer, SpecialIds.of(tokenizer))
    save_folder(model, folder, tokenizer=saved, card=card, weights=weights, beside=True)
