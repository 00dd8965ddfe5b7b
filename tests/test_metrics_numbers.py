"""Metrics of numbers and of labels equal scikit-learn's and SciPy's; their draws are those of drawn rows."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genotok.errors import ArgumentError
from genotok.evaluation.metrics import bootstrap, confusion, label_scores, merit, number_scores, written
from genotok.evaluation.metrics.intervals import weights
from genotok.evaluation.metrics.multilabel import _Whole
from genotok.evaluation.metrics.numbers import NUMBER_METRICS, _Pairs

sklearn = pytest.importorskip("sklearn.metrics", reason="needs scikit-learn: the extra `train`")
stats = pytest.importorskip("scipy.stats", reason="needs SciPy: the extra `train`")

numbers = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=3, max_size=40)


def expected_of(true: Any, guess: Any) -> dict[str, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            "pearson": stats.pearsonr(true, guess).statistic,
            "spearman": stats.spearmanr(true, guess).statistic,
            "r2": sklearn.r2_score(true, guess),
            "rmse": sklearn.root_mean_squared_error(true, guess),
            "mae": sklearn.mean_absolute_error(true, guess),
        }


@settings(max_examples=60, deadline=None)
@given(numbers, st.sampled_from([0.0, 1e6]))
def test_metrics_of_numbers_equal_scikit_learns(rows: list[tuple[int, int]], offset: float) -> None:
    true, guess = (np.array(side, float) + offset for side in zip(*rows, strict=True))
    found = _Pairs(true, guess).scores(np.ones((1, len(rows))))
    if np.ptp(true) == 0 or np.ptp(guess) == 0:
        assert found["pearson"] == found["spearman"] == 0
        assert np.ptp(true) or found["r2"] == 0
        return
    for name, value in expected_of(true, guess).items():
        assert found[name][0] == pytest.approx(value, abs=1e-9), name  # type: ignore[index]


def test_draws_of_numbers_are_those_of_drawn_rows() -> None:
    draw = np.random.default_rng(2)
    true = draw.integers(0, 5, 30).astype(float)
    guess = np.round(true + draw.normal(0, 2, 30), 1)
    drawn = next(iter(weights(30)))[:50]
    found = _Pairs(true, guess).scores(drawn)
    for row, counts in enumerate(drawn.astype(int)):
        places = np.repeat(np.arange(30), counts)
        for name, value in expected_of(true[places], guess[places]).items():
            assert found[name][row] == pytest.approx(value, abs=1e-9)  # type: ignore[index]
    scores = number_scores(true, guess)
    assert scores == number_scores(true, guess)
    for name in NUMBER_METRICS:
        one = scores.intervals[name]
        assert one.low < one.value < one.high


def test_one_row_and_constant_numbers_have_no_correlation() -> None:
    one = number_scores([2.0], [1.5])
    assert (one["pearson"], one["spearman"], one["r2"], one["rmse"], one["mae"]) == (0, 0, 0, 0.5, 0.5)
    same = number_scores([1.0, 2.0, 3.0], [0.1, 0.1, 0.1])
    assert (same["pearson"], same["spearman"]) == (0, 0)
    for true, guess in (([], []), ([1.0], [np.nan]), ([1.0, 2.0], [1.0])):
        with pytest.raises(ArgumentError):
            number_scores(true, guess)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 12), st.integers(2, 4))
def test_metrics_of_labels_equal_scikit_learns(seed: int, rows: int, labels: int) -> None:
    draw = np.random.default_rng(seed)
    true = draw.random((rows, labels)) < 0.4
    likely = draw.integers(0, 5, (rows, labels)) / 4
    found, guess = label_scores(true, likely), likely >= 0.5
    seen = np.flatnonzero((true | guess).any(0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert found["subset_accuracy"] == pytest.approx((true == guess).all(1).mean())
        assert found["f1_micro"] == pytest.approx(
            sklearn.f1_score(true, guess, average="micro", zero_division=0)
        )
        each = sklearn.f1_score(true, guess, average=None, zero_division=0)
        assert found.f1_of_label == pytest.approx(each)
        assert found["f1_macro"] == pytest.approx(each[seen].mean() if len(seen) else 0)
        there = np.flatnonzero(true.any(0))
        averages = [sklearn.average_precision_score(true[:, one], likely[:, one]) for one in there]
        assert found["map"] == pytest.approx(np.mean(averages) if averages else 0)
        assert found.average_precision[there] == pytest.approx(averages)
        areas = [
            sklearn.roc_auc_score(true[:, one], likely[:, one]) for one in there if not true[:, one].all()
        ]
        assert found["auroc"] == pytest.approx(np.mean(areas) if areas else 0)
    for name in ("map", "f1_micro", "f1_macro", "subset_accuracy"):
        assert merit(name, true, likely) == pytest.approx(found[name])  # type: ignore[arg-type]


def test_draws_of_labels_are_those_of_drawn_rows() -> None:
    draw = np.random.default_rng(4)
    true, likely = draw.random((20, 3)) < 0.4, draw.random((20, 3)).round(1)
    drawn = next(iter(weights(20, 3)))[:20]
    found = _Whole(true, likely).scores(drawn)
    for row, counts in enumerate(drawn.astype(int)):
        places = np.repeat(np.arange(20), counts)
        for name, values in found.items():
            assert values[row] == pytest.approx(merit(name, true[places], likely[places]))


def test_many_classes_take_no_memory_of_their_square() -> None:
    draw = np.random.default_rng(1)
    true = draw.integers(0, 1000, 3000)
    guess = np.where(draw.random(3000) < 0.5, true, draw.integers(0, 1000, 3000))
    found = bootstrap(confusion(true, guess, 1000), "mcc", draws=100)
    assert found.low < found.value < found.high
    assert found.high - found.low == pytest.approx(2 * 1.96 * (0.25 / 3000) ** 0.5, rel=0.4)
    small = confusion(true % 3, guess % 3, 3)
    wide = np.zeros((1500, 1500), np.int64)
    wide[500:503, 500:503] = small
    for metric in ("mcc", "f1", "accuracy"):
        one, other = bootstrap(small, metric), bootstrap(wide, metric)  # type: ignore[arg-type]
        assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=0.005)


def test_metrics_are_written_in_percent_or_in_units() -> None:
    assert written("mcc").text(61.234) == "61.2"
    assert (written("pearson").text(0.8345), written("rmse").text(1234.567)) == ("0.835", "1235")
    assert [written(name).is_percent for name in ("map", "pearson", "rmse")] == [True, False, False]
    with pytest.raises(ArgumentError, match="metric=luck: one of mcc, f1"):
        written("luck")
