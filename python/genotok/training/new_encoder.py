"""The architecture of a new encoder: a preset by name, and what settings change in it.

Settings of pre-training and of fine-tuning have the same names for it, with the same meaning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from genotok.errors import ArgumentError
from genotok.model import EncoderConfig

if TYPE_CHECKING:
    from genotok.model.backends import Alibi

__all__ = ["EARLIER", "BaseFeatures", "EncoderSettings", "new_encoder"]

BaseFeatures = Literal["preset", "none", "kmer", "conv", "kmer+conv"]

EARLIER = {"layers": None, "base_features": "preset", "alibi": None}
"""Settings that runs of earlier versions do not have, with what those runs did."""


class EncoderSettings(Protocol):
    """What settings of training say of a new encoder.

    Attributes:
        encoder: The architecture, by name (`genotok.model.PRESETS`).
        layers: The number of layers; None for that of `encoder`.
        base_features: What the bases of a token add to its embedding; "preset" for what `encoder` says.
        alibi: The form of the ALiBi bias; None for that of `encoder`.
    """

    @property
    def encoder(self) -> str: ...  # noqa: D102 - see above
    @property
    def layers(self) -> int | None: ...  # noqa: D102
    @property
    def base_features(self) -> BaseFeatures: ...  # noqa: D102
    @property
    def alibi(self) -> Alibi | None: ...  # noqa: D102


def new_encoder(settings: EncoderSettings, **more: str | float) -> EncoderConfig:
    """The encoder of some settings, with `more` of its configuration.

    Raises:
        ArgumentError: They do not go together.
    """
    changes = {
        "num_layers": settings.layers,
        "alibi": settings.alibi,
        "base_features": None if settings.base_features == "preset" else settings.base_features,
    }
    given = {name: value for name, value in changes.items() if value is not None}
    try:
        return EncoderConfig.preset(settings.encoder, **given, **more)
    except ValueError as error:
        raise ArgumentError(str(error)) from None
