"""The k-mer baseline: k-mer frequencies and logistic regression.

A sequence becomes its spectrum: for k = 3 to 6 the share of each of the 4^k k-mers among its overlapping
k-mers (5,440 numbers; those with a symbol other than A, C, G, T are left out; of a pair, both spectra).
Each number is divided by its standard deviation over train, so that rare k-mers count as much as common ones,
and a logistic regression with an L2 penalty is fitted by L-BFGS; of several labels in a row one for each; of
numbers a ridge regression. The penalty is the one of `PENALTIES` whose model has the best metric on dev; test
is predicted once.

It knows nothing of order beyond six bases, is fitted in seconds to a minute on one core, and on some sets of
GUE is as good as published models of a hundred million parameters.
"""

# Shapes: N rows, K k-mers of all sizes, C classes.

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from genotok.errors import ArgumentError, ResourceError
from genotok.evaluation.metrics import Metric, merit
from genotok.gue.labels import Labels, ProblemType
from genotok.tokenizer import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from genotok.gue import LabelledSplit

__all__ = ["PENALTIES", "SIZES", "Baseline", "fit", "spectrum"]

SIZES = (3, 4, 5, 6)
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1)
"""Inverse strengths of the penalty, as scikit-learn's C; of ridge regression the inverse of its alpha."""

MAX_STEPS = 300

Predict: TypeAlias = "Callable[[Any], NDArray[np.float64]]"
"""From spectra (N, K) to outputs (N, C)."""


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """A fitted baseline and what it says of test.

    Attributes:
        penalty: The chosen C.
        dev: The metric on dev of each of `PENALTIES`.
        outputs: (N, C) probabilities of the classes or labels for test, or (N, 1) numbers.
        seconds: For spectra and all fits.
    """

    penalty: float
    dev: dict[float, float]
    outputs: NDArray[np.float64]
    seconds: float

    @property
    def predicted(self) -> NDArray[np.int64]:
        """(N,) the predicted class of each row of test."""
        predicted: NDArray[np.int64] = self.outputs.argmax(1)
        return predicted


def fit(
    splits: dict[str, LabelledSplit],
    classes: int,
    metric: Metric = "mcc",
    sizes: Sequence[int] = SIZES,
    *,
    problem_type: ProblemType = "classification",
) -> Baseline:
    """Fit on train, choose the penalty on dev, predict test.

    Args:
        splits: train, dev and test, with labels as numbers.
        classes: How many classes or labels there are; of numbers 1.
        metric: What the penalty is chosen by.
        sizes: Which k.
        problem_type: What labels are.

    Raises:
        ArgumentError: scikit-learn is not installed, or all rows of train have the same label.
    """
    start = time.perf_counter()
    scaler = _scikit_learn()
    train, dev, test = (splits[name] for name in ("train", "dev", "test"))
    if Labels((), problem_type).is_constant(train.labels):
        raise ArgumentError(f"{train.path}: all rows have one label; there is nothing to tell apart")
    scaled = scaler(with_mean=False)
    rows = scaled.fit_transform(_both(train, sizes))
    others = {split.path: scaled.transform(_both(split, sizes)) for split in (dev, test)}
    fitter = FITTERS[problem_type]
    found: dict[float, tuple[float, Predict]] = {}
    for penalty in PENALTIES:
        predict = fitter(rows, train.labels, classes, penalty)
        found[penalty] = (merit(metric, dev.labels, predict(others[dev.path])), predict)
    best = max(PENALTIES, key=lambda penalty: found[penalty][0])
    outputs = found[best][1](others[test.path])
    dev_scores = {penalty: result for penalty, (result, _) in found.items()}
    return Baseline(best, dev_scores, outputs, time.perf_counter() - start)


def _classes(rows: Any, labels: NDArray[Any], classes: int, penalty: float) -> Predict:
    """Logistic regression of class numbers (N,)."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=penalty, max_iter=MAX_STEPS, tol=1e-3).fit(rows, labels)

    def predict(others: Any) -> NDArray[np.float64]:
        found = np.zeros((others.shape[0], classes))
        found[:, model.classes_] = model.predict_proba(others)
        return found

    return predict


def _labels(rows: Any, labels: NDArray[Any], classes: int, penalty: float) -> Predict:
    """Logistic regression of each label by itself; what all rows of train have in common stays as it is."""
    constant = (labels == labels[0]).all(0)
    models = [
        None if constant[number] else _classes(rows, labels[:, number], 2, penalty)
        for number in range(classes)
    ]

    def predict(others: Any) -> NDArray[np.float64]:
        found = np.tile(labels[0].astype(np.float64), (others.shape[0], 1))
        for number, model in enumerate(models):
            if model is not None:
                found[:, number] = model(others)[:, 1]
        return found

    return predict


def _numbers(rows: Any, labels: NDArray[np.float64], _classes: int, penalty: float) -> Predict:
    """Ridge regression of numbers (N,), in units of their standard deviation."""
    from sklearn.linear_model import Ridge

    mean, scale = labels.mean(), labels.std()
    model = Ridge(alpha=1 / penalty).fit(rows, (labels - mean) / scale)

    def predict(others: Any) -> NDArray[np.float64]:
        found: NDArray[np.float64] = model.predict(others)[:, None] * scale + mean
        return found.astype(np.float64)

    return predict


FITTERS: dict[ProblemType, Callable[[Any, NDArray[Any], int, float], Predict]] = {
    "classification": _classes,
    "regression": _numbers,
    "multilabel": _labels,
}


def spectrum(sequences: Sequence[str], sizes: Sequence[int] = SIZES) -> Any:
    """The spectra of sequences, a sparse matrix (N, K) of float32; linear in the symbols.

    Raises:
        ArgumentError: SciPy, which comes with scikit-learn, is not installed.
        ResourceError: There are more k-mers than a sparse matrix can number.
    """
    _scikit_learn()
    from scipy import sparse

    parts = []
    for k in sizes:
        kmers = Tokenizer.kmer(k, overlap=True)
        found = kmers.encode_batch(sequences, unknown="split", uppercase=True)
        if len(found.values) > np.iinfo(np.int32).max:
            raise ResourceError(
                f"sequences: {len(found.values):,} {k}-mers; at most 2,147,483,647 are expected"
            )
        counts = np.diff(found.offsets)
        data = np.repeat(1 / np.maximum(counts, 1), counts).astype(np.float32)
        first = kmers.vocab_size - 4**k
        shape = (len(counts), kmers.vocab_size)
        rows = sparse.csr_matrix((data, found.values.astype(np.int32), found.offsets.astype(np.int32)), shape)
        rows.sum_duplicates()
        parts.append(rows[:, first:])
    return sparse.hstack(parts, "csr")


def _both(split: LabelledSplit, sizes: Sequence[int]) -> Any:
    """The spectra of a split; of pairs, one behind the other."""
    from scipy import sparse

    rows = spectrum(split.sequences, sizes)
    return sparse.hstack([rows, spectrum(split.partners, sizes)], "csr") if split.partners else rows


def _scikit_learn() -> Any:
    """What scales numbers, if it is installed."""
    try:
        from sklearn.preprocessing import StandardScaler
    except ImportError:
        raise ArgumentError("baseline: needs scikit-learn: pip install 'genotok[train]'") from None
    return StandardScaler
