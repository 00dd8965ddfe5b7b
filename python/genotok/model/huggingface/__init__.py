"""The encoder as a `transformers` model, for `AutoModel` and related classes, `Trainer` and `peft`.

Importing this module registers the classes. A published `config.json` builds them, published weights load
under their own names, `save_pretrained` writes safetensors, and what was saved loads with
`AutoModel.from_pretrained(folder)`.

Batches are padded (B, S) in this package only: results have zeros at masked places. Differences from the
published code are listed in the documentation, "What differs".
"""

from __future__ import annotations

from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
)
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from genotok.model.config import MODEL_TYPES
from genotok.model.huggingface.config import DnaBert2Config
from genotok.model.huggingface.heads import (
    DnaBert2ForMaskedLM,
    DnaBert2ForSequenceClassification,
    DnaBert2ForTokenClassification,
)
from genotok.model.huggingface.kmers import GenotokKmerTokenizer, register
from genotok.model.huggingface.trunk import DnaBert2Model

__all__ = [
    "LORA_TARGETS",
    "DnaBert2Config",
    "DnaBert2ForMaskedLM",
    "DnaBert2ForSequenceClassification",
    "DnaBert2ForTokenClassification",
    "DnaBert2Model",
    "GenotokKmerTokenizer",
]

LORA_TARGETS = ["Wqkv"]
"""The default LoRA targets of `peft`: the matrix of queries, keys and values, as for BERT."""


def _register() -> None:
    """Register the classes with transformers' Auto classes, and the LoRA targets with peft if installed."""
    for name in MODEL_TYPES:  # AutoConfig.register refuses the earlier name
        CONFIG_MAPPING.register(name, DnaBert2Config, exist_ok=True)
    AutoModel.register(DnaBert2Config, DnaBert2Model, exist_ok=True)
    AutoModelForMaskedLM.register(DnaBert2Config, DnaBert2ForMaskedLM, exist_ok=True)
    AutoModelForSequenceClassification.register(
        DnaBert2Config, DnaBert2ForSequenceClassification, exist_ok=True
    )
    AutoModelForTokenClassification.register(DnaBert2Config, DnaBert2ForTokenClassification, exist_ok=True)
    register()
    try:
        from peft.utils import constants  # noqa: PLC0415 - peft is optional
    except ImportError:
        return
    for name in MODEL_TYPES:
        constants.TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING[name] = LORA_TARGETS


_register()
