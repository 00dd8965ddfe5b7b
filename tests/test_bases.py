"""Features of bases: what they are, what they hide, and that they do not depend on the layout of a batch."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="needs torch: the extra `model`")

from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from genotok.errors import ArgumentError  # noqa: E402
from genotok.model import (  # noqa: E402
    Encoder,
    EncoderConfig,
    MaskedLanguageModel,
    SequenceClassifier,
    cost,
    pack,
    unpad,
)
from genotok.model.base_sizes import KMERS, PLACES  # noqa: E402
from genotok.model.bases import base_row  # noqa: E402
from genotok.model.checkpoint import resize_vocabulary  # noqa: E402
from genotok.model.spelling import resized, spelling_of  # noqa: E402
from genotok.model_folder.spelling import spelling_for  # noqa: E402
from genotok.tokenizer import Tokenizer  # noqa: E402
from genotok.tokenizer.special_ids import SpecialIds  # noqa: E402
from genotok.training.batches import Masking  # noqa: E402
from tests.support.encoder_cases import difference  # noqa: E402

torch.set_num_threads(1)

GENOMES = Path(__file__).resolve().parent.parent / "genomes"

SPECIAL = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
TOKENS = [*SPECIAL, "A", "C", "G", "T", "AC", "GT", "ACG", "TTT", "GATTACA", "CCGGTA", "GN"]
SPELLING = spelling_of({token: number for number, token in enumerate(TOKENS)}, range(5), 4)
WORDS = SPELLING.split(" ")
MASK = 4

CONFIG = EncoderConfig(
    vocab_size=len(TOKENS),
    hidden_size=32,
    num_layers=2,
    num_heads=4,
    intermediate_size=24,
    initializer_range=0.3,
    base_features="kmer+conv",
    base_position=True,
    alibi="directional",
    pooling="skip",
    spelling=SPELLING,
)
KINDS = [("kmer", False), ("kmer", True), ("conv", False), ("conv", True), ("kmer+conv", True)]
ROWS = st.lists(st.lists(st.integers(0, len(TOKENS) - 1), max_size=7), min_size=1, max_size=4)


def model(kind: Any = MaskedLanguageModel, *arguments: Any, **changes: Any) -> Any:
    torch.manual_seed(5)
    return kind(CONFIG.with_changes(**changes), *arguments).double().eval()


def packed(rows: list[list[int]]) -> tuple[Any, Any]:
    return torch.tensor([one for row in rows for one in row], dtype=torch.long), pack(
        [len(row) for row in rows]
    )


# -- bases and 6-mers -------------------------------------------------------------------------------


def test_words_of_the_vocabulary() -> None:
    assert WORDS[:MASK] == ["N"] * 4
    assert WORDS[MASK] == "NN"  # the median token
    assert WORDS[5:] == ["A", "C", "G", "T", "AC", "GT", "ACG", "TTT", "GATTACA", "CCGGTA", "GN"]


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_6_mers_are_those_of_the_strings(rows: list[list[int]]) -> None:
    ids, packing = packed(rows)
    if not len(ids):
        return
    row = base_row(ids, packing, SPELLING)
    texts = ["".join(WORDS[one] for one in each) for each in rows]
    assert "".join("ACGTN"[code] for code in row.codes) == "".join(texts)
    expected = []
    for text in texts:
        for start in range(len(text)):
            kmer = text[start : start + 6]
            number = KMERS
            if len(kmer) == 6 and "N" not in kmer:
                number = sum("ACGT".index(base) * 4 ** (5 - place) for place, base in enumerate(kmer))
            expected.append((number, start))
    assert list(zip(row.kmers.tolist(), row.place.tolist(), strict=True)) == expected


def test_the_embedding_of_a_token_is_the_mean_of_its_6_mers() -> None:
    features = model(Encoder, base_features="kmer", base_position=False).embeddings.bases
    ids, packing = packed([[13, 14, 5]])  # GATTACA CCGGTA A
    text = "GATTACACCGGTAA"
    for token, (start, end) in enumerate([(0, 7), (7, 13), (13, 14)]):
        numbers = [
            int("".join(str("ACGT".index(base)) for base in text[place : place + 6]), 4)
            if place + 6 <= len(text)
            else KMERS
            for place in range(start, end)
        ]
        expected = features.kmers.weight[numbers].mean(0)
        assert difference(features(ids, packing)[token], expected) < 1e-12


def test_the_convolution_is_that_of_each_sequence_alone() -> None:
    """Computed without packing, gaps or scattering: by torch on one sequence, pooled token by token."""
    features = model(Encoder, base_features="conv").embeddings.bases
    rows = [[1, 13, 9, 4, 14, 2], [12], [1, 0, 15, 11, 2]]
    found = features(*packed(rows)).split([len(row) for row in rows])
    part = features.convolution
    for row, vectors in zip(rows, found, strict=True):
        text = "".join(WORDS[one] for one in row)
        x = torch.tensor([[float(base == one) for base in text] for one in "ACGT"]).double()[None]
        for convolution, norm in zip(part.convolutions, part.norms, strict=True):
            x = torch.nn.functional.gelu(norm(convolution(x).transpose(1, 2))).transpose(1, 2)
        x = x[0].t() + features.places.weight[: len(text)]
        parts = x.split([len(WORDS[one]) for one in row])
        pooled = torch.stack([torch.cat([each.amax(0), each.mean(0)]) for each in parts])
        assert difference(part.projection(pooled), vectors) < 1e-12


# -- layouts and backends ---------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["eager", "sdpa"])
@pytest.mark.parametrize(("kind", "position"), KINDS)
def test_padded_equals_packed_equals_one_by_one(kind: Any, position: bool, backend: Any) -> None:
    whole = model(attention=backend, base_features=kind, base_position=position)
    rows = [[1, 13, 9, 4, 14, 2], [], [12], [1, 5, 6, 7, 8, 9, 10, 2]]
    ids, packing = packed(rows)
    padded = torch.full((4, 11), 3)
    mask = torch.zeros(4, 11, dtype=torch.long)
    for number, row in enumerate(rows):  # padded on the left, on the right and on both sides
        start = [5, 0, 4, 0][number]
        padded[number, start : start + len(row)] = torch.tensor(row, dtype=torch.long)
        mask[number, start : start + len(row)] = 1
    unpadded = unpad(mask)
    with torch.no_grad():
        expected = whole(ids, packing)[1]
        assert difference(whole(unpadded.take(padded), unpadded)[1], expected) < 1e-12
        alone = [whole(*packed([row]))[1] for row in rows if row]
        assert difference(torch.cat(alone), expected) < 1e-12


@settings(max_examples=20, deadline=None)
@given(ROWS, st.integers(0, 3), st.integers(5, len(TOKENS) - 1))
def test_sequences_do_not_see_each_other(rows: list[list[int]], number: int, token: int) -> None:
    number %= len(rows)
    encoder = model(Encoder)
    other = [row if place != number else [token] * len(row) for place, row in enumerate(rows)]
    with torch.no_grad():
        before, after = (encoder(*packed(each)).last for each in (rows, other))
    lengths = [len(row) for row in rows]
    for place, (left, right) in enumerate(zip(before.split(lengths), after.split(lengths), strict=True)):
        if place != number and len(left):
            assert difference(left, right) < 1e-12


def test_a_hole_in_the_mask_ends_a_window() -> None:
    mask = torch.tensor([[1, 1, 0, 1, 1]])
    packing = unpad(mask)
    row = base_row(torch.tensor([13, 13, 13, 13]), packing, SPELLING)
    assert row.stretch.tolist() == [0] * 14 + [1] * 14
    assert [number == KMERS for number in row.kmers.tolist()] == ([False] * 9 + [True] * 5) * 2
    results = []
    for backend in ("eager", "sdpa"):
        encoder = model(Encoder, attention=backend)
        with torch.no_grad():
            results.append(encoder(torch.tensor([13, 14, 5, 13]), packing).last)
    assert difference(*results) < 1e-12


def test_places_behind_the_table_are_one() -> None:
    features = model(Encoder, base_features="kmer").embeddings.bases
    ids = torch.full((PLACES // 7 + 40,), 13)
    vectors = features(ids, pack([len(ids)]))
    assert difference(vectors[-5], vectors[-6]) == 0
    assert difference(vectors[5], vectors[6]) > 1e-3


def test_16_bit_weights_autocast_and_no_tokens() -> None:
    ids, packing = packed([[1, 13, 9, 4, 14, 2], [12, 5]])
    expected = model()(ids, packing)[1].float()
    for dtype, tolerance in ((torch.bfloat16, 0.5), (torch.float16, 0.05)):
        assert difference(model().to(dtype)(ids, packing)[1].float(), expected) < tolerance
    whole = model().float().train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss, _ = whole(ids, packing, labels=ids)
    loss.backward()
    assert all(one.grad is not None for one in whole.bert.embeddings.bases.parameters())
    nothing = model(SequenceClassifier, 2)(torch.zeros(0, dtype=torch.long), pack([0, 0]))[1]
    assert nothing.shape == (2, 2)


# -- what is hidden ---------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(5, len(TOKENS) - 1), min_size=2, max_size=20), st.integers(0, 99), st.data())
def test_masked_bases_are_hidden(ids: list[int], key: int, data: st.DataObject) -> None:
    """Other tokens, of other lengths, under the same masks: nothing that the model computes is different."""
    special = SpecialIds(0, 1, 2, 3, MASK, (0, 1, 2, 3, 4), len(TOKENS), (1,), (2,), None)
    masking = Masking(special, share=0.4)
    row = special.around(np.array(ids, np.int64))
    inputs, labels = masking.apply(row, key)
    is_masked = (inputs == MASK) & (labels > 0)
    changed = row.copy()
    for place in np.flatnonzero(is_masked):
        changed[place] = data.draw(st.integers(5, len(TOKENS) - 1))
    again, _ = masking.apply(changed, key)
    encoder = model(Encoder)
    packing = pack([len(row)])
    with torch.no_grad():
        left, right = (encoder(torch.tensor(one), packing) for one in (inputs, again))
    assert torch.equal(left.embedded, right.embedded)
    assert torch.equal(left.last, right.last)
    bases = base_row(torch.tensor(inputs), packing, SPELLING)
    hidden = torch.tensor(is_masked)[bases.token]
    assert (bases.codes[hidden] == 4).all()
    for base in hidden.nonzero().flatten().tolist():
        assert (bases.kmers[max(base - 5, 0) : base + 1] == KMERS).all()


def random_kmers(count: int, generator: Any) -> Any:
    """Sequences of independent 2-mers, (count, 12), of a vocabulary with five special tokens."""
    return torch.randint(5, 21, (count, 12), generator=generator)


@pytest.mark.parametrize("leaky", [False, True])
def test_random_dna_takes_two_bits_per_base(leaky: bool) -> None:
    """The entropy is log 16 for each 2-mer. If the features see what is masked, the model reads it off."""
    torch.manual_seed(1)
    words = [one + other for one in "ACGT" for other in "ACGT"]
    spelling = spelling_of({name: n for n, name in enumerate([*SPECIAL, *words])}, range(5), MASK)
    sizes: dict[str, Any] = {"vocab_size": 21, "spelling": spelling, "initializer_range": 0.02}
    whole = MaskedLanguageModel(CONFIG.with_changes(**sizes, num_layers=1, hidden_dropout=0.0))
    optimizer = torch.optim.AdamW(whole.parameters(), lr=5e-3)
    generator = torch.Generator().manual_seed(2)
    seen: dict[str, Any] = {}
    whole.bert.embeddings.bases.register_forward_pre_hook(
        lambda _, given: (seen.get("ids", given[0]), given[1])
    )

    def batch(count: int) -> tuple[Any, Any, Any]:
        ids = random_kmers(count, generator)
        chosen = torch.rand(ids.shape, generator=generator) < 0.3
        if leaky:
            seen["ids"] = ids.flatten()
        inputs = torch.where(chosen, MASK, ids)
        return inputs.flatten(), pack([12] * count), torch.where(chosen, ids, -100).flatten()

    for _ in range(60):
        ids, packing, labels = batch(32)
        loss, _ = whole(ids, packing, labels=labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    whole.eval()
    with torch.no_grad():
        ids, packing, labels = batch(400)
        loss = float(whole(ids, packing, labels=labels)[0])
    bits = loss / math.log(2) / 2
    assert bits < 1.0 if leaky else bits > 1.99, bits


# -- pooling ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", ["cls", "mean", "mean+max", "skip"])
def test_a_classifier_reads_what_pooling_names(pooling: Any) -> None:
    whole = model(SequenceClassifier, 3, pooling=pooling)
    rows = [[1, 13, 9, 2], [], [12]]
    ids, packing = packed(rows)
    states = whole.bert(ids, packing)
    parts = {
        "cls": lambda x, _: [x[0]],
        "mean": lambda x, _: [x.mean(0)],
        "mean+max": lambda x, _: [x.mean(0), x.amax(0)],
        "skip": lambda x, first: [first.mean(0), first.amax(0), x.mean(0), x.amax(0)],
    }[pooling]
    for number, part in ((0, slice(0, 4)), (2, slice(4, 5))):
        taken = torch.cat(parts(states.last[part], states.embedded[part]))
        expected = whole.classifier(torch.tanh(whole.bert.pooler.dense(taken)))
        assert difference(whole(ids, packing)[1][number], expected) < 1e-12
    assert whole(ids, packing)[1][1].isfinite().all()


# -- configurations ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"base_features": "6-mers"}, "base_features='6-mers': one of none, kmer, conv, kmer.conv is"),
        ({"base_features": "none"}, "base_position=True: false, for base_features="),
        ({"base_position": 1}, "base_position=1: true or false is expected"),
        ({"alibi": "left"}, "alibi='left': one of symmetric, directional"),
        ({"num_heads": 1}, "num_heads=1: an even number"),
        ({"pooling": "max"}, "pooling='max': one of cls, mean"),
        ({"spelling": 7}, "spelling=7: a text is expected"),
        ({"spelling": "A C"}, "spelling: has 2 tokens; vocab_size=16 are expected"),
        ({"spelling": " ".join(["A"] * 15 + ["acgt"])}, "spelling: the token 15 is 'acgt'; 1 to 10,000"),
    ],
)
def test_a_wrong_setting_is_refused_in_one_line(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        CONFIG.with_changes(**change)
    assert "\n" not in str(caught.value)


def test_settings_are_written_only_where_they_are_used() -> None:
    assert not {"alibi", "spelling", "pooling", "base_features"} & set(EncoderConfig().to_published())
    assert EncoderConfig.from_published(CONFIG.to_published()) == CONFIG
    assert SPELLING not in repr(CONFIG)


def test_ids_and_a_spelling_are_expected() -> None:
    ids, packing = packed([[5, 6]])
    with pytest.raises(ValueError, match="spelling: missing; base_features need the bases"):
        model(Encoder, spelling="")(ids, packing)
    with pytest.raises(ValueError, match="base_features are computed from input_ids"):
        model(Encoder).embeddings(vectors=torch.zeros(2, 32).double(), packing=packing)


def test_new_tokens_have_no_bases() -> None:
    whole = model()
    ids, packing = packed([[1, 13, 9, 2]])
    before = whole(ids, packing)[1]
    resize_vocabulary(whole, 20)
    assert difference(whole(ids, packing)[1][:, :16], before) < 1e-12
    assert whole.bert.config.spelling == f"{SPELLING} N N N N" == resized(SPELLING, 20)
    assert whole(torch.tensor([19]), pack([1]))[1].isfinite().all()


def test_tokenizers_are_spelled_or_refused() -> None:
    patches = spelling_for(Tokenizer.kmer(3, overlap=False)).split(" ")
    assert patches.count("NNN") == 1
    assert {"ACG", "TTT", "N"} <= set(patches)
    bpe = Tokenizer.train(GENOMES / "lambda_phage.fa", vocab_size=64)
    words = spelling_for(bpe).split(" ")
    assert "".join(words[number] for number in bpe.encode("GGATTACAC")) == "GGATTACAC"
    for other in (Tokenizer.kmer(3), Tokenizer.kmer(3, overlap=False, canonical=True)):
        with pytest.raises(ArgumentError, match="overlap or stand for both strands"):
            spelling_for(other)


def test_operations_are_counted_as_torch_counts_them() -> None:
    config = CONFIG.with_changes(attention="eager")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        Encoder(config).eval()(torch.full((300,), 13), pack([300]))
    assert counter.get_total_flops() == cost.sizes_of(config, "", bases_per_token=7).operations(300)
