"""Masks, orders and padding."""

from __future__ import annotations

import numpy as np
import pytest

from genotok import Tokenizer
from genotok.errors import ArgumentError
from genotok.tokenizer.special_ids import SpecialIds
from genotok.training.batches import IGNORED, Masking, Order, pad


@pytest.fixture(scope="module")
def special() -> SpecialIds:
    return SpecialIds.of(Tokenizer.kmer(3, overlap=True))


def test_shares_of_a_hundred_thousand_tokens(special: SpecialIds) -> None:
    draw = np.random.default_rng(0)
    ordinary = [number for number in range(special.vocab_size) if number not in special.all]
    masking = Masking(special)
    chosen = masked = kept = other = 0
    for index in range(800):
        ids = special.around(draw.choice(ordinary, 126))
        inputs, labels = masking.apply(ids, 1, 0, index)
        hidden = labels != IGNORED
        assert (labels[hidden] == ids[hidden]).all()
        assert (inputs[~hidden] == ids[~hidden]).all()
        assert not hidden[[0, -1]].any()
        chosen += hidden.sum()
        masked += (inputs[hidden] == special.mask).sum()
        kept += (inputs[hidden] == ids[hidden]).sum()
        other += ((inputs[hidden] != special.mask) & (inputs[hidden] != ids[hidden])).sum()
        assert not np.isin(inputs[hidden], [one for one in special.all if one != special.mask]).any()
    tokens = 800 * 126
    # Five standard deviations of a binomial.
    assert chosen / tokens == pytest.approx(0.15, abs=5 * (0.15 * 0.85 / tokens) ** 0.5)
    assert masked / chosen == pytest.approx(0.8, abs=5 * (0.16 / chosen) ** 0.5)
    assert kept / chosen == pytest.approx(0.1 + 0.1 / len(ordinary), abs=5 * (0.09 / chosen) ** 0.5)
    assert other / chosen == pytest.approx(0.1, abs=5 * (0.09 / chosen) ** 0.5)


def test_masks_depend_on_the_key_alone(special: SpecialIds) -> None:
    ids = special.around(np.full(100, 20))
    masking = Masking(special)
    first = masking.apply(ids, 1, 2, 3)
    masking.apply(ids, 9)
    assert all((one == other).all() for one, other in zip(first, masking.apply(ids, 1, 2, 3), strict=True))
    assert (first[1] != masking.apply(ids, 1, 2, 4)[1]).any()


def test_a_short_sequence_has_a_label_and_special_tokens_never(special: SpecialIds) -> None:
    for index in range(50):
        inputs, labels = Masking(special).apply(special.around(np.array([30])), index)
        assert labels.tolist() == [IGNORED, 30, IGNORED]
        assert inputs[[0, 2]].tolist() == [special.first, special.end]
    assert (Masking(special, 1.0).apply(special.around(), 0)[1] == IGNORED).all()


def test_masking_is_checked(special: SpecialIds) -> None:
    for wrong in ({"share": 0.0}, {"share": 1.5}, {"masked": 0.9, "replaced": 0.2}, {"masked": -1}):
        with pytest.raises(ArgumentError, match="share"):
            Masking(special, **wrong)


def test_a_tokenizer_without_special_tokens_is_refused() -> None:
    bare = Tokenizer.train("genomes/lambda_phage.fa", vocab_size=20, special_tokens=["[UNK]"])
    with pytest.raises(ArgumentError, match=r"has no \[CLS\]; a model's input needs \[UNK\], \[CLS\]"):
        SpecialIds.of(bare)


def test_every_epoch_is_an_order_of_its_own() -> None:
    order = Order(10, seed=4)
    epochs = [[order.at(10 * epoch + place) for place in range(10)] for epoch in range(3)]
    for number, epoch in enumerate(epochs):
        assert {at[0] for at in epoch} == {number}
        assert sorted(at[1] for at in epoch) == list(range(10))
    assert epochs[0] != epochs[1]
    assert Order(10, seed=4).at(25) == epochs[2][5]
    with pytest.raises(ArgumentError, match="none"):
        Order(0, 1)


def test_rows_are_filled_up_on_the_right() -> None:
    rows = [np.array([1, 2]), np.array([], np.int64), np.array([3])]
    assert pad(rows, 9).tolist() == [[1, 2], [9, 9], [3, 9]]
    assert pad([], 0).shape == (0, 0)
