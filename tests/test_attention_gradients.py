"""The backward pass of long sequences on CPUs, compared with that of the formula."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs torch: the extra `model`")

from genotok.model import alibi, pack  # noqa: E402
from genotok.model.attention import attend, gradients, prepare  # noqa: E402

HEADS, WIDTH = 12, 16


def pulled_back(backend: str, qkv: torch.Tensor, lengths: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """What attention gives, and the gradient of something that weighs each number of it differently."""
    leaf = qkv.clone().requires_grad_()
    out = attend(leaf, prepare(backend, HEADS, pack(lengths), qkv.dtype))
    weights = torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view_as(out)
    (out * weights).sum().backward()
    return out.detach(), leaf.grad


@pytest.mark.parametrize("numbers", [1, 3000, 50_000, 1 << 17])
@pytest.mark.parametrize("lengths", [[129], [200, 200, 7], [400]])
@pytest.mark.parametrize(("dtype", "close"), [(torch.float32, 2e-6), (torch.float64, 1e-14)])
def test_blocks_of_any_size_give_the_gradient_of_the_formula(
    monkeypatch: pytest.MonkeyPatch, numbers: int, lengths: list[int], dtype: torch.dtype, close: float
) -> None:
    monkeypatch.setattr(gradients, "NUMBERS_PER_THREAD", numbers)
    monkeypatch.setattr(gradients, "ROWS", 16)
    generator = torch.Generator().manual_seed(sum(lengths))
    qkv = torch.randn(sum(lengths), 3, HEADS, WIDTH, generator=generator, dtype=torch.float64).to(dtype)
    out, gradient = pulled_back("sdpa", qkv, lengths)
    formula, expected = pulled_back("eager", qkv, lengths)
    torch.testing.assert_close(out, formula, rtol=0, atol=close)
    torch.testing.assert_close(gradient, expected, rtol=0, atol=close * float(expected.abs().max()))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_16_bit_numbers_are_widened_before_they_are_added(dtype: torch.dtype) -> None:
    qkv = torch.randn(300, 3, HEADS, WIDTH, generator=torch.Generator().manual_seed(3)).to(dtype)
    gradient = pulled_back("sdpa", qkv, [300])[1]
    expected = pulled_back("eager", qkv.double(), [300])[1]
    assert gradient.dtype == dtype
    worst = float((gradient.double() - expected).abs().max() / expected.abs().max())
    assert worst < 2 * torch.finfo(dtype).eps


def test_no_subnormal_weight_reaches_a_product() -> None:
    mask = alibi.toeplitz(alibi.slopes(HEADS), 400, torch.float32)
    query, key = torch.randn(2, 1, HEADS, 400, WIDTH, generator=torch.Generator().manual_seed(5))
    value = torch.eye(400)[:, :WIDTH].expand(1, HEADS, -1, -1).clone().requires_grad_()
    gathered = gradients.attend(query, key, value, mask)
    gathered[:, :, 0].sum().backward()  # the gradient of a value is then the weight of its token
    assert value.grad is not None
    weights = value.grad[value.grad != 0]
    assert float(weights.min()) >= gradients.NEGLIGIBLE
    assert len(weights) < value.grad.numel()


def test_the_gradient_holds_where_scores_are_far_apart() -> None:
    qkv = 30 * torch.randn(150, 3, HEADS, WIDTH, generator=torch.Generator().manual_seed(7)).double()
    torch.testing.assert_close(pulled_back("sdpa", qkv, [150])[1], pulled_back("eager", qkv, [150])[1])


def test_batches_with_few_numbers_a_head_are_cut_once_each() -> None:
    for heads, length in ((1, 129), (12, 130), (12, 100_000), (16, 513)):
        seen = list(gradients._blocks(heads, length))
        assert sum((min(h.stop, heads) - h.start) * (min(r.stop, length) - r.start) for h, r in seen) == (
            heads * length
        )
