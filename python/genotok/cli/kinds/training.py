"""Models, runs and results: what `pretrain`, `finetune` and `compare` leave in folders, by their JSON files.

Neither torch nor transformers is needed: weights are known by the table of their file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from genotok.files.identity import CHECKSUMS, check_files, flattened
from genotok.model_folder.read import CONFIG, TOKENIZER, read_folder

if TYPE_CHECKING:
    from genotok.cli.kinds.look import Facts, Look

__all__ = ["baselines", "comparison", "model", "model_checkpoint", "pretraining_run", "results"]

RUN = "run.json"
IDENTITIES = ("weights_sha256", "vocabulary_sha256", "identity")


def pretraining_run(look: Look) -> Facts | None:
    """The folder of `genotok pretrain`, or its report: complete, with the model, or to be resumed."""
    run, report = look.object_inside(RUN), look.record_inside("pretrain.json") or look.record
    if not {"config", "files", "hold_out"} <= (report or run).keys():
        return None
    steps = [name.removeprefix("checkpoint-") for name in look.names if name.startswith("checkpoint-")]
    latest = max((int(step) for step in steps if step.isdigit()), default=0)
    names = ("steps", "tokens", "train_loss", "eval_loss", "eval_bits_per_base", "parameters", "seconds")
    settings = _dictionary((report or run)["config"])
    found = model(look) or {}  # a damaged model is no complete run
    return {
        "state": "complete" if report else "unfinished; genotok pretrain --resume continues it",
        "encoder": settings.get("encoder"),
        "files": (report or run)["files"],
        "hold_out": (report or run)["hold_out"],
        "last_checkpoint": latest or None,
        **_picked(report, *names),
        **_picked(found, *IDENTITIES),
        **_digests(run),
        "config": settings,
        **_software(report),
    }


def results(look: Look) -> Facts | None:
    """The folder of `genotok finetune`, or its record: scores of sets and seeds."""
    run, found = look.object_inside(RUN), look.record_inside("results.json") or look.record
    head = found or run
    if head.get("kind") != "gue":
        return None
    done = [_dictionary(one) for one in _list(found.get("sets"))]
    finished = {str(one.get("name")): one.get("mean") for one in done}
    return {
        "state": "complete" if found else "unfinished; genotok finetune --resume continues it",
        **_picked(head, "model", "scratch", "seeds", "parameters"),
        "sets": finished or None,
        **_digests(run),
        "config": _dictionary(head.get("config")),
        **_picked(head, "date", "device", "threads"),
        **_software(head),
    }


def baselines(look: Look) -> Facts | None:
    """The folder of `genotok baseline`, or its record: scores of sets."""
    run, found = look.object_inside(RUN), look.record_inside("results.json") or look.record
    head = found or run
    if head.get("kind") != "baseline":
        return None
    done = [_dictionary(one) for one in _list(found.get("sets"))]
    return {
        "state": "complete" if found else "unfinished; genotok baseline --resume continues it",
        **_picked(head, "seeds", "stranded", "aligned"),
        "sets": [one.get("name") for one in done] or None,
        **_digests(run),
        "config": _dictionary(head.get("config")),
        **_picked(head, "device", "threads", "seconds"),
        **_software(head),
    }


def comparison(look: Look) -> Facts | None:
    """The folder of `genotok compare`, or its record: tokenizers compared as models."""
    run, found = look.object_inside(RUN), look.record_inside("compared.json") or look.record
    head = found or run
    if head.get("kind") != "models":
        return None
    names = [one.get("name") if isinstance(one, dict) else one for one in _list(head.get("tokenizers"))]
    return {
        "state": "complete" if found else "unfinished; genotok compare --resume continues it",
        "tokenizers": names,
        **_picked(head, "files", "hold_out", "sets", "window", "seeds", "bases", "seconds"),
        **_digests(run),
    }


def model_checkpoint(look: Look) -> Facts | None:
    """A checkpoint inside the folder of a run."""
    state = look.object_inside("trainer_state.json")
    if "global_step" not in state:
        return None
    fault = check_files(Path(look.path))
    as_written = f"all files are as written ({CHECKSUMS})" if CHECKSUMS in look.names else None
    return {
        "step": state["global_step"],
        "steps": state.get("max_steps"),
        **(model(look) or {}),
        "identity": f"does not match: {fault}" if fault else as_written,
    }


def model(look: Look) -> Facts | None:
    """A folder with a model's configuration, and weights if they are there; each fits the other.

    Raises:
        ArgumentError: They do not, or are damaged.
    """
    if CONFIG not in look.names:
        return None
    found = read_folder(look.path, need_weights=False)
    found.check_finite()
    settings = found.settings
    sizes = settings.encoder
    version = look.object_inside(CONFIG).get("transformers_version")
    return {
        "architecture": settings.architecture or settings.model_type,
        "vocab_size": sizes.vocab_size,
        "hidden_size": sizes.hidden_size,
        "layers": sizes.num_layers,
        "heads": sizes.num_heads,
        "classes": list(found.classes) if found.is_classifier else None,
        "parameters": found.parameters or None,
        "tokenizer": TOKENIZER in look.names,
        **found.identities(),
        **_picked({"transformers": version}, "transformers"),
    }


def _digests(run: Facts) -> Facts:
    """What a run was started with: the digests in its `run.json`."""
    found = dict(flattened(run.get("digests")))
    return {"digests": found} if found else {}


def _picked(found: Facts, *names: str) -> Facts:
    """Some of the facts, as far as they are there."""
    return {name: found[name] for name in names if found.get(name) is not None}


def _software(found: Facts) -> Facts:
    """The versions of the packages that matter."""
    names = ("genotok", "torch", "transformers", "numpy")
    return _picked(_dictionary(found.get("software")), *names)


def _dictionary(value: Any) -> Facts:  # noqa: ANN401 - any JSON
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON
    return value if isinstance(value, list) else []
