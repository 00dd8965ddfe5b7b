"""Cases of the encoder: weights, inputs and the outputs of the published code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from genotok.model import EncoderConfig, MaskedLanguageModel, SequenceClassifier, unpad

GOLDEN = Path(__file__).parents[1] / "golden" / "dnabert2"
HIDDEN = {torch.float32: 1e-5, torch.float64: 1e-10}


# In 32 bits sums depend on the CPU and on the alignment of memory: 1.05e-5 was seen; 64 bits decide.
GRADIENTS = {torch.float32: 2e-5, torch.float64: 1e-10}
LOGITS = {torch.float32: 1e-4, torch.float64: 1e-10}


Case = tuple[EncoderConfig, dict[str, Any], dict[str, Any]]


def own_case() -> Case:
    """The case that the repository carries, in double precision."""
    config = json.loads((GOLDEN / "case.json").read_text())["config"]
    weights: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    for path in sorted(GOLDEN.glob("weights-*.safetensors")):
        weights |= load_file(path)
    for path in [*sorted(GOLDEN.glob("outputs-*.safetensors")), GOLDEN / "gradients.safetensors"]:
        outputs |= load_file(path)
    weights["cls.predictions.decoder.weight"] = weights["bert.embeddings.word_embeddings.weight"]
    for name in ("input_ids", "attention_mask", "token_type_ids", "labels", "cls_labels"):
        outputs[name] = outputs[name].long()
    return EncoderConfig.from_published(config), weights, outputs


def shared_case(folder: Path, name: str, dtype: Any) -> Case:
    """One of the recorded cases, in the precision asked for."""
    config = json.loads((folder / f"{name}.json").read_text())["config"]
    found = load_file(folder / f"{name}.io.safetensors")
    outputs = {key: value for key, value in found.items() if not key.startswith("f64.")}
    if dtype == torch.float64:
        outputs |= {key.removeprefix("f64."): value for key, value in found.items() if key.startswith("f64.")}
    return EncoderConfig.from_published(config), load_file(folder / f"{name}.weights.safetensors"), outputs


def loaded(model: Any, weights: dict[str, Any], dtype: Any) -> Any:
    """The model with those of the weights that it has, ready to compute."""
    wanted = model.state_dict()
    model.load_state_dict({name: weights[name] for name in wanted})
    return model.to(dtype).eval()


def difference(left: Any, right: Any) -> float:
    """The largest difference of two tensors."""
    assert left.shape == right.shape
    return float((left - right).detach().abs().max()) if left.numel() else 0.0


def check_case(case: Case, backend: Any, dtype: Any) -> None:
    """Compare everything that a case has recorded."""
    config, weights, outputs = case
    config = config.with_changes(attention=backend)
    model = loaded(MaskedLanguageModel(config), weights, dtype)
    packing = unpad(outputs["attention_mask"])
    ids, types = packing.take(outputs["input_ids"]), packing.take(outputs["token_type_ids"])
    with torch.no_grad():
        states = model.bert(ids, packing, types, output_hidden_states=True)
        outside = model.cls(torch.zeros(1, config.hidden_size, dtype=dtype))[0]
        logits = packing.pad(model.cls(states.last), outside)
    assert model.bert.encoder.backend == backend
    for number, state in enumerate(states.hidden_states[1:]):
        assert difference(packing.pad(state), outputs[f"layer.{number}"]) < HIDDEN[dtype]
    if "embeddings" in outputs:
        assert difference(states.hidden_states[0], packing.take(outputs["embeddings"])) < HIDDEN[dtype]
    assert difference(logits, outputs["mlm_logits"]) < LOGITS[dtype]
    classifier = loaded(SequenceClassifier(config, len(weights["classifier.bias"])), weights, dtype)
    with torch.no_grad():
        loss, scores = classifier(ids, packing, types, outputs["cls_labels"])
    assert difference(scores, outputs["cls_logits"]) < LOGITS[dtype]
    assert abs(loss - outputs["cls_loss"]) < LOGITS[dtype]
    if "labels" in outputs:
        loss, _ = model(ids, packing, types, packing.take(outputs["labels"]))
        assert abs(loss - outputs["mlm_loss"]) < LOGITS[dtype]
        loss.backward()
        for name, parameter in model.named_parameters():
            if f"grad.{name}" in outputs:
                assert difference(parameter.grad, outputs[f"grad.{name}"]) < GRADIENTS[dtype], name
