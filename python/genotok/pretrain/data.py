"""What all sources of pre-training give: sequences to train on, and sequences to evaluate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transformers import TrainingArguments

    from genotok.pretrain.config import PretrainConfig
    from genotok.tokenizer.special_ids import Ids
    from genotok.training.batches import Masking

__all__ = ["MaskedSequences", "TokenSequences", "TrainingData", "TrainingSource"]


class TokenSequences(Protocol):
    """Sequences of ids, by number."""

    def __len__(self) -> int:
        """Number of sequences."""
        ...

    def __getitem__(self, number: int) -> Ids:
        """The ids of a sequence with special tokens around, (L,)."""
        ...

    def without_special(self, number: int) -> Ids:
        """The ids of a sequence without special tokens around."""
        ...


class MaskedSequences(Protocol):
    """All masked sequences of a run in training order, as a torch data set."""

    def __len__(self) -> int:
        """Sequences of the run: steps times batch."""
        ...

    def __getitem__(self, place: int) -> tuple[Ids, Ids]:
        """Inputs and labels (L,) of the k-th sequence to train on."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class TrainingData:
    """What a run trains on and what it is evaluated on.

    Attributes:
        run: All masked sequences of the run.
        train: Sequences to train on; those of the first epoch, if epochs differ.
        held_out: Sequences to evaluate.
        tokens: Tokens of the corpus.
    """

    run: MaskedSequences
    train: TokenSequences
    held_out: TokenSequences
    tokens: int


class TrainingSource(Protocol):
    """Opened inputs of a run."""

    @property
    def symbols(self) -> int:
        """All symbols of the inputs, where that is known."""
        ...

    @property
    def unknown(self) -> Mapping[str, int]:
        """The unknown symbols of the inputs by kind, where that is known."""
        ...

    def digests(self) -> dict[str, Any]:
        """What identifies the contents of the inputs."""
        ...

    def inputs(self) -> list[dict[str, Any]]:
        """The input files, for a model card: name, size, checksum."""
        ...

    def data(self, config: PretrainConfig, masking: Masking, arguments: TrainingArguments) -> TrainingData:
        """Sequences to train on and to evaluate.

        Args:
            config: The settings of the run.
            masking: How tokens are masked.
            arguments: The same as transformers has them, and the processes.

        Raises:
            ArgumentError: A record to hold out does not exist, or nothing is left to train on.
        """
        ...
