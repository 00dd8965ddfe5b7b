"""The sections of what is no run: a model's folder, encoded sequences, a comparison that is not finished."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genotok.report.identities import identity_table
from genotok.report.records import as_number
from genotok.report.tables import Column, Section, Table, number, text

if TYPE_CHECKING:
    from genotok.report.records import Found, Record

__all__ = ["encoded_section", "model_section", "unfinished_section"]

SIZES = {
    "hidden_size": "width",
    "num_hidden_layers": "layers",
    "num_attention_heads": "attention heads",
    "vocab_size": "tokens in the vocabulary",
}
FORMATS = {
    "genotok shards": ("Encoded sequences", "genotok verify checks them, genotok pretrain trains on them"),
}
OTHER_FORMAT = ("Packed sequences", "genotok info shows them, genotok train-bpe trains on them")


def model_section(found: Found) -> Section:
    """A folder with a model, that holds no log of its training."""
    data, config = found.data, found.data["config"]
    labels = config.get("id2label")
    names = list(map(str, labels.values())) if isinstance(labels, dict) else []
    told = [
        (
            "model",
            ", ".join(map(str, config.get("architectures") or [])) or str(config.get("model_type", "")),
        ),
        *((label, f"{size:,.0f}") for key, label in SIZES.items() if (size := as_number(config.get(key)))),
        ("problem type", str(config.get("problem_type") or "").replace("_", " ")),
        ("classes", ", ".join(names[:50]) + (f" and {len(names) - 50:,} more" if len(names) > 50 else "")),
        ("weights", ", ".join(f"{name}, {size / 1e6:,.1f} MB" for name, size in data["weights"].items())),
        ("tokenizer", "tokenizer.json" if data["has_tokenizer"] else "none in the folder"),
        ("more", "genotok info --model shows what it costs, genotok predict and embed use it"),
        ("command", str(_manifest(data).get("command") or "")),
    ]
    facts = tuple((label, fact) for label, fact in told if fact)
    made = str(_manifest(data).get("made_by") or "")
    said = f"A model{f' that genotok {made} made' if made else ''}; the log and the results are with its run."
    return Section("Model", found.name, facts, (*_metrics(data), *identity_table(data)), summary=said)


def _manifest(data: Record) -> Record:
    """What genotok wrote beside the weights; {} if it did not."""
    manifest = data.get("identity")
    return manifest if isinstance(manifest, dict) else {}


def _metrics(data: Record) -> tuple[Table, ...]:
    """The figures that the model was saved with."""
    metrics = _manifest(data).get("metrics")
    rows = tuple(
        (text(key.replace("_", " ")), number(value, "{:.4g}"))
        for key, one in (metrics.items() if isinstance(metrics, dict) else ())
        if (value := as_number(one)) is not None
    )
    columns = (Column("metric", numeric=False), Column("value"))
    return (Table("Metrics", columns, rows),) if rows else ()


def encoded_section(found: Found) -> Section:
    """A folder that `genotok encode` or `genotok pack` wrote."""
    title, more = FORMATS.get(found.kind, OTHER_FORMAT)
    totals = found.data.get("totals")
    numbers = totals if isinstance(totals, dict) else {}
    rows = tuple(
        (text(key.replace("_", " ")), text(f"{size:,.0f}"))
        for key, value in numbers.items()
        if (size := as_number(value)) is not None
    )
    columns = (Column("what", numeric=False), Column("count", numeric=False))
    tables = (Table("Totals", columns, rows),) if rows else ()
    head = found.data.get("head")
    told = [*_told(head if isinstance(head, dict) else {}), ("more", more)]
    return Section(title, found.name, tuple(told), tables, summary=f"{title}: {more}.")


def unfinished_section(found: Found) -> Section:
    """A comparison whose record is not there yet; what is there of its runs has sections of its own."""
    data = found.data
    names = [str(name) for name in data.get("tokenizers") or []]
    is_running = data.get("state") == "running"
    state = "running" if is_running else "not finished; genotok compare with --resume continues it"
    told = (
        ("state", state),
        ("tokenizers", ", ".join(names)),
        ("sets", ", ".join(map(str, data.get("sets") or []))),
        ("data", ", ".join(map(str, data.get("files") or []))),
    )
    facts = tuple((label, fact) for label, fact in told if fact)
    said = f"A comparison of {len(names):,} tokenizers, {state}. Its runs so far have sections of their own."
    return Section("Tokenizers as models", found.name, facts, summary=said)


def _told(head: dict[str, Any]) -> list[tuple[str, str]]:
    """Labelled facts of a manifest's head."""
    tokenizer = head.get("tokenizer")
    name = tokenizer.get("name") if isinstance(tokenizer, dict) else ""
    told = (
        ("format", str(head.get("format", ""))),
        ("tokenizer", str(name or "")),
        ("inputs", ", ".join(map(str, head.get("inputs") or []))),
        ("genotok", str(head.get("genotok", ""))),
    )
    return [(label, fact) for label, fact in told if fact]
