"""The settings of a comparison: those of pre-training and of fine-tuning, the same for all tokenizers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from genotok.errors import ArgumentError
from genotok.finetune import FinetuneConfig
from genotok.pretrain import PretrainConfig
from genotok.training.settings import at_least, configured, from_texts, preset

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CompareConfig"]

PARTS = {"pretrain": PretrainConfig, "finetune": FinetuneConfig}


@dataclass(frozen=True, slots=True)
class CompareConfig:
    """The settings of a comparison; presets are in `presets/`.

    Attributes:
        pretrain: Pre-training; `max_tokens`, `mask_span` and `row_bases` follow from window and tokenizer.
        finetune: Fine-tuning.
        window: Bases of a sequence to pre-train on.
        seeds: A run of fine-tuning for each.
    """

    pretrain: PretrainConfig
    finetune: FinetuneConfig
    window: int = 256
    seeds: tuple[int, ...] = (1, 2, 3)

    def __post_init__(self) -> None:
        at_least("window", self.window, 16)
        if not self.seeds or min(self.seeds) < 0:
            raise ArgumentError(f"seeds={list(self.seeds)}: whole numbers, at least one, are expected")

    @classmethod
    def preset(cls, name: str, changes: Iterable[str] = ()) -> Self:
        """A preset by name or file, changed by texts such as `window=512` or `pretrain.steps=1000`.

        Raises:
            ArgumentError: There is none of that name, or a value is out of range.
        """
        settings: dict[str, Any] = preset("genotok.compare", name)
        parts = {part: dict(settings.pop(part, {})) for part in PARTS}
        for key, value in from_texts(changes).items():
            part, dot, inner = key.partition(".")
            if dot and part not in parts:
                raise ArgumentError(f"set={key}: {' or '.join(PARTS)} is expected before the dot")
            (parts[part] if dot else settings)[inner if dot else key] = value
        made: dict[str, Any] = {part: configured(kind, parts[part]) for part, kind in PARTS.items()}
        return configured(cls, settings, made)

    @property
    def bases(self) -> int:
        """The number of bases that each encoder is trained on."""
        return self.pretrain.steps * self.pretrain.batch * self.window

    def for_tokenizer(self, overlap: int) -> PretrainConfig:
        """The settings of pre-training where neighbouring tokens share `overlap` bases.

        A window has at most one token per base. Windows with other symbols are left out, as vocabularies
        differ in how they encode N. Overlapping tokens are masked in spans, as DNABERT does: a single masked
        one could be read off its neighbours.
        """
        tokens, span = self.window + 2, overlap + 1
        return replace(self.pretrain, max_tokens=tokens, mask_span=span, row_bases=self.window)
