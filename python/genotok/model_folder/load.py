"""Loading the weights of a checked model folder (`read_folder`) into the encoder, without transformers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from genotok.errors import ArgumentError
from genotok.model import Encoder, pack
from genotok.model.attention import choose
from genotok.model.checkpoint import load
from genotok.model_folder.read import CONFIG

if TYPE_CHECKING:
    from genotok.model.backends import Backend
    from genotok.model_folder.read import ModelFolder

__all__ = ["check_attention", "load_encoder"]


def load_encoder(folder: ModelFolder, attention: Backend = "auto") -> Encoder:
    """The encoder in a folder, without its heads, with 32-bit weights on the CPU.

    Raises:
        ArgumentError: Weights are not finite, or were altered since they were written.
        OSError: They cannot be read.
    """
    folder.check_weights()
    encoder = Encoder(folder.settings.encoder.with_changes(attention=attention))
    try:
        load(encoder, folder.path, strict=False)
    except ValueError as error:
        raise ArgumentError(str(error)) from None
    return encoder


def check_attention(
    folder: ModelFolder, device: torch.device, dtype: torch.dtype = torch.float32, dropout: float = 0.0
) -> None:
    """Raise an error if the attention backend that a folder names is not supported.

    Args:
        folder: The folder.
        device: The device of the model.
        dtype: The type in which products are computed.
        dropout: Dropout of attention weights.

    Raises:
        ArgumentError: The backend is not supported; says why.
    """
    sizes = folder.settings.encoder
    sample = torch.empty(1, sizes.head_size, device=device, dtype=dtype)
    try:
        choose(sizes.attention, sample, pack([1], device), dropout)
    except ValueError as error:
        raise ArgumentError(f"{folder.path / CONFIG}: {error}") from None
