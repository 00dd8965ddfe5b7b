"""Which backend is taken, what is refused and why, and what flash-attn is called with where it cannot run."""

from __future__ import annotations

import functools
import sys
import types
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs torch: the extra `model`")

from genotok.model import Encoder, EncoderConfig, attention, pack, unpad  # noqa: E402
from genotok.model.attention import flash, flex  # noqa: E402

PACKED = pack([3, 5])
HOLES = unpad(torch.tensor([[1, 0, 1], [1, 1, 1]]))


class Sample:
    """Stands for a tensor on a device that is not here."""

    def __init__(self, device: str, dtype: Any = torch.bfloat16, width: int = 64) -> None:
        self.device = torch.device(device)
        self.dtype = dtype
        self.shape = (0, width)


def stand_in(monkeypatch: pytest.MonkeyPatch, with_slopes: bool = True) -> list[dict[str, Any]]:
    """Put a module in place of flash-attn that keeps what it is called with, and computes by the formula."""
    calls: list[dict[str, Any]] = []

    def recent(
        qkv: Any,
        cu_seqlens: Any,
        max_seqlen: int,
        dropout_p: float = 0.0,
        softmax_scale: float | None = None,
        causal: bool = False,
        window_size: tuple[int, int] = (-1, -1),
        softcap: float = 0.0,
        alibi_slopes: Any = None,
        deterministic: bool = False,
        return_attn_probs: bool = False,
    ) -> Any:
        calls.append(dict(locals()))
        query, key, value = qkv.float().unbind(1)
        out = torch.zeros_like(query)
        for start, end in zip(cu_seqlens.tolist(), cu_seqlens.tolist()[1:], strict=False):
            place = torch.arange(end - start)
            offset = place - place[:, None]
            left, right = (size if size >= 0 else end - start for size in window_size)
            bias = -alibi_slopes[:, None, None] * offset.abs()
            bias = bias.masked_fill((offset < -left) | (offset > right), -torch.inf)
            scores = torch.einsum("qhd,khd->hqk", query[start:end], key[start:end]) / qkv.shape[-1] ** 0.5
            out[start:end] = torch.einsum("hqk,khd->qhd", (scores + bias).softmax(-1), value[start:end])
        return out.to(qkv.dtype)

    def old(qkv: Any, cu_seqlens: Any, max_seqlen: int, dropout_p: float = 0.0, causal: bool = False) -> Any:
        raise AssertionError

    module = types.ModuleType("flash_attn")
    module.flash_attn_varlen_qkvpacked_func = recent if with_slopes else old  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "flash_attn", module)
    return calls


def without_flash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "flash_attn", None)


def chosen(sample: Sample, packing: Any = PACKED, dropout: float = 0.0) -> str:
    return attention.choose("auto", sample, packing, dropout)  # type: ignore[arg-type]


def test_auto_takes_the_first_that_can(monkeypatch: pytest.MonkeyPatch) -> None:
    without_flash(monkeypatch)
    assert chosen(Sample("cpu")) == "sdpa"
    assert chosen(Sample("cuda")) == "flex"
    assert chosen(Sample("cuda"), dropout=0.1) == "sdpa"
    assert chosen(Sample("mps")) == "sdpa"
    stand_in(monkeypatch)
    assert chosen(Sample("cuda")) == "flash"
    assert chosen(Sample("cuda", torch.float32)) == "flex"
    assert chosen(Sample("cuda"), HOLES) == "flex"
    assert chosen(Sample("cuda", width=320)) == "flex"
    assert chosen(Sample("cpu")) == "sdpa"
    stand_in(monkeypatch, with_slopes=False)
    assert chosen(Sample("cuda")) == "flex"


@torch.no_grad()
def test_a_compiled_encoder_takes_batches_of_any_lengths() -> None:
    sizes = EncoderConfig(vocab_size=32, hidden_size=16, num_heads=2, num_layers=1, intermediate_size=16)
    encoder = Encoder(sizes).eval()
    compiled = torch.compile(encoder, backend="eager")
    for lengths in ([5, 7], [9, 3, 4], [20], [6, 6]):
        ids = torch.randint(5, 32, (sum(lengths),))
        found = compiled(ids, pack(lengths)).last
        assert torch.allclose(found, encoder(ids, pack(lengths)).last, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "sample", "packing", "message"),
    [
        ("flash", Sample("cpu"), PACKED, "needs a CUDA device; the input is on cpu"),
        ("flash", Sample("cuda", torch.float32), PACKED, "float16 or bfloat16"),
        ("flash", Sample("cuda"), HOLES, "mask with holes"),
        ("flash", Sample("cuda", width=320), PACKED, "up to 256 wide; they are 320"),
        ("flex", Sample("cpu"), PACKED, "needs a CUDA device; the input is on cpu"),
        ("flex", Sample("cuda", torch.float64), PACKED, "32 bits or fewer"),
    ],
)
def test_what_cannot_be_done_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: Any, sample: Any, packing: Any, message: str
) -> None:
    stand_in(monkeypatch)
    with pytest.raises(ValueError, match=message):
        attention.choose(name, sample, packing)


def test_a_backend_that_is_missing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    without_flash(monkeypatch)
    encoder = Encoder(EncoderConfig.preset("tiny-1m", attention="flash"))
    with pytest.raises(ValueError, match=r'attention="flash" needs the package flash-attn, 2\.4 or newer'):
        encoder(torch.tensor([1, 2]), pack([2]))


def test_flash_is_called_with_what_its_interface_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = stand_in(monkeypatch)
    monkeypatch.setattr(flash, "why_unsupported", lambda *_: None)
    torch.manual_seed(0)
    encoder = Encoder(EncoderConfig.preset("tiny-1m", attention="flash")).to(torch.bfloat16).eval()
    ids, packing = torch.randint(5, 99, (8,)), pack([3, 0, 5])
    found = encoder(ids, packing).last
    assert len(calls) == encoder.config.num_layers
    for call in calls:
        assert call["qkv"].shape == (8, 3, 2, 64)
        assert call["qkv"].dtype == torch.bfloat16
        assert call["cu_seqlens"].dtype == torch.int32
        assert call["cu_seqlens"].tolist() == [0, 3, 3, 8]
        assert call["max_seqlen"] == 5
        assert type(call["max_seqlen"]) is int
        assert call["causal"] is False
        assert call["softmax_scale"] is None
        assert call["dropout_p"] == 0
        assert call["alibi_slopes"].dtype == torch.float32
        assert call["alibi_slopes"].tolist() == [2**-4, 2**-8]
    encoder.encoder.config = encoder.config.with_changes(attention="sdpa")
    assert (found - encoder(ids, packing).last).abs().max() < 0.1


def test_directional_heads_are_two_windows_of_flash(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = stand_in(monkeypatch)
    monkeypatch.setattr(flash, "why_unsupported", lambda *_: None)
    torch.manual_seed(0)
    settings: dict[str, Any] = {"num_heads": 8, "alibi": "directional", "initializer_range": 0.1}
    encoder = Encoder(EncoderConfig.preset("tiny-1m", attention="flash", **settings)).eval()
    ids, packing = torch.randint(5, 99, (8,)), pack([3, 0, 5])
    with torch.no_grad():
        found = encoder(ids, packing).last
        encoder.encoder.config = encoder.config.with_changes(attention="eager")
        assert (found - encoder(ids, packing).last).abs().max() < 1e-5
    assert [call["window_size"] for call in calls] == [(-1, 0), (0, -1)] * 2
    for call in calls:
        assert call["qkv"].shape == (8, 3, 4, 16)
        assert call["alibi_slopes"].tolist() == [2**-2, 2**-4, 2**-6, 2**-8]
        assert call["causal"] is False


@pytest.mark.parametrize("lengths", [[1], [130], [100, 0, 300, 1, 5, 128], [128] * 3, [1] * 300])
def test_the_block_mask_of_flex_covers_what_it_must(lengths: list[int]) -> None:
    packing = pack(lengths)
    mask = flex.blocks(packing)
    owner = packing.sequence_of_token
    touched = torch.zeros(-(-len(packing) // flex.BLOCK), -(-len(packing) // flex.BLOCK), dtype=torch.bool)
    for query in range(len(touched)):
        used = mask.kv_indices[0, 0, query, : mask.kv_num_blocks[0, 0, query]]
        assert len(set(used.tolist())) == len(used)
        touched[query, used.long()] = True
    pairs = owner[:, None] == owner[None, :]
    for query, key in pairs.nonzero().tolist():
        assert touched[query // flex.BLOCK, key // flex.BLOCK]


@pytest.mark.slow
def test_flex_may_be_compiled_more_often_than_torch_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    """After eight programs torch would go on uncompiled, or refuse; here are twelve."""
    monkeypatch.setattr(flex, "flex_attention", lambda: lambda query: query + 1)
    monkeypatch.setattr(flex, "_program", functools.cache(flex._program.__wrapped__))
    # Programs are counted before a compiler translates them.
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="eager"))
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    kinds = (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int32, torch.int64)
    for dtype in kinds:
        for with_gradients in (False, True):
            with torch.set_grad_enabled(with_gradients):
                assert flex._compiled(torch.ones(7, dtype=dtype)).tolist() == [2] * 7
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 2 * len(kinds)
