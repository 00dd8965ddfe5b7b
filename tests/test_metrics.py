"""Metrics equal scikit-learn's; intervals hold what they should."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genotok.errors import ArgumentError
from genotok.evaluation.metrics import (
    Interval,
    area_under_precision_recall,
    area_under_roc,
    bootstrap,
    calibration,
    confusion,
    differ,
    score,
    scores,
)

sklearn = pytest.importorskip("sklearn.metrics", reason="needs scikit-learn: the extra `train`")

pairs = st.integers(2, 5).flatmap(
    lambda classes: st.tuples(
        st.just(classes),
        st.lists(
            st.tuples(st.integers(0, classes - 1), st.integers(0, classes - 1)), min_size=1, max_size=60
        ),
    )
)


@settings(max_examples=300, deadline=None)
@given(pairs)
def test_all_metrics_equal_scikit_learns(given_pairs: tuple[int, list[tuple[int, int]]]) -> None:
    classes, rows = given_pairs
    true, guess = (np.array(side) for side in zip(*rows, strict=True))
    found = scores(confusion(true, guess, classes))
    every = list(range(classes))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert found.matrix.tolist() == sklearn.confusion_matrix(true, guess, labels=every).tolist()
        assert found.mcc == pytest.approx(sklearn.matthews_corrcoef(true, guess), abs=1e-12)
        assert found.accuracy == pytest.approx(sklearn.accuracy_score(true, guess))
        assert found.f1 == pytest.approx(sklearn.f1_score(true, guess, average="macro", zero_division=0))
        expected = sklearn.precision_recall_fscore_support(true, guess, labels=every, zero_division=0)
    for ours, theirs in zip(
        (found.precision, found.recall, found.f1_of_class, found.support), expected, strict=True
    ):
        assert ours == pytest.approx(theirs)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=60))
def test_areas_equal_scikit_learns_with_ties(rows: list[tuple[bool, int]]) -> None:
    true, likelihood = (np.array(side, float) for side in zip(*rows, strict=True))
    if len(set(true)) < 2:
        with pytest.raises(ArgumentError, match="both classes"):
            area_under_roc(true, likelihood)
        return
    assert area_under_roc(true, likelihood) == pytest.approx(sklearn.roc_auc_score(true, likelihood))
    expected = sklearn.average_precision_score(true, likelihood)
    assert area_under_precision_recall(true, likelihood) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("true", "predicted", "said"),
    [
        ([], [], "no rows"),
        ([0, 1], [0], "numbers"),
        ([0, 2], [0, 1], "0 to 1 is expected"),
        ([0, -1], [0, 1], "0 to 1 is expected"),
        ([0.0, 1.0], [0, 1], "whole numbers"),
    ],
)
def test_what_cannot_be_scored_is_refused(true: list[float], predicted: list[int], said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        confusion(np.array(true), np.array(predicted), 2)
    with pytest.raises(ArgumentError, match="mcc"):
        score(np.eye(2), "auc")  # type: ignore[arg-type]


def test_an_interval_is_that_of_drawn_rows() -> None:
    draw = np.random.default_rng(3)
    true = draw.integers(0, 2, 400)
    guess = np.where(draw.random(400) < 0.8, true, 1 - true)
    found = bootstrap(confusion(true, guess, 2), "mcc", draws=4000, seed=1)
    drawn = []
    for _ in range(2000):
        rows = draw.integers(0, 400, 400)
        drawn.append(float(score(confusion(true[rows], guess[rows], 2), "mcc")))
    assert found.low == pytest.approx(np.quantile(drawn, 0.025), abs=0.01)
    assert found.high == pytest.approx(np.quantile(drawn, 0.975), abs=0.01)
    assert found == bootstrap(confusion(true, guess, 2), "mcc", draws=4000, seed=1)
    assert bootstrap(np.array([[5, 0], [0, 0]]), "mcc").value == 0
    with pytest.raises(ArgumentError):
        bootstrap(np.eye(2, dtype=np.int64), "mcc", level=1)


def test_intervals_differ_only_when_they_are_apart() -> None:
    low, middle, high = Interval(1, 0, 2), Interval(2.5, 1.5, 3), Interval(4, 3.5, 5)
    assert differ(low, high)
    assert differ(high, low)
    assert not differ(low, middle)


def test_calibration_counts_how_far_confidence_is_from_being_right() -> None:
    shares = np.array([[0.95, 0.05]] * 10)
    assert calibration(np.array([0] * 5 + [1] * 5), shares) == pytest.approx(0.45)
    assert calibration(np.zeros(10, int), np.array([[1.0, 0.0]] * 10)) == 0
