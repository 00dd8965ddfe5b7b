"""k-mer spectra against counting by hand, and the baseline on labels that it can learn."""

from __future__ import annotations

from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("sklearn", reason="needs scikit-learn: the extra `train`")

from genotok.errors import ArgumentError
from genotok.evaluation import baseline
from genotok.evaluation.metrics import confusion, score
from genotok.gue import read_splits
from tests.support.labelled import write_set


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("ACGTNacgt", max_size=40), min_size=1, max_size=5), st.integers(1, 4))
def test_spectra_are_shares_of_kmers(sequences: list[str], k: int) -> None:
    found = baseline.spectrum(sequences, [k]).toarray()
    assert found.shape == (len(sequences), 4**k)
    for row, sequence in zip(found, sequences, strict=True):
        upper = sequence.upper()
        words = (upper[at : at + k] for at in range(len(upper) - k + 1))
        counts = Counter(word for word in words if set(word) <= set("ACGT"))
        total = max(counts.total(), 1)
        expected = sorted(counts["".join(bases)] / total for bases in product("ACGT", repeat=k))
        assert sorted(row.tolist()) == pytest.approx(expected, abs=1e-6)


def test_the_same_kmer_has_the_same_column() -> None:
    found = baseline.spectrum(["ACGTT", "TTACG"], [3]).toarray()
    assert (found[0] * found[1]).max() == pytest.approx(1 / 9)


def test_a_motif_is_learnt_and_shuffled_labels_are_not(tmp_path: Path) -> None:
    splits, classes = read_splits(write_set(tmp_path, {"train": 400, "dev": 100, "test": 200}))
    fitted = baseline.fit(splits, len(classes))
    matrix = confusion(splits["test"].labels, fitted.predicted, 2)
    assert score(matrix, "mcc") > 0.6
    assert fitted.dev[fitted.penalty] == max(fitted.dev.values())
    assert fitted.outputs.sum(1) == pytest.approx(1)
    shuffled = splits | {
        "train": type(splits["train"])(
            **{
                name: getattr(splits["train"], name)
                for name in ("path", "sequences", "partners", "texts", "lines")
            },
            labels=np.random.default_rng(1).permutation(splits["train"].labels),
        )
    }
    matrix = confusion(splits["test"].labels, baseline.fit(shuffled, 2).predicted, 2)
    assert abs(score(matrix, "mcc")) < 0.25


def test_one_class_is_nothing_to_tell_apart(tmp_path: Path) -> None:
    splits, _ = read_splits(write_set(tmp_path, {"train": 20, "dev": 10, "test": 10}))
    one = splits["train"].taken(np.arange(0, 20, 2))
    with pytest.raises(ArgumentError, match="all rows have one label"):
        baseline.fit(splits | {"train": one}, 2)


def test_pairs_have_both_spectra(tmp_path: Path) -> None:
    write_set(tmp_path, {"train": 60, "dev": 20, "test": 20})
    for path in tmp_path.glob("*.csv"):
        rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
        text = "".join(f"ACGTACGTAA,{sequence},{label}\n" for sequence, label in rows)
        path.write_text(f"sequence1,sequence2,label\n{text}")
    splits, classes = read_splits(tmp_path)
    assert len(baseline.fit(splits, len(classes), sizes=(3, 4)).predicted) == 20
