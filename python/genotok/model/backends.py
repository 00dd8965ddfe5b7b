"""The names of backends and forms that a configuration chooses from; loads no torch."""

from typing import Literal

__all__ = ["Alibi", "Backend", "BaseKind", "SequencePooling"]

Backend = Literal["auto", "eager", "sdpa", "flash", "flex"]
Alibi = Literal["symmetric", "directional"]
BaseKind = Literal["none", "kmer", "conv", "kmer+conv"]
SequencePooling = Literal["cls", "mean", "mean+max", "skip"]
