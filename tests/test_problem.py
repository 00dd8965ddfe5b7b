"""What a model predicts: outputs as probabilities, columns, and settings of transformers and back."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: the extra `train`")

from genotok.errors import ArgumentError  # noqa: E402
from genotok.evaluation.problem import Problem  # noqa: E402
from genotok.model.huggingface import DnaBert2Config  # noqa: E402

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [-3.0, -2.0, -1.0]])
THREE = ("a", "b c", "ü")


def test_classes_are_softmax_and_the_likeliest_one() -> None:
    problem = Problem("classification", THREE)
    found = problem.probabilities(LOGITS)
    np.testing.assert_allclose(found, LOGITS.double().softmax(-1))
    columns = problem.columns(found)
    assert list(columns) == ["predicted", "prob_a", "prob_b c", "prob_ü"]
    assert columns["predicted"] == ["a", "ü"]
    assert problem.loss(found, np.array([0, 2])) == pytest.approx(-np.log([found[0, 0], found[1, 2]]).mean())


def test_labels_are_sigmoids_and_all_that_hold() -> None:
    problem = Problem("multilabel", THREE)
    found = problem.probabilities(LOGITS)
    np.testing.assert_allclose(found, LOGITS.double().sigmoid())
    assert problem.columns(found)["predicted"] == ["a;ü", ""]
    expected = torch.nn.functional.binary_cross_entropy_with_logits(LOGITS, torch.ones(2, 3)).item()
    assert problem.loss(found, np.ones((2, 3))) == pytest.approx(expected)


def test_a_number_is_the_output_itself() -> None:
    problem = Problem("regression", ("expression",))
    found = problem.probabilities(LOGITS[:, :1])
    assert {name: values.tolist() for name, values in problem.columns(found).items()} == {
        "predicted": [2.0, -3.0]
    }
    assert problem.loss(found, np.array([1.0, -1.0])) == 2.5


@pytest.mark.parametrize(
    "problem",
    [Problem("classification", THREE), Problem("multilabel", THREE), Problem("regression", ("y",))],
)
def test_a_configuration_says_the_same(problem: Problem) -> None:
    config = DnaBert2Config(**problem.config())
    assert config.num_labels == problem.num_outputs
    assert Problem.of_config(config) == problem
    assert Problem.of_config(config.to_dict()) == problem


def test_configurations_of_before_have_no_problem_type() -> None:
    assert Problem.of_config({"id2label": {"0": "x", "1": "y"}}) == Problem("classification", ("x", "y"))
    assert Problem.of_config({"id2label": {"0": "x"}}).type == "regression"
    with pytest.raises(ArgumentError, match="a name for each output"):
        Problem.of_config({"id2label": {"0": "x", "2": "y"}})
    with pytest.raises(ArgumentError, match="problem_type=other: one of single_label_classification"):
        Problem.of_config({"id2label": {"0": "x"}, "problem_type": "other"})
