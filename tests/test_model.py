"""The encoder computes what the published code computes, padded or not, with every backend that runs here."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import published_encoder

torch = pytest.importorskip("torch", reason="needs torch: the extra `model`")

from genotok.model import (  # noqa: E402
    PRESETS,
    Encoder,
    EncoderConfig,
    MaskedLanguageModel,
    SequenceClassifier,
    TokenClassifier,
    alibi,
    pack,
    pool,
    unpad,
)
from tests.support.encoder_cases import check_case, difference, own_case, shared_case  # noqa: E402

BACKENDS = ["eager", "sdpa"]
TINY = EncoderConfig(vocab_size=32, hidden_size=48, num_layers=2, num_heads=6, intermediate_size=40)

torch.set_num_threads(1)  # two have too little to do in such small products, and wait for each other


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_outputs_of_the_published_code_are_met(backend: str, dtype: Any) -> None:
    case = own_case()
    outputs = {k: v.to(dtype) if v.is_floating_point() else v for k, v in case[2].items()}
    check_case((case[0], case[1], outputs), backend, dtype)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("name", ["h4_rightpad", "h12_rightpad", "h4_long"])
def test_recorded_cases_are_met(shared: Path, name: str, dtype: Any, backend: str) -> None:
    check_case(shared_case(shared / "parity", name, dtype), backend, dtype)


def test_slopes_are_the_published_ones(shared: Path) -> None:
    recorded = json.loads((shared / "parity" / "alibi_slopes.json").read_text())
    for heads, expected in recorded.items():
        assert alibi.slopes(int(heads)).tolist() == expected


def test_the_published_size_is_met() -> None:
    with torch.device("meta"):
        model = MaskedLanguageModel(EncoderConfig.preset("dnabert2-117m"))
        classifier = SequenceClassifier(EncoderConfig(), 2)
    assert sum(parameter.numel() for parameter in model.parameters()) == 117_074_176
    assert sum(parameter.numel() for parameter in classifier.bert.pooler.parameters()) == 590_592


# -- masks of any form ------------------------------------------------------------------------------

MASKS = st.lists(st.lists(st.integers(0, 1), min_size=9, max_size=9), min_size=1, max_size=4)
LEFT, HOLES, EMPTY = [0] * 4 + [1] * 5, [1, 0, 0, 1, 1, 0, 1, 1, 0], [0] * 9


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile:UserWarning")
def test_flex_agrees_uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """On CPUs torch compiles FlexAttention neither with gradients nor for varying lengths."""
    from torch.nn.attention.flex_attention import flex_attention

    from genotok.model.attention import flex

    monkeypatch.setattr(flex, "why_unsupported", lambda *_: None)
    monkeypatch.setattr(flex, "_compiled", flex_attention)
    for rows in ([LEFT, EMPTY, HOLES, [1] * 9], [EMPTY]):
        check_mask(rows, "flex")
    model, _ = model_and_weights("flex")
    packing = pack([100, 0, 170, 1])
    ids = torch.randint(5, 32, (271,))
    with torch.no_grad():
        found = model(ids, packing)[1]
        model.bert.encoder.config = TINY.with_changes(attention="eager")
        assert difference(found, model(ids, packing)[1]) < 1e-10


def model_and_weights(backend: Any = "sdpa") -> tuple[Any, dict[str, Any]]:
    """A model with weights large enough that attention is not flat."""
    torch.manual_seed(5)
    model = MaskedLanguageModel(TINY.with_changes(attention=backend, initializer_range=0.3)).double().eval()
    return model, {name: value.numpy() for name, value in model.state_dict().items()}


def inputs(mask: Any) -> tuple[Any, Any]:
    """Ids and segments for a mask (B, S), seeded."""
    generator = torch.Generator().manual_seed(3)
    return torch.randint(0, 32, mask.shape, generator=generator), torch.randint(
        0, 2, mask.shape, generator=generator
    )


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("rows", [[LEFT], [HOLES], [EMPTY], [[1] * 9], [LEFT, EMPTY, HOLES, [1] * 9]])
def test_any_mask_means_what_it_means_in_the_published_code(rows: list[list[int]], backend: str) -> None:
    check_mask(rows, backend)


@settings(max_examples=25)
@given(MASKS)
def test_masks_drawn_at_random_too(rows: list[list[int]]) -> None:
    check_mask(rows, "sdpa")
    check_mask(rows, "eager")


def check_mask(rows: list[list[int]], backend: str) -> None:
    model, weights = model_and_weights(backend)
    mask = torch.tensor(rows)
    ids, types = inputs(mask)
    packing = unpad(mask)
    with torch.no_grad():
        states = model.bert(packing.take(ids), packing, packing.take(types), output_hidden_states=True)
    for number in range(len(rows)):
        expected = published_encoder.encode(
            weights, 6, ids[number].numpy(), mask[number].numpy(), types[number].numpy()
        )
        for found, state in zip(states.hidden_states, expected.states, strict=True):
            assert np.abs(packing.pad(found)[number].numpy() - state).max() < 1e-10


@pytest.mark.parametrize("lengths", [[5], [3, 3, 3], [1, 7, 7, 2, 0, 4], [0, 0], [0, 6, 0]])
def test_padded_equals_packed_equals_one_by_one(lengths: list[int]) -> None:
    model, _ = model_and_weights()
    padded = torch.zeros(len(lengths), 9, dtype=torch.long)
    for number, length in enumerate(lengths):
        padded[number, :length] = 1
    ids, _ = inputs(padded)
    packing = unpad(padded)
    row = packing.take(ids)
    with torch.no_grad():
        from_padded = model(row, packing)[1]
        from_packed = model(row, pack(lengths))[1]
        alone = [model(part, pack([len(part)]))[1] for part in row.split(lengths) if len(part)]
    assert difference(from_padded, from_packed) == 0
    if alone:
        assert difference(from_padded, torch.cat(alone)) < 1e-12


def test_padding_is_never_attended_to_however_far() -> None:
    """The published code subtracts 10,000 for a masked token, and 14,143 steps of the steepest slope."""
    model, _ = model_and_weights()
    length = 15_000
    ids = torch.randint(5, 32, (1, length), generator=torch.Generator().manual_seed(1))
    mask = torch.zeros(1, length, dtype=torch.long)
    mask[0, [0, length - 1]] = 1
    far = unpad(mask)
    with torch.no_grad():
        found = model(far.take(ids), far)[1]
        ids[mask == 0] = 7
        assert torch.equal(found, model(far.take(ids), far)[1])
        alone = [model(ids[0, [place]], pack([1]))[1] for place in (0, length - 1)]
    assert difference(found, torch.cat(alone)) < 1e-12  # so far apart that each token sees itself alone


def test_long_rows_with_holes_are_cut_into_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    from genotok.model.attention import sdpa

    model, _ = model_and_weights()
    mask = torch.ones(2, 90, dtype=torch.long)
    mask[0, 30:40] = 0
    ids, _ = inputs(mask)
    packing = unpad(mask)

    def gradients() -> tuple[Any, list[Any]]:
        model.zero_grad()
        scores = model(packing.take(ids), packing)[1]
        scores.square().sum().backward()
        return scores, [parameter.grad.clone() for parameter in model.parameters()]

    scores, whole = gradients()
    monkeypatch.setattr(sdpa, "MAX_SLICE", 1)
    in_blocks, parts = gradients()
    assert difference(scores, in_blocks) < 1e-10
    for left, right in zip(whole, parts, strict=True):
        assert difference(left, right) < 1e-8


def test_nothing_is_as_large_as_the_square_of_the_length() -> None:
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    class Largest(TorchDispatchMode):  # type: ignore[misc]
        """Keeps the size of the largest memory that any operation gives."""

        num_bytes = 0

        def __torch_dispatch__(self, operation: Any, _: Any, arguments: Any = (), options: Any = None) -> Any:
            found = operation(*arguments, **(options or {}))
            sizes = (x.untyped_storage().nbytes() for x in tree_leaves(found) if isinstance(x, torch.Tensor))
            self.num_bytes = max(self.num_bytes, *sizes, 0)
            return found

    model = MaskedLanguageModel(TINY)
    length = 4000
    ids = torch.randint(5, 32, (length,), generator=torch.Generator().manual_seed(1))
    with Largest() as largest:
        model(ids, pack([length]), labels=ids)[0].backward()
    assert 0 < largest.num_bytes < length * length


# -- heads ------------------------------------------------------------------------------------------


def test_pooling() -> None:
    rows = torch.arange(12, dtype=torch.float64).view(6, 2)
    packing = pack([2, 0, 4])
    assert pool(rows, packing, "mean").tolist() == [[1, 2], [0, 0], [7, 8]]
    assert pool(rows, packing, "cls").tolist() == [[0, 1], [0, 0], [4, 5]]


def test_the_loss_counts_labels_above_zero_only() -> None:
    model, _ = model_and_weights()
    ids = torch.tensor([1, 9, 8, 2])
    labels = torch.tensor([-100, 7, 0, -100])
    loss, scores = model(ids, pack([4]), labels=labels)
    assert scores.shape == (1, 32)
    assert abs(loss - torch.nn.functional.cross_entropy(model(ids, pack([4]))[1][[1]], labels[[1]])) < 1e-12
    nothing, scores = model(ids, pack([4]), labels=torch.full((4,), -100))
    assert nothing == 0
    assert scores.shape == (0, 32)
    nothing.backward()


def test_losses_by_the_kind_of_labels() -> None:
    ids, packing = torch.tensor([1, 9, 2, 1, 8, 2]), pack([3, 3])
    number = SequenceClassifier(TINY, 1)(ids, packing, labels=torch.tensor([0.5, 2.0]))
    several = SequenceClassifier(TINY, 3)(ids, packing, labels=torch.tensor([[0.0, 1, 1], [1, 0, 0]]))
    single = SequenceClassifier(TINY, 3)(ids, packing, labels=torch.tensor([0, 2]))
    tokens = TokenClassifier(TINY, 4)(ids, packing, labels=torch.tensor([-100, 3, -100, -100, 1, -100]))
    for loss, _ in (number, several, single, tokens):
        assert loss.dim() == 0
        loss.backward()
    assert tokens[1].shape == (6, 4)
    with pytest.raises(ValueError, match="num_labels=0"):
        SequenceClassifier(TINY, 0)


# -- ways of computing ------------------------------------------------------------------------------


def example(dtype: Any = torch.float32) -> tuple[Any, Any, Any]:
    torch.manual_seed(0)
    model = MaskedLanguageModel(TINY.with_changes(hidden_dropout=0.0)).to(dtype)
    lengths = [3, 7, 7, 12]
    return model, torch.randint(5, 32, (sum(lengths),)), pack(lengths)


def test_autocast_and_sixteen_bit_weights() -> None:
    model, ids, packing = example()
    expected = model(ids, packing)[1]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss, _ = model(ids, packing, labels=ids)
    loss.backward()
    assert all(parameter.grad is not None for parameter in model.parameters() if parameter.dim() > 1)
    for dtype, tolerance in ((torch.bfloat16, 0.02), (torch.float16, 0.003)):
        found = example(dtype)[0](ids, packing)[1]
        assert found.dtype == dtype
        assert difference(found.float(), expected) < tolerance


def test_gradient_checkpointing_changes_nothing() -> None:
    model, ids, packing = example(torch.float64)
    results = []
    for checkpointing in (False, True):
        model.zero_grad()
        model.bert.encoder.gradient_checkpointing = checkpointing
        loss, _ = model(ids, packing, labels=ids)
        loss.backward()
        results.append([loss.detach(), *(parameter.grad.clone() for parameter in model.parameters())])
    for left, right in zip(*results, strict=True):
        assert difference(left, right) < 1e-12


# torch's compiler looks at the gradients of whatever it is given, tensors that have none included.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")
def test_layers_compile_without_a_break() -> None:
    model, ids, packing = example()
    expected = model(ids, packing, labels=ids)[0]
    expected.backward()
    gradient = model.bert.encoder.layer[0].attention.self.Wqkv.weight.grad.clone()
    model.zero_grad()
    torch._dynamo.reset()
    model.bert.compile_layers()
    counted = torch._dynamo.utils.counters
    counted.clear()
    loss, _ = model(ids, packing, labels=ids)
    loss.backward()
    assert difference(loss, expected) < 1e-5
    assert difference(model.bert.encoder.layer[0].attention.self.Wqkv.weight.grad, gradient) < 1e-5
    for lengths in ([5, 9, 2], [30], [4] * 6, [1, 2, 3, 4, 5, 6, 7]):
        again, _ = model(ids.repeat(3)[: sum(lengths)], pack(lengths), labels=ids.repeat(3)[: sum(lengths)])
        again.backward()
    assert not counted["graph_break"]
    assert counted["stats"]["unique_graphs"] <= 3


def test_dropout_happens_in_training_only() -> None:
    config = TINY.with_changes(hidden_dropout=0.2, attention_dropout=0.2)
    model = MaskedLanguageModel(config)
    ids, packing = torch.tensor([1, 9, 8, 2]), pack([4])
    assert difference(model(ids, packing)[1], model(ids, packing)[1]) > 0
    model.eval()
    assert difference(model(ids, packing)[1], model(ids, packing)[1]) == 0


def test_the_choice_of_a_backend_is_told_once_and_kept(caplog: pytest.LogCaptureFixture) -> None:
    from genotok.model import attention

    attention._tell.cache_clear()
    model, ids, packing = example()
    with caplog.at_level(logging.INFO, logger="genotok.model.attention"):
        model(ids, packing)
        model(ids, packing)
    assert [record.getMessage() for record in caplog.records] == ["attention: sdpa on cpu in float32"]
    assert model.bert.encoder.backend == "sdpa"


# -- configuration ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_layers": -1}, "num_layers=-1: a whole number of at least 0"),
        ({"num_heads": 0}, "num_heads=0: a whole number of at least 1"),
        ({"hidden_size": 100}, "hidden_size=100: a multiple of num_heads=12"),
        ({"hidden_dropout": 1.0}, "hidden_dropout=1.0: a share"),
        ({"attention": "fast"}, "attention='fast': one of auto, eager"),
        ({"layer_norm_eps": float("nan")}, "layer_norm_eps=nan"),
    ],
)
def test_a_wrong_setting_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EncoderConfig(**change)


def test_presets_and_published_settings() -> None:
    assert EncoderConfig.preset("dnabert2-117m") == EncoderConfig()
    for name in PRESETS:
        config = EncoderConfig.preset(name, vocab_size=64)
        assert EncoderConfig.from_published(config.to_published()) == config
    with pytest.raises(ValueError, match="preset='large': one of dnabert2-117m"):
        EncoderConfig.preset("large")
    with pytest.raises(ValueError, match="hidden_act='relu'"):
        EncoderConfig.from_published({"hidden_act": "relu"})


def test_ids_or_vectors_are_expected() -> None:
    encoder = Encoder(TINY)
    with pytest.raises(ValueError, match="either token ids or vectors"):
        encoder.embeddings()
    with pytest.raises(ValueError, match="attention_mask of shape"):
        unpad(torch.ones(3))
