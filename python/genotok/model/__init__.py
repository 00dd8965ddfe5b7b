"""The DNABERT-2 encoder in torch: packed end to end, any length, with the published weights' names.

Needs the packages of the extra `model`. Nothing here imports another part of genotok, so the folder can be
lifted out whole. `genotok.model.huggingface` has the same models for `transformers`.

Names are loaded when they are asked for: sizes and costs can be looked at without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genotok.model.config import PRESETS, EncoderConfig
    from genotok.model.encoder import Encoder, States
    from genotok.model.heads import MaskedLanguageModel, SequenceClassifier, TokenClassifier, pool
    from genotok.model.packing import Packing, pack, unpad

__all__ = [
    "PRESETS",
    "Encoder",
    "EncoderConfig",
    "MaskedLanguageModel",
    "Packing",
    "SequenceClassifier",
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
    "packing": ("Packing", "pack", "unpad"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """A public name, from the module it lives in."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
