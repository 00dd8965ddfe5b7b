"""Which section each kind of record gets, in the order of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genotok.report.audits import audit_section
from genotok.report.baselines import baseline_section
from genotok.report.builds import ingest_memory_section, ingest_section, scaling_section
from genotok.report.coding import coding_section, variants_speed_section
from genotok.report.comparison import comparison_section
from genotok.report.encoders import memory_section, speed_section, training_section
from genotok.report.finetuning import finetuning_section
from genotok.report.inputs import inputs_section
from genotok.report.models import encoded_section, model_section, tokenizer_section, unfinished_section
from genotok.report.overviews import finetuning_overview, pretraining_overview
from genotok.report.pretraining import pretraining_section
from genotok.report.recipes import pretraining_trial_section, recipe_section
from genotok.report.shards import cluster_section, shards_section
from genotok.report.speeds import encode_section, pytest_section, studies_section, train_section
from genotok.report.studies import study_section
from genotok.report.trial import trial_section

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from genotok.report.records import FoundRecord
    from genotok.report.tables import Section

__all__ = ["KINDS", "OVERVIEWS"]

KINDS: dict[str, Callable[[FoundRecord], Section]] = {
    "study": study_section,
    "audit": audit_section,
    "train": train_section,
    "train-quick": train_section,
    "train-given": train_section,
    "encode": encode_section,
    "encode-quick": encode_section,
    "encode-given": encode_section,
    "ingest": ingest_section,
    "ingest-memory": ingest_memory_section,
    "train-scaling": scaling_section,
    "encoder-memory": memory_section,
    "encoder-speed": speed_section,
    "encoder-gpu": speed_section,
    "encoder-features": speed_section,
    "pretraining": training_section,
    "inputs": inputs_section,
    "shards-pack": shards_section,
    "shards-large": shards_section,
    "shards-ray": shards_section,
    "cluster": cluster_section,
    "models": comparison_section,
    "models-gpu": comparison_section,
    "matched": trial_section,
    "recipe": recipe_section,
    "pretraining-trial": pretraining_trial_section,
    "coding-variants": coding_section,
    "variants-speed": variants_speed_section,
    "unfinished comparison": unfinished_section,
    "baseline": baseline_section,
    "gue": finetuning_section,
    "pretrain": pretraining_section,
    "model": model_section,
    "tokenizer training": tokenizer_section,
    "genotok shards": encoded_section,
    "genotok packed corpus": encoded_section,
    "pytest": studies_section,
    "pytest-large": studies_section,
    "pytest-smoke": studies_section,
    "pytest-benchmark": pytest_section,
}
"""Kinds of records, and what makes a section of each, in the order of the page."""

OVERVIEWS: dict[Callable[[FoundRecord], Section], Callable[[Sequence[FoundRecord]], Section]] = {
    finetuning_section: finetuning_overview,
    pretraining_section: pretraining_overview,
}
"""What makes a section of several records that would have sections of one maker."""
