"""Loading the weights of a checked model folder (`read_folder`) into a class of transformers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from genotok.errors import ArgumentError
from genotok.model.checkpoint import read
from genotok.model.huggingface import DnaBert2Config
from genotok.model_folder.layout import normalised

if TYPE_CHECKING:
    from torch import Tensor

    from genotok.model_folder.read import ModelFolder

POOLER_PREFIX = "bert.pooler."

__all__ = ["config_of", "load_pretrained"]


def config_of(folder: ModelFolder, **changes: Any) -> DnaBert2Config:
    """The transformers configuration of a folder, with `changes`; has the keys of this architecture only."""
    return DnaBert2Config(**{**folder.settings.to_published(), **changes})


def load_pretrained(kind: type[Any], folder: ModelFolder, **changes: Any) -> Any:
    """A transformers model of the class `kind` with a folder's weights, in 32 bits and in evaluation mode.

    transformers gets a checked configuration and tensors, but no path. Weights that the folder lacks, such as
    those of a new classifier, are initialised, and the pooler if `changes` give it another input.

    Raises:
        ArgumentError: Weights are not finite, or were altered since they were written.
        OSError: They cannot be read.
    """
    folder.check_weights()
    try:
        found = read(folder.path)
    except ValueError as error:
        raise ArgumentError(str(error)) from None
    config, tensors = config_of(folder, **changes), _named(found)
    if config.pooling != folder.settings.encoder.pooling:
        tensors = {name: one for name, one in tensors.items() if not name.startswith(POOLER_PREFIX)}
    model = kind.from_pretrained(None, config=config, state_dict=tensors)
    return model.to(torch.float32)


def _named(found: dict[str, Tensor]) -> dict[str, Tensor]:
    """Copies of tensors in 32 bits, under the names of a model with a head.

    Tensors of a `.bin` file are memory-mapped, and a model must not change with its file.
    """
    return {name: one.detach().to(torch.float32, copy=True) for name, one in normalised(found).items()}
