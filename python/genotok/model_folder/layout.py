"""The tensors of a configuration under their published names, and the check that weights fit it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from genotok.model.base_sizes import base_shapes
from genotok.model.config import POOLED_PARTS

if TYPE_CHECKING:
    from genotok.model import EncoderConfig
    from genotok.model.stored import Stored

__all__ = ["CLASSIFIER", "POOLER", "check_fit", "normalised"]

PREFIX = "bert."
CLASSIFIER = "classifier.weight"
POOLER = "bert.pooler.dense.weight"
LAYER = re.compile(r"bert\.encoder\.layer\.(\d{1,9})\.")
FLOATS = ("F32", "F16", "BF16")
TIED = "cls.predictions.decoder.weight"
"""The output embeddings, tied to the word embeddings; a file may leave them out."""

OUTSIDE = ("cls.", "classifier.")

Tensor = TypeVar("Tensor")
Shapes = dict[str, tuple[int, ...]]


def normalised(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors under their names in a model with a head; files of a bare encoder lack `bert.`."""
    if any(name.startswith(PREFIX) for name in tensors):
        return dict(tensors)
    return {name if name.startswith(OUTSIDE) else PREFIX + name: one for name, one in tensors.items()}


def check_fit(config: EncoderConfig, classes: int, tensors: Mapping[str, Stored]) -> None:
    """Raise an error unless names, shapes and types of tensors are those of a model of these sizes.

    A head or the pooler may be missing, if all of its tensors are.

    Args:
        config: The sizes.
        classes: Outputs of a classifier, if there is one.
        tensors: The tensors of the file, under `normalised` names.

    Raises:
        ValueError: They are not; names the key or tensor, and what is expected.
    """
    _check_kind(tensors)
    layers = 1 + max((int(found[1]) for name in tensors if (found := LAYER.match(name))), default=-1)
    if layers != config.num_layers and layers:
        raise ValueError(f"num_hidden_layers={config.num_layers}, and the weights have {layers} layers")
    wanted = dict(_encoder(config))
    for head in (_pooler(config), _scores(config), _classifier(config, classes)):
        if any(name in tensors for name in head):
            wanted |= head
    missing = [name for name in wanted if name not in tensors and name != TIED]
    others = [name for name in tensors if name not in wanted]
    for what, names in (("lack", missing), ("have besides", others)):
        if names:
            raise ValueError(
                f"config.json and the weights do not fit: the weights {what} {len(names)} names, such as "
                f"{names[0][:100]}"
            )
    for name, shape in wanted.items():
        if name in tensors and tensors[name].shape != shape:
            key = "classes" if name.startswith("classifier.") else "sizes"
            raise ValueError(
                f"{name} has the shape {tensors[name].shape}; {shape} is expected by the {key} of config.json"
            )


def _check_kind(tensors: Mapping[str, Stored]) -> None:
    """Raise an error for tensors of another type, or of another architecture."""
    for name, stored in tensors.items():
        if stored.dtype not in FLOATS:
            raise ValueError(f"{name} is {stored.dtype}; one of {', '.join(FLOATS)} is expected")
    if any(".attention.self.query." in name for name in tensors):
        raise ValueError("these are the weights of a BERT, not of a DNABERT-2, which has attention.self.Wqkv")
    if any(".lora_" in name or ".base_layer." in name for name in tensors):
        raise ValueError("these are the weights of an adapter; merge it into its model and save that")


def _encoder(config: EncoderConfig) -> Iterator[tuple[str, tuple[int, ...]]]:
    width, inner = config.hidden_size, config.intermediate_size
    yield f"{PREFIX}embeddings.word_embeddings.weight", (config.vocab_size, width)
    yield f"{PREFIX}embeddings.token_type_embeddings.weight", (config.type_vocab_size, width)
    yield from _both(f"{PREFIX}embeddings.LayerNorm", (width,))
    for name, shape in base_shapes(config).items():
        yield f"{PREFIX}embeddings.bases.{name}", shape
    for number in range(config.num_layers):
        layer = f"{PREFIX}encoder.layer.{number}."
        yield from _both(f"{layer}attention.self.Wqkv", (3 * width, width))
        yield from _both(f"{layer}attention.output.dense", (width, width))
        yield from _both(f"{layer}attention.output.LayerNorm", (width,))
        yield f"{layer}mlp.gated_layers.weight", (2 * inner, width)
        yield from _both(f"{layer}mlp.wo", (width, inner))
        yield from _both(f"{layer}mlp.layernorm", (width,))


def _pooler(config: EncoderConfig) -> Shapes:
    width = config.hidden_size
    return dict(_both(f"{PREFIX}pooler.dense", (width, POOLED_PARTS[config.pooling] * width)))


def _scores(config: EncoderConfig) -> Shapes:
    width, place = config.hidden_size, "cls.predictions."
    return {
        **dict(_both(f"{place}transform.dense", (width, width))),
        **dict(_both(f"{place}transform.LayerNorm", (width,))),
        **dict(_both(f"{place}decoder", (config.vocab_size, width))),
    }


def _classifier(config: EncoderConfig, classes: int) -> Shapes:
    return dict(_both("classifier", (classes, config.hidden_size)))


def _both(name: str, shape: tuple[int, ...]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """A matrix, or the scale of a normalisation, and its bias."""
    yield f"{name}.weight", shape
    yield f"{name}.bias", shape[:1]
