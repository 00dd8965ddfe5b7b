"""The DNABERT-2 encoder in torch: packed end to end, any length, with the published weights' names.

Needs the packages of the extra `model`. Nothing here imports another part of genotok, so the folder can be
lifted out whole. `genotok.model.huggingface` has the same models for `transformers`.
"""

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
