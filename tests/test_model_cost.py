"""What `genotok info --model` counts is what the models hold."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs torch: the extra `model`")

from genotok.model import PRESETS, EncoderConfig, MaskedLanguageModel, cost  # noqa: E402


def genotok(*arguments: str) -> Any:
    return subprocess.run(
        [sys.executable, "-m", "genotok", *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", PRESETS)
def test_parameters_are_counted_as_they_are(name: str) -> None:
    config = EncoderConfig.preset(name)
    with torch.device("meta"):
        model = MaskedLanguageModel(config)
    counted = cost.sizes_of(config, name)
    assert counted.parameters() == sum(parameter.numel() for parameter in model.parameters())
    assert cost.weight_bytes(config) == 4 * counted.parameters()


def test_operations_are_counted_as_torch_counts_them() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    from genotok.model import Encoder, pack

    config = EncoderConfig.preset("tiny-1m", attention="eager")
    encoder = Encoder(config).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        encoder(torch.ones(300, dtype=torch.long), pack([300]))
    assert counter.get_total_flops() == cost.sizes_of(config, "").operations(300)


def test_the_comparison_of_the_paper_as_computed_rows() -> None:
    facts = json.loads(genotok("info", "--model", "dnabert2-117m", "--json").stdout)
    assert facts["parameters"] == 117_074_176
    others = {row["model"]: row for row in facts["others"]}
    assert others["NT 2500M"]["times_parameters"] == pytest.approx(21.7, abs=0.1)  # "21 times fewer"
    assert others["NT 500M"]["times_parameters"] == pytest.approx(4.1, abs=0.1)
    # The paper's 3.27, 3.19 and 19.44; how it counted tokens and operations is not told.
    assert others["DNABERT 3-mer"]["times_operations"] == pytest.approx(3.27, rel=0.25)
    assert others["NT 500M"]["times_operations"] == pytest.approx(3.19, rel=0.25)
    assert others["NT 2500M"]["times_operations"] == pytest.approx(19.44, rel=0.25)


def test_transformers_counts_the_parameters_of_the_others_alike() -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(vocab_size=4**6 + 5)
    with torch.device("meta"):
        model = transformers.BertForMaskedLM(config)
    counted = next(sizes for sizes in cost.RIVALS if sizes.name == "DNABERT 6-mer")
    assert counted.parameters() == sum(parameter.numel() for parameter in model.parameters())


def test_a_model_is_shown_or_refused(tmp_path: Path) -> None:
    shown = genotok("info", "--model", "tiny-1m")
    assert shown.returncode == 0
    assert "NT 2500M" in shown.stdout
    sizes = EncoderConfig.preset("dnabert2-117m").to_published()
    (tmp_path / "config.json").write_text(json.dumps({**sizes, "hidden_size": 100}))
    for given, message in ((str(tmp_path), "a multiple of num_heads=12"), ("huge", "one of dnabert2-117m")):
        refused = genotok("info", "--model", given)
        assert refused.returncode == 1
        assert message in refused.stderr
        assert "Traceback" not in refused.stderr


def test_costs_are_told_without_torch() -> None:
    code = (
        "import sys; from genotok.cli.shared import model_costs; model_costs.describe('tiny-1m'); "
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_every_public_name_of_the_model_is_there() -> None:
    import genotok.model

    assert all(getattr(genotok.model, name) is not None for name in genotok.model.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = genotok.model.nothing
