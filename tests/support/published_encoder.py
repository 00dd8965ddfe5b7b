"""The published encoder's arithmetic restated in numpy: one sequence at a time, in double precision.

Written from a description of the published code, independently of the package; the tests compare the package
with it where no recorded output is available. Positions are those of the padded row, and a masked token is
left out of every sum; the published code subtracts 10,000 from its score instead, which is the same up to
distances of some 14,000 tokens.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
EPS = 1e-12


@dataclass
class Row:
    """What a padded row gives: embeddings and the output of each layer (S, D), pooled (D,), logits (S, V)."""

    states: list[Array]
    pooled: Array | None
    logits: Array


def slopes(num_heads: int) -> Array:
    """Return the slopes of the heads, rounded to 32 bits."""

    def powers(n: int) -> list[float]:
        return [2 ** (-8 * k / n) for k in range(1, n + 1)]

    below = 2 ** int(math.log2(num_heads))
    found = powers(below) + powers(2 * below)[0::2][: num_heads - below]
    return np.array(found, dtype=np.float32).astype(np.float64)


def encode(weights: Mapping[str, Array], heads: int, ids: Array, mask: Array, types: Array) -> Row:
    """Run the model on one padded row of ids (S,)."""
    get = {name.removeprefix("bert."): np.asarray(value, dtype=np.float64) for name, value in weights.items()}
    real = np.flatnonzero(mask)
    x = get["embeddings.word_embeddings.weight"][ids] + get["embeddings.token_type_embeddings.weight"][types]
    x = norm(x, get, "embeddings.LayerNorm")[real]
    states = [scatter(x, real, len(ids))]
    number = 0
    while f"encoder.layer.{number}.mlp.wo.weight" in get:
        x = layer(x, real, get, f"encoder.layer.{number}.", heads)
        states.append(scatter(x, real, len(ids)))
        number += 1
    pooled = None
    if "pooler.dense.weight" in get:
        pooled = np.tanh(linear(states[-1][0], get, "pooler.dense"))
    hidden = gelu(linear(states[-1], get, "cls.predictions.transform.dense"))
    hidden = norm(hidden, get, "cls.predictions.transform.LayerNorm")
    logits = hidden @ get["embeddings.word_embeddings.weight"].T + get["cls.predictions.decoder.bias"]
    return Row(states, pooled, logits)


def layer(x: Array, positions: Array, get: Mapping[str, Array], name: str, heads: int) -> Array:
    """Run one layer on the real tokens (L, D)."""
    gathered = np.zeros_like(x)
    width = x.shape[1] // heads
    qkv = linear(x, get, name + "attention.self.Wqkv").reshape(len(x), 3, heads, width)
    distance = np.abs(positions[:, None] - positions[None, :]).astype(np.float32)
    for head, slope in enumerate(slopes(heads).astype(np.float32)):
        query, key, value = qkv[:, 0, head], qkv[:, 1, head], qkv[:, 2, head]
        scores = query @ key.T / math.sqrt(width) - (slope * distance).astype(np.float64)
        weight = np.exp(scores - scores.max(1, keepdims=True)) if len(x) else scores
        weight /= weight.sum(1, keepdims=True)
        gathered[:, head * width : (head + 1) * width] = weight @ value
    x = norm(
        linear(gathered, get, name + "attention.output.dense") + x, get, name + "attention.output.LayerNorm"
    )
    gate, value = np.split(x @ get[name + "mlp.gated_layers.weight"].T, 2, axis=1)
    return norm(linear(gelu(gate) * value, get, name + "mlp.wo") + x, get, name + "mlp.layernorm")


def linear(x: Array, get: Mapping[str, Array], name: str) -> Array:
    """Multiply by a matrix and add its bias."""
    return x @ get[name + ".weight"].T + get[name + ".bias"]


def norm(x: Array, get: Mapping[str, Array], name: str) -> Array:
    """Normalise each vector, scale and shift."""
    centred = x - x.mean(-1, keepdims=True)
    return (
        centred / np.sqrt((centred**2).mean(-1, keepdims=True) + EPS) * get[name + ".weight"]
        + get[name + ".bias"]
    )


def gelu(x: Array) -> Array:
    """Return the exact GELU."""
    return x * 0.5 * (1 + np.vectorize(math.erf, otypes=[float])(x / math.sqrt(2))) if x.size else x


def scatter(x: Array, places: Array, length: int) -> Array:
    """Lay the real tokens back into the padded row."""
    padded = np.zeros((length, x.shape[1]))
    padded[places] = x
    return padded
