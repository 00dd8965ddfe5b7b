"""Directional ALiBi: what each head sees, that every backend agrees, and that left is told from right."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs torch: the extra `model`")

from torch.nn.attention.flex_attention import flex_attention  # noqa: E402

from genotok.model import Encoder, EncoderConfig, MaskedLanguageModel, alibi, pack, unpad  # noqa: E402
from genotok.model.attention import attend, flex, prepare, sdpa  # noqa: E402
from tests.support.encoder_cases import difference  # noqa: E402

torch.set_num_threads(1)

TINY = EncoderConfig(
    vocab_size=32,
    hidden_size=48,
    num_layers=2,
    num_heads=6,
    intermediate_size=40,
    initializer_range=0.3,
    alibi="directional",
)
LENGTHS = [5, 0, 700, 140, 140, 1]


def model(**changes: Any) -> Any:
    torch.manual_seed(5)
    return MaskedLanguageModel(TINY.with_changes(**changes)).double().eval()


def tokens(number: int) -> Any:
    return torch.randint(5, 32, (number,), generator=torch.Generator().manual_seed(2))


def test_each_head_has_slopes_on_one_side() -> None:
    slopes = alibi.slopes(8, directional=True)
    assert slopes.tolist() == [2.0 ** -(2 * k) for k in (1, 2, 3, 4)] * 2
    place = torch.arange(5)
    found = alibi.bias(slopes, place, place, torch.float32, directional=True)
    infinity = float("inf")
    assert found[0, 2].tolist() == [-0.5, -0.25, 0, -infinity, -infinity]
    assert found[4, 2].tolist() == [-infinity, -infinity, 0, -0.25, -0.5]
    view = alibi.toeplitz(slopes, 5, torch.float32, directional=True)
    assert torch.equal(view[0].flip(1), found)


def test_attention_weights_of_the_other_side_are_zero() -> None:
    encoder = model().bert
    states = encoder(tokens(9), pack([9]), output_attentions=True)
    for (weights,) in states.attentions:
        assert not weights[:3].triu(1).any()
        assert not weights[3:].tril(-1).any()
        assert weights[:3].tril(-1).any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_backends_agree_forward_and_backward(dtype: Any) -> None:
    """Also where all keys of a kernel's first block are on the other side, of 700 tokens."""
    packing = pack(LENGTHS)
    qkv = torch.randn(len(packing), 3, 6, 8, generator=torch.Generator().manual_seed(1), dtype=dtype)
    results = []
    for backend in ("eager", "sdpa"):
        leaf = qkv.clone().requires_grad_()
        out = attend(leaf, prepare(backend, 6, packing, dtype, directional=True))
        (out * torch.linspace(-1, 1, out.numel(), dtype=dtype).view_as(out)).sum().backward()
        results.append((out, leaf.grad))
    for left, right in zip(*results, strict=True):
        assert difference(left, right) < (1e-4 if dtype == torch.float32 else 1e-12)


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile:UserWarning")
def test_flex_agrees_uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flex, "why_unsupported", lambda *_: None)
    monkeypatch.setattr(flex, "_compiled", flex_attention)
    whole = model(attention="flex")
    holes = unpad(torch.tensor([[1, 0, 0, 1, 1, 0, 1, 1, 0], [0] * 4 + [1] * 5]))
    for packing in (pack([100, 0, 170, 1]), holes):
        ids = tokens(len(packing))
        with torch.no_grad():
            whole.bert.encoder.config = TINY.with_changes(attention="flex")
            found = whole(ids, packing)[1]
            for other in ("eager", "sdpa"):
                whole.bert.encoder.config = TINY.with_changes(attention=other)
                assert difference(found, whole(ids, packing)[1]) < 1e-10


def test_holes_are_cut_into_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    mask = torch.ones(2, 90, dtype=torch.long)
    mask[0, 30:40] = 0
    packing = unpad(mask)
    ids = tokens(len(packing))
    monkeypatch.setattr(sdpa, "MAX_SLICE", 1)
    assert difference(model()(ids, packing)[1], model(attention="eager")(ids, packing)[1]) < 1e-10


def test_packed_equals_one_by_one() -> None:
    lengths = [5, 7, 7, 0, 200]
    ids = tokens(sum(lengths))
    alone = [model()(part, pack([len(part)]))[1] for part in ids.split(lengths) if len(part)]
    assert difference(model()(ids, pack(lengths))[1], torch.cat(alone)) < 1e-12


def test_left_is_told_from_right() -> None:
    """A symmetric encoder gives a reversed sequence the reversed vectors; a directional one does not."""
    ids = tokens(12)
    for form, is_blind in (("symmetric", True), ("directional", False)):
        encoder = model(alibi=form).bert
        forward, backward = (encoder(each, pack([12])).last for each in (ids, ids.flip(0)))
        assert (difference(forward, backward.flip(0)) < 1e-10) is is_blind


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")
def test_layers_compile_without_a_break() -> None:
    torch.manual_seed(0)
    whole = MaskedLanguageModel(TINY.with_changes(hidden_dropout=0.0, initializer_range=0.05))
    ids, packing = tokens(29), pack([3, 7, 7, 12])
    expected = whole(ids, packing, labels=ids)[0]
    expected.backward()
    gradient = whole.bert.encoder.layer[0].attention.self.Wqkv.weight.grad.clone()
    whole.zero_grad()
    torch._dynamo.reset()
    whole.bert.compile_layers()
    torch._dynamo.utils.counters.clear()
    loss, _ = whole(ids, packing, labels=ids)
    loss.backward()
    assert difference(loss, expected) < 1e-5
    assert difference(whole.bert.encoder.layer[0].attention.self.Wqkv.weight.grad, gradient) < 1e-5
    assert not torch._dynamo.utils.counters["graph_break"]


def test_an_odd_number_of_heads_has_no_halves() -> None:
    with pytest.raises(ValueError, match="num_heads=3: an even number"):
        Encoder(TINY.with_changes(num_heads=3))
