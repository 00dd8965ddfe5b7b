"""The configuration for `transformers`, under the names of the published `config.json`."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from transformers import PreTrainedConfig

from genotok.model.config import ADDED, MODEL_TYPE, MODEL_TYPES, EncoderConfig, refuse_loaders

__all__ = ["DnaBert2Config"]

PAD = 3
"""The id of `[PAD]` in the published vocabulary, whose configuration says 0 or nothing."""

NOT_OURS = ("model_type", "auto_map", "architectures", "torch_dtype", "transformers_version", "_name_or_path")
"""Keys of a published `config.json` that describe the published code."""


class DnaBert2Config(PreTrainedConfig):
    """The configuration, under the names of the published `config.json`; `attention` selects the backend."""

    model_type: ClassVar[str] = MODEL_TYPE

    vocab_size: int = 4096
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float | int = 0.1
    attention_probs_dropout_prob: float | int = 0.0
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    classifier_dropout: float | int | None = None
    pad_token_id: int | None = PAD
    unk_token_id: int | None = 0
    cls_token_id: int | None = 1
    sep_token_id: int | None = 2
    mask_token_id: int | None = 4
    tie_word_embeddings: bool = True
    attention: str = "auto"
    base_features: str = "none"
    base_position: bool = False
    alibi: str = "symmetric"
    pooling: str = "cls"
    spelling: str = ""
    tokenizer_sha256: str | None = None
    """The digest of the vocabulary that the model was trained with (`genotok.files.identity`)."""
    pairs: bool | None = None
    """Whether a classifier was trained on pairs of sequences; None if unknown."""
    both_strands: bool | None = None
    """Whether a classifier's prediction is the mean over both strands (`genotok.finetune.Classifier`)."""

    def __post_init__(self, **others: Any) -> None:
        """Check all values, and fix or drop those that describe the published code."""
        if self.pad_token_id == self.unk_token_id:
            self.pad_token_id = PAD  # [UNK] cannot be padding: the 0 of a published file is a default
        refuse_loaders(others)
        for name in NOT_OURS:
            others.pop(name, None)
        super().__post_init__(**others)
        self.encoder_config()

    @classmethod
    def get_config_dict(
        cls, pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The contents of a file, with the `model_type` of older folders replaced by the current one."""
        found, rest = super().get_config_dict(pretrained_model_name_or_path, **kwargs)
        if found.get("model_type") in MODEL_TYPES:
            found["model_type"] = MODEL_TYPE
        return found, rest

    def to_dict(self) -> dict[str, Any]:
        """The contents of a file; settings that the published file does not have only where they are used."""
        found: dict[str, Any] = super().to_dict()
        unused = [name for name, value in ADDED.items() if found.get(name, value) == value]
        return {name: value for name, value in found.items() if name not in unused}

    def encoder_config(self) -> EncoderConfig:
        """The configuration of the encoder.

        Raises:
            ValueError: A value is against its rule.
        """
        backend: Any = self.attention
        settings = {name: value for name, value in vars(self).items() if value is not None}
        return EncoderConfig.from_published(settings, attention=backend)
