"""The k-mer baseline: k-mer frequencies and logistic regression.

A sequence becomes its spectrum: for k = 3 to 6 the share of each k-mer among its overlapping k-mers. Those
with a symbol other than A, C, G, T are left out; a pair has both spectra. A k-mer and its reverse complement
are counted together, which gives the spectrum of both strands (2,760 numbers), unless sequences are of one
strand (5,440 numbers).
Each number is divided by its standard deviation over train, so that rare k-mers count as much as common ones,
and a logistic regression with an L2 penalty is fitted by L-BFGS; of several labels in a row one for each; of
numbers a ridge regression. The penalty is the one of `PENALTIES` whose model has the best metric on dev; test
is predicted once.

It knows nothing of order beyond six bases and is fitted in seconds to a minute on one core.
"""

# Shapes: N rows, K k-mers of all sizes, C classes.

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from genotok.errors import ArgumentError, ResourceError
from genotok.evaluation.metrics import merit
from genotok.tokenizer import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from genotok.baseline.blind import BlindSet
    from genotok.gue import LabelledSplit
    from genotok.gue.labels import ProblemType

__all__ = ["PENALTIES", "SIZES", "KmerBaseline", "fit", "spectrum"]

SIZES = (3, 4, 5, 6)
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1)
"""Inverse strengths of the penalty, as scikit-learn's C; of ridge regression the inverse of its alpha."""

MAX_STEPS = 300

Predict: TypeAlias = "Callable[[Any], NDArray[np.float64]]"
"""From spectra (N, K) to outputs (N, C)."""


@dataclass(frozen=True, slots=True, eq=False)
class KmerBaseline:
    """A fitted baseline and what it predicts.

    Attributes:
        penalty: The chosen C.
        scores: The metric on dev of each of `PENALTIES`.
        dev: (N, C) probabilities of the classes or labels for dev, or (N, 1) numbers.
        test: (N, C) the same for test.
        parameters: Weights and intercepts: K + 1 for each number that is fitted.
        seconds: For spectra and all fits.
    """

    penalty: float
    scores: dict[float, float]
    dev: NDArray[np.float64]
    test: NDArray[np.float64]
    parameters: int
    seconds: float


def fit(blind: BlindSet, sizes: Sequence[int] = SIZES) -> KmerBaseline:
    """Fit on train, choose the penalty on dev, predict dev and test.

    Args:
        blind: The set.
        sizes: Which k.

    Raises:
        ArgumentError: scikit-learn is not installed.
    """
    start = time.perf_counter()
    scaled = _scikit_learn()(with_mean=False)
    train, dev = blind.splits["train"], blind.splits["dev"]
    spectra = {
        name: _spectra(split, sizes, both_strands=not blind.stranded) for name, split in blind.splits.items()
    }
    rows = scaled.fit_transform(spectra["train"])
    others = {name: scaled.transform(spectra[name]) for name in ("dev", "test")}
    fitter, outputs = FITTERS[blind.problem.type], blind.problem.num_outputs
    models = {penalty: fitter(rows, train.labels, outputs, penalty) for penalty in PENALTIES}
    guesses = {penalty: predict(others["dev"]) for penalty, predict in models.items()}
    scores = {penalty: merit(blind.metric, dev.labels, guess) for penalty, guess in guesses.items()}
    best = max(PENALTIES, key=scores.__getitem__)
    fitted = outputs - (blind.problem.type == "classification" and outputs == 2)
    parameters = (rows.shape[1] + 1) * fitted
    test = models[best](others["test"])
    return KmerBaseline(best, scores, guesses[best], test, parameters, time.perf_counter() - start)


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


def spectrum(sequences: Sequence[str], sizes: Sequence[int] = SIZES, *, both_strands: bool = False) -> Any:
    """The spectra of sequences, a sparse matrix (N, K) of float32; linear in the symbols.

    Args:
        sequences: N of them.
        sizes: Which k.
        both_strands: Whether a k-mer and its reverse complement are one number.

    Raises:
        ArgumentError: SciPy, which comes with scikit-learn, is not installed.
        ResourceError: There are more k-mers than a sparse matrix can number.
    """
    _scikit_learn()
    from scipy import sparse

    parts = []
    for k in sizes:
        kmers = Tokenizer.kmer(k, overlap=True, canonical=both_strands)
        found = kmers.encode_batch(sequences, unknown="split", uppercase=True)
        if len(found.values) > np.iinfo(np.int32).max:
            raise ResourceError(
                f"sequences: {len(found.values):,} {k}-mers; at most 2,147,483,647 are expected"
            )
        counts = np.diff(found.offsets)
        data = np.repeat(1 / np.maximum(counts, 1), counts).astype(np.float32)
        palindromes = 0 if k % 2 else 2**k
        first = kmers.vocab_size - ((4**k + palindromes) // 2 if both_strands else 4**k)
        shape = (len(counts), kmers.vocab_size)
        rows = sparse.csr_matrix((data, found.values.astype(np.int32), found.offsets.astype(np.int32)), shape)
        rows.sum_duplicates()
        parts.append(rows[:, first:])
    return sparse.hstack(parts, "csr")


def _spectra(split: LabelledSplit, sizes: Sequence[int], *, both_strands: bool) -> Any:
    """The spectra of a split; of pairs, one behind the other."""
    from scipy import sparse

    sides = [side for side in (split.sequences, split.partners) if side]
    return sparse.hstack([spectrum(side, sizes, both_strands=both_strands) for side in sides], "csr")


def _scikit_learn() -> Any:
    """What scales numbers, if it is installed."""
    try:
        from sklearn.preprocessing import StandardScaler
    except ImportError:
        raise ArgumentError("baseline: needs scikit-learn: pip install 'genotok[train]'") from None
    return StandardScaler
