"""A model as its configuration and its tensors, without a module: it is written as it was read."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from safetensors.torch import save_file

from genotok.errors import ArgumentError
from genotok.model.checkpoint import read
from genotok.model_folder.layout import CLASSIFIER, POOLER, normalised

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

    from genotok.model_folder.read import ModelFolder

__all__ = ["PlainModel", "tensors_sha256"]

WEIGHTS = "model.safetensors"
WORDS = "bert.embeddings.word_embeddings.weight"
SCORES = "cls.predictions.decoder.weight"
"""The output embeddings, which are tied to the word embeddings: a file may hold both."""


class PlainModel:
    """The tensors of a folder, under the names of a model with a head, to be written unchanged.

    Attributes:
        config: The configuration.
        tensors: By name; tied matrices once.
        sha256: Their digest.
    """

    all_tied_weights_keys: ClassVar[dict[str, str]] = {}

    def __init__(self, folder: ModelFolder, config: Any) -> None:
        """Read a folder's tensors.

        Raises:
            ArgumentError: They are damaged, or the output embeddings are not the word embeddings.
            OSError: They cannot be read.
        """
        try:
            self.tensors = _untied(normalised(read(folder.path)))
        except ValueError as error:
            raise ArgumentError(str(error)) from None
        self.config = config
        self.config.architectures = [_architecture(self.tensors)]
        kinds = {tensor.dtype for tensor in self.tensors.values()}
        self.config.dtype = kinds.pop() if len(kinds) == 1 else torch.float32
        self.sha256 = tensors_sha256(self.tensors)

    def save_pretrained(self, place: Path, state_dict: None = None) -> None:
        """Write configuration and weights, and read the weights back.

        Raises:
            ArgumentError: The weights differ from those in memory.
            OSError: They cannot be written.
        """
        del state_dict
        place.mkdir()
        self.config.save_pretrained(place)
        whole = {name: tensor.contiguous() for name, tensor in self.tensors.items()}
        save_file(whole, place / WEIGHTS, metadata={"format": "pt"})
        if tensors_sha256(read(place / WEIGHTS)) != self.sha256:
            raise ArgumentError(f"{place / WEIGHTS}: differs from what was written; is the disk in order?")


def tensors_sha256(tensors: Mapping[str, Tensor]) -> str:
    """The digest of tensors: of name, type, shape and bytes of each, sorted by name."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _untied(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tensors without the output embeddings that equal the word embeddings."""
    scores, words = tensors.get(SCORES), tensors.get(WORDS)
    if scores is None or words is None:
        return tensors
    if not torch.equal(scores, words):
        raise ValueError(f"{SCORES} differs from {WORDS}; in this model they are one matrix")
    return {name: tensor for name, tensor in tensors.items() if name != SCORES}


def _architecture(tensors: Mapping[str, Tensor]) -> str:
    """The model class for the tensors."""
    if any(name.startswith("cls.") for name in tensors):
        return "DnaBert2ForMaskedLM"
    if CLASSIFIER in tensors:
        return f"DnaBert2For{'Sequence' if POOLER in tensors else 'Token'}Classification"
    return "DnaBert2Model"
