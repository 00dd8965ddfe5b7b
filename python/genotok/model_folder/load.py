"""The weights of a model's folder, put into a module; the folder was checked before (`read_folder`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from genotok.errors import ArgumentError
from genotok.model import Encoder, pack
from genotok.model.attention import choose
from genotok.model.checkpoint import load, read
from genotok.model.huggingface import DnaBert2Config
from genotok.model_folder.layout import normalised
from genotok.model_folder.read import CONFIG

if TYPE_CHECKING:
    from torch import Tensor

    from genotok.model.backends import Backend
    from genotok.model_folder.read import ModelFolder

__all__ = ["check_attention", "config_of", "load_encoder", "load_pretrained"]


def load_encoder(folder: ModelFolder, attention: Backend = "auto") -> Encoder:
    """The encoder in a folder, without its heads, with weights in 32 bits on the processor.

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
    """An error if the backend of attention that a folder names cannot be used, before anything is computed.

    Args:
        folder: The folder.
        device: Where the model is to be.
        dtype: What products are computed in.
        dropout: Dropped share of attention weights.

    Raises:
        ArgumentError: The backend is not available there; says why.
    """
    sizes = folder.settings.encoder
    sample = torch.empty(1, sizes.head_size, device=device, dtype=dtype)
    try:
        choose(sizes.attention, sample, pack([1], device), dropout)
    except ValueError as error:
        raise ArgumentError(f"{folder.path / CONFIG}: {error}") from None


def config_of(folder: ModelFolder, **changes: Any) -> DnaBert2Config:
    """The configuration of a folder as transformers keeps it: our own keys, and `changes` to them."""
    return DnaBert2Config(**{**folder.settings.to_published(), **changes})


def load_pretrained(kind: type[Any], folder: ModelFolder, **changes: Any) -> Any:
    """A model of transformers of our own class `kind` with a folder's weights, in 32 bits, to be evaluated.

    transformers gets a configuration of our keys and tensors, and no path. Weights that the folder lacks, as
    those of a new classifier, are drawn.

    Raises:
        ArgumentError: Weights are not finite, or were altered since they were written.
        OSError: They cannot be read.
    """
    folder.check_weights()
    try:
        found = read(folder.path)
    except ValueError as error:
        raise ArgumentError(str(error)) from None
    model = kind.from_pretrained(None, config=config_of(folder, **changes), state_dict=_named(found))
    return model.to(torch.float32)


def _named(found: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tensors under the names of a model with a head, in 32 bits, and in memory of their own.

    Those of a `.bin` file are mapped: a model must not change with its file.
    """
    return {name: one.detach().to(torch.float32, copy=True) for name, one in normalised(found).items()}
