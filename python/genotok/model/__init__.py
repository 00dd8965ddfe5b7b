"""The DNABERT-2 encoder in torch: packed sequences of any length, parameters named as published.

Needs the packages of the extra `model`. Apart from `huggingface`, which has the same models for
`transformers`, nothing here imports another part of genotok, so that the folder can be copied into another
project.

Public names are imported when they are first used: sizes and costs do not need torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genotok.model.config import PRESETS, EncoderConfig
    from genotok.model.encoder import Encoder, States
    from genotok.model.heads import MaskedLanguageModel, SequenceClassifier, TokenClassifier, pool
    from genotok.model.packing import SequencePacking, pack, unpad

__all__ = [
    "PRESETS",
    "Encoder",
    "EncoderConfig",
    "MaskedLanguageModel",
    "SequenceClassifier",
    "SequencePacking",
    "States",
    "TokenClassifier",
    "pack",
    "pool",
    "unpad",
]

_HOMES = {
    "config": ("PRESETS", "EncoderConfig"),
    "encoder": ("Encoder", "States"),
    "heads": ("MaskedLanguageModel", "SequenceClassifier", "TokenClassifier", "pool"),
    "packing": ("SequencePacking", "pack", "unpad"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """A public name, imported from its module."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
