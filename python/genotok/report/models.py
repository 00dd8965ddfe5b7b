"""The sections without curves: models, encoded sequences, trained tokenizers, stopped comparisons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genotok.report.identities import identity_table
from genotok.report.records import as_number
from genotok.report.tables import Column, ReportTable, Section, number, text

if TYPE_CHECKING:
    from genotok.report.records import FoundRecord
    from genotok.run_records.schemas import Json

__all__ = ["encoded_section", "model_section", "tokenizer_section", "unfinished_section"]

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


def model_section(found: FoundRecord) -> Section:
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


def _manifest(data: Json) -> Json:
    """The manifest beside the weights; {} if there is none."""
    manifest = data.get("identity")
    return manifest if isinstance(manifest, dict) else {}


def _metrics(data: Json) -> tuple[ReportTable, ...]:
    """The figures that the model was saved with."""
    metrics = _manifest(data).get("metrics")
    rows = tuple(
        (text(key.replace("_", " ")), number(value, "{:.4g}"))
        for key, one in (metrics.items() if isinstance(metrics, dict) else ())
        if (value := as_number(one)) is not None
    )
    columns = (Column("metric", numeric=False), Column("value"))
    return (ReportTable("Metrics", columns, rows),) if rows else ()


def encoded_section(found: FoundRecord) -> Section:
    """An output folder of `genotok encode` or `genotok pack`."""
    title, more = FORMATS.get(found.kind, OTHER_FORMAT)
    if found.data.get("is_partial"):
        is_running = found.data.get("state") == "running"
        more = "being written" if is_running else "not finished; genotok encode with --resume continues it"
    totals = found.data.get("totals")
    numbers = totals if isinstance(totals, dict) else {}
    rows = tuple(
        (text(key.replace("_", " ")), text(f"{size:,.0f}"))
        for key, value in numbers.items()
        if (size := as_number(value)) is not None
    )
    columns = (Column("what", numeric=False), Column("count", numeric=False))
    tables = (ReportTable("Totals", columns, rows),) if rows else ()
    head = found.data.get("head")
    told = [*_told(head if isinstance(head, dict) else {}), ("more", more)]
    return Section(title, found.name, tuple(told), tables, summary=f"{title}: {more}.")


def tokenizer_section(found: FoundRecord) -> Section:
    """The output of `genotok train-bpe --json`."""
    data = found.data
    wanted = (
        ("vocab_size", "tokens in the vocabulary", "{:,.0f}", 1.0),
        ("merges", "merges", "{:,.0f}", 1.0),
        ("files", "files", "{:,.0f}", 1.0),
        ("bases", "bases", "{:,.0f}", 1.0),
        ("tokens", "tokens of the corpus", "{:,.0f}", 1.0),
        ("bases_per_token", "bases per token", "{:.2f}", 1.0),
        ("rounds", "passes over the corpus", "{:,.0f}", 1.0),
        ("threads", "threads", "{:,.0f}", 1.0),
        ("seconds", "seconds", "{:,.2f}", 1.0),
        ("peak_memory_bytes", "peak memory, MB", "{:,.0f}", 1e-6),
    )
    rows = tuple(
        (text(label), number(value, form, scale))
        for key, label, form, scale in wanted
        if (value := as_number(data.get(key))) is not None
    )
    longest = data.get("longest_tokens")
    facts = (
        ("tokenizer", str(data.get("output", ""))),
        ("stopped", str(data["stopped"])),
        ("longest tokens", ", ".join(map(str, longest)) if isinstance(longest, list) else ""),
        ("fingerprint of the corpus", str(data["fingerprint"])),
    )
    table = ReportTable("Training", (Column("what", numeric=False), Column("value")), rows)
    said = f"{data['vocab_size']:,} tokens, {data['merges']:,} merges; stopped: {data['stopped']}."
    shown = tuple((label, fact) for label, fact in facts if fact)
    return Section("Tokenizer training", found.name, shown, (table,), summary=said)


def unfinished_section(found: FoundRecord) -> Section:
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
