"""On a CUDA device: every backend gives what the published code gives, forward and backward, compiled too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs torch: the extra `model`")

from genotok.model import EncoderConfig, MaskedLanguageModel, attention, pack, unpad  # noqa: E402
from tests.support import encoder_cases as cases  # noqa: E402

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

EXACT = ["eager", "sdpa", "flex"]
SMALL = EncoderConfig(
    vocab_size=64, hidden_size=128, num_layers=2, num_heads=2, intermediate_size=96, initializer_range=0.2
).with_changes(hidden_dropout=0.0)
LENGTHS = [20, 0, 500, 7, 13, 128, 1]


def skip_without(backend: Any, dtype: Any) -> None:
    """Skip a backend that this machine has not."""
    try:
        sample = torch.empty(0, SMALL.head_size, device="cuda", dtype=dtype)
        attention.choose(backend, sample, pack([3], "cuda"))
    except ValueError as error:
        pytest.skip(str(error))


def to_cuda(case: cases.Case) -> cases.Case:
    """The same case on the device."""
    config, weights, outputs = case
    return config, weights, {name: value.cuda() for name, value in outputs.items()}


def check_case(case: cases.Case, backend: Any, dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare all that a case has recorded, with the model on the device."""
    load = cases.loaded
    # A device adds up in an order of its own: the gradients' last digits are not those of the recording.
    monkeypatch.setitem(cases.GRADIENTS, torch.float32, 5e-5)
    monkeypatch.setattr(cases, "loaded", lambda *arguments: load(*arguments).cuda())
    with torch.device("cuda"):
        cases.check_case(to_cuda(case), backend, dtype)


@pytest.mark.parametrize("backend", EXACT)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_outputs_of_the_published_code_are_met(
    backend: str, dtype: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_without(backend, dtype)
    config, weights, outputs = cases.own_case()
    outputs = {k: v.to(dtype) if v.is_floating_point() else v for k, v in outputs.items()}
    check_case((config, weights, outputs), backend, dtype, monkeypatch)


@pytest.mark.parametrize("backend", EXACT)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("name", ["h4_rightpad", "h12_rightpad", "h4_long"])
def test_recorded_cases_are_met(
    shared: Path, name: str, dtype: Any, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_without(backend, dtype)
    check_case(cases.shared_case(shared / "parity", name, dtype), backend, dtype, monkeypatch)


def results(model: Any, ids: Any, packing: Any, backend: Any, autocast: Any = None) -> list[Any]:
    """Loss, scores and all gradients with a backend."""
    model.zero_grad()
    model.bert.encoder.config = model.bert.encoder.config.with_changes(attention=backend)
    with torch.autocast("cuda", dtype=autocast, enabled=autocast is not None):
        loss, scores = model(ids, packing, labels=ids)
    loss.backward()
    assert model.bert.encoder.backend == backend
    gradients = [parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None]
    return [loss.detach(), scores.detach(), *gradients]


def apart(left: list[Any], right: list[Any]) -> float:
    """The largest difference, in units of the largest number of its tensor."""
    return max(
        float((one.float() - other.float()).abs().max() / other.float().abs().max().clamp(min=1e-3))
        for one, other in zip(left, right, strict=True)
    )


def example() -> tuple[Any, Any, Any]:
    torch.manual_seed(0)
    model = MaskedLanguageModel(SMALL).cuda()
    return model, torch.randint(5, 64, (sum(LENGTHS),), device="cuda"), pack(LENGTHS, "cuda")


@pytest.mark.parametrize("backend", ["sdpa", "flex"])
def test_gradients_agree_with_the_formula(backend: Any) -> None:
    model, ids, packing = example()
    expected = results(model, ids, packing, "eager")
    assert apart(results(model, ids, packing, backend), expected) < 1e-4


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("backend", ["sdpa", "flex", "flash"])
def test_in_16_bits_no_backend_is_further_off_than_the_formula(backend: Any, dtype: Any) -> None:
    skip_without(backend, dtype)
    model, ids, packing = example()
    exact = results(model, ids, packing, "eager")
    by_formula = apart(results(model, ids, packing, "eager", dtype), exact)
    assert apart(results(model, ids, packing, backend, dtype), exact) < 2 * by_formula


@pytest.mark.parametrize("backend", ["sdpa", "flex"])
def test_holes_and_left_padding_keep_their_distances(backend: Any) -> None:
    model, _, _ = example()
    mask = torch.ones(5, 300, dtype=torch.long, device="cuda")
    mask[0, 40:90], mask[1, :120], mask[2, 200:], mask[3] = 0, 0, 0, 0
    packing = unpad(mask)
    ids = packing.take(torch.randint(5, 64, mask.shape, device="cuda"))
    expected = results(model, ids, packing, "eager")
    assert apart(results(model, ids, packing, backend), expected) < 1e-4


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("backend", ["sdpa", "flex", "flash"])
def test_weights_in_16_bits(backend: Any, dtype: Any) -> None:
    skip_without(backend, dtype)
    model, ids, packing = example()
    with torch.no_grad():
        exact = model(ids, packing)[1]
        model = model.to(dtype)
        scores = {}
        for name in ("eager", backend):
            model.bert.encoder.config = SMALL.with_changes(attention=name)
            scores[name] = model(ids, packing)[1]
    assert scores[backend].dtype == dtype
    assert apart([scores[backend]], [exact]) < 2 * apart([scores["eager"]], [exact])


@pytest.mark.parametrize("backend", ["sdpa", "flex", "flash"])
def test_compiled_layers_agree_without_a_break(backend: Any) -> None:
    skip_without(backend, torch.bfloat16)
    model, ids, packing = example()
    plain = results(model, ids, packing, backend, torch.bfloat16)
    torch._dynamo.reset()
    model.bert.compile_layers()
    counted = torch._dynamo.utils.counters
    counted.clear()
    assert apart(results(model, ids, packing, backend, torch.bfloat16), plain) < 0.1
    for lengths in ([50, 9, 2], [300], [40] * 6, [1, 2, 3, 4, 5, 6, 7]):
        results(model, ids[: sum(lengths)], pack(lengths, "cuda"), backend, torch.bfloat16)
    assert not counted["graph_break"]
    assert counted["stats"]["unique_graphs"] <= 4


@pytest.mark.slow
def test_flex_stays_compiled_however_batches_change() -> None:
    """Torch would go on uncompiled after eight programs, with all scores in memory."""
    model, ids, _ = example()
    for dtype in (None, torch.bfloat16, torch.float16):
        for lengths in ([50], LENGTHS):
            part = pack(lengths, "cuda")
            results(model, ids[: len(part)], part, "flex", dtype)
            with torch.no_grad(), torch.autocast("cuda", dtype=dtype, enabled=dtype is not None):
                model(ids[: len(part)], part)
    length = 30_000
    torch.cuda.reset_peak_memory_stats()
    results(model, torch.randint(5, 64, (length,), device="cuda"), pack([length], "cuda"), "flex")
    assert torch.cuda.max_memory_allocated() < length * length


@pytest.mark.parametrize("backend", ["sdpa", "flex", "flash"])
def test_memory_is_linear_in_the_length(backend: Any) -> None:
    skip_without(backend, torch.bfloat16)
    model, _, _ = example()
    peaks = []
    for length in (20_000, 40_000):
        ids = torch.randint(5, 64, (length,), device="cuda")
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        results(model, ids, pack([length], "cuda"), backend, torch.bfloat16)
        peaks.append(torch.cuda.max_memory_allocated() - before)
    assert peaks[1] < 2.5 * peaks[0]


def test_auto_takes_the_fastest_there_is() -> None:
    model, ids, packing = example()
    model(ids, packing)
    assert model.bert.encoder.backend == "flex"
    with torch.autocast("cuda", dtype=torch.bfloat16):
        model(ids, packing)
    assert model.bert.encoder.backend == ("flash" if attention.flash.kernel() else "flex")
