"""What a model predicts: a class, a number or labels; and what that means for its outputs and its loss.

| type | outputs of the model | meaning | loss |
|---|---|---|---|
| classification | one for each class | softmax: probabilities that sum to 1 | cross entropy |
| regression | one | the number itself, in the units of the labels | mean squared error |
| multilabel | one for each label | sigmoid: a probability for each label | binary cross entropy |

A model has it in `config.json`, as in transformers: `problem_type`, `id2label`, `label2id`.
"""

# Dimensions: N rows, C outputs.

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from genotok.errors import ArgumentError
from genotok.evaluation.metrics import THRESHOLD
from genotok.gue.labels import PROBLEM_TYPES, SEPARATOR, Labels, ProblemType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor

__all__ = ["PROBLEM_TYPES", "THRESHOLD", "Problem", "ProblemType"]

IN_CONFIG: dict[ProblemType, str] = {
    "classification": "single_label_classification",
    "regression": "regression",
    "multilabel": "multi_label_classification",
}
"""The names of the types in transformers."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What a model predicts.

    Attributes:
        type: Classes, a number, or labels.
        names: The classes or labels in the order of the outputs; for a number its name alone.
    """

    type: ProblemType
    names: tuple[str, ...]

    @property
    def labels(self) -> Labels:
        """The labels that a table for this model may have."""
        return Labels(self.names, self.type)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of classes or labels; none for a number."""
        return () if self.type == "regression" else self.names

    @property
    def num_outputs(self) -> int:
        """C: outputs of the model for each sequence."""
        return len(self.names)

    @classmethod
    def of_config(cls, config: Any) -> Problem:
        """What a model predicts, by its configuration in transformers or its `config.json` as a mapping.

        Without `problem_type` one output is a number, as in transformers, several are classes.

        Raises:
            ArgumentError: `problem_type` is unknown, or `id2label` lacks an output.
        """
        settings: Mapping[str, Any] = config if isinstance(config, dict) else vars(config)
        names = settings.get("id2label") or {}
        named = {int(number): str(name) for number, name in names.items()}
        if not named or set(named) != set(range(len(named))):
            raise ArgumentError(f"id2label={names}: a name for each output from 0 on is expected")
        declared = settings.get("problem_type")
        if declared is None:
            declared = IN_CONFIG["regression" if len(named) == 1 else "classification"]
        types = {name: kind for kind, name in IN_CONFIG.items()}
        if declared not in types:
            raise ArgumentError(f"problem_type={declared}: one of {', '.join(types)} is expected")
        return cls(types[declared], tuple(named[number] for number in range(len(named))))

    def config(self) -> dict[str, Any]:
        """The settings for a configuration of transformers."""
        return {
            "problem_type": IN_CONFIG[self.type],
            "id2label": dict(enumerate(self.names)),
            "label2id": {name: number for number, name in enumerate(self.names)},
        }

    def probabilities(self, logits: Tensor) -> NDArray[np.float64]:
        """Probabilities (N, C) of a model's outputs (N, C); for regression the numbers as they are."""
        wide = logits.double()
        if self.type == "classification":
            wide = wide.softmax(-1)
        elif self.type == "multilabel":
            wide = wide.sigmoid()
        found: NDArray[np.float64] = wide.cpu().numpy()
        return found

    def columns(self, outputs: NDArray[Any]) -> dict[str, Any]:
        """The columns of predictions, each with N values.

        Args:
            outputs: (N, C) as `probabilities` gives them.

        Returns:
            `predicted`: the class, the number, or the labels with `;` between them, "" for none; for classes
            and labels also `prob_<name>` for each.
        """
        if self.type == "regression":
            return {"predicted": outputs[:, 0]}
        if self.type == "classification":
            predicted = [self.names[number] for number in outputs.argmax(1).tolist()]
        else:
            predicted = [
                SEPARATOR.join(name for name, holds in zip(self.names, row, strict=True) if holds)
                for row in (outputs >= THRESHOLD).tolist()
            ]
        probabilities = {f"prob_{name}": outputs[:, number] for number, name in enumerate(self.names)}
        return {"predicted": predicted, **probabilities}

    def loss(self, outputs: NDArray[Any], labels: NDArray[Any]) -> float:
        """The mean loss.

        Args:
            outputs: (N, C) from `probabilities`.
            labels: (N,) class numbers or numbers; for multilabel (N, C), 1 where a label holds.
        """
        if self.type == "regression":
            return float(np.square(outputs[:, 0] - labels).mean())
        if self.type == "classification":
            probability = outputs[np.arange(len(outputs)), labels]
        else:
            probability = np.where(labels > 0, outputs, 1 - outputs)
        return float(-np.log(np.maximum(probability, 1e-12)).mean())
