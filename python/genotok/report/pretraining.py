"""The section of a pre-training run: its curves, settings and data.

A run that still goes on, or was stopped, is shown as far as its log goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genotok.report.identities import identity_table
from genotok.report.plots import Axis, Level, Series, lines
from genotok.report.records import as_number
from genotok.report.tables import Column, Figure, Headline, ReportTable, Section, number, text
from genotok.report.training_log import (
    MAX_POINTS,
    curve,
    entries,
    evaluations,
    last_evaluation,
    last_step,
    points,
    run_state,
)
from genotok.run_records.provenance import Provenance

if TYPE_CHECKING:
    from genotok.report.records import FoundRecord
    from genotok.run_records.schemas import Json

__all__ = ["pretraining_section"]

MAX_ROWS = 200
"""Evaluations in the table; of more, as many are shown, evenly spread."""

FEW_TOKENS = 2_000
"""Below so many masked tokens the figures on held-out sequences are rough."""

UNIFORM_BITS = 2.0
"""What uniform guessing of A, C, G and T costs per base."""


def pretraining_section(found: FoundRecord) -> Section:
    """One run: curves of training and of held-out sequences, throughput, settings, data."""
    run = found.data
    final = last_evaluation(run)
    return Section(
        "Pre-training",
        found.name,
        _facts(run),
        (*_evaluation_tables(run), _settings_table(run), *identity_table(run)),
        tuple(_figures(run)),
        tuple(_caveats(run, final)),
        _summary(run, final),
        tuple(_headlines(run, final)),
    )


def _figures(run: Json) -> list[Figure]:
    """Loss, bits per base, accuracy, learning rate, throughput: those that the log has."""
    each = _tokens_per_step(run)
    steps = Axis(f"training steps, about {each:,.0f} tokens each" if each else "training steps")
    mark = as_number(run.get("resumed_at")) or None
    final = last_evaluation(run)
    loss = [
        curve(run, "loss", "training"),
        curve(run, "eval_loss", "held-out sequences"),
    ]
    found = [
        lines("Loss", _there(loss), steps, Axis("nats per token"), mark=mark,
              levels=_levels(final, "eval_unigram_loss")),
        lines("Bits per base, held-out sequences", _there([curve(run, "eval_bits_per_base", "model")]),
              steps, Axis("bits per base"), mark=mark,
              levels=[*_levels(final, "eval_unigram_bits_per_base"),
                      Level("uniform guessing of bases", UNIFORM_BITS)]),
    ]  # fmt: skip
    accuracy = curve(run, "eval_accuracy", "held-out sequences")
    percent = Series(accuracy.name, accuracy.x, [100 * value for value in accuracy.y])
    others = (
        (percent, "Masked-token accuracy", "% of masked tokens"),
        (curve(run, "tokens_per_second", "training"), "Throughput", "tokens per second"),
        (curve(run, "learning_rate", "training"), "Learning rate", "learning rate"),
        (curve(run, "grad_norm", "training"), "Gradient norm", "norm, before clipping"),
    )
    found += [lines(caption, [one], steps, Axis(unit), mark=mark) for one, caption, unit in others if one.x]
    return [one for one in found if any(not key.note for key in one.series if key.colour)]


def _there(series: list[Series]) -> list[Series]:
    """The series; without any point, none."""
    return series if any(each.x for each in series) else []


def _levels(final: Json, key: str) -> list[Level]:
    value = as_number(final.get(key))
    return [] if value is None else [Level("unigram baseline", value)]


def _facts(run: Json) -> tuple[tuple[str, str], ...]:
    """What was trained, on what, by what."""
    config = run["config"]
    tokens, parameters = as_number(run.get("tokens")), as_number(run.get("parameters"))
    sequences = [as_number(run.get(key)) for key in ("train_sequences", "held_out_sequences")]
    made = Provenance.from_json(run.get("provenance") or {})
    processes, waiting = as_number(run.get("processes")) or 1, as_number(run.get("waiting"))
    told = [
        ("state", run_state(run)),
        ("encoder", f"{config['encoder']}" + (f", {parameters:,.0f} parameters" if parameters else "")),
        ("data", ", ".join(map(str, run.get("files") or []))),
        ("tokens of the corpus", f"{tokens:,.0f}" if tokens else ""),
        ("sequences", " and ".join(
            f"{count:,.0f} {what}" for count, what in zip(sequences, ("to train on", "held out"), strict=True)
            if count is not None)),
        ("held-out records", ", ".join(map(str, run.get("hold_out") or []))),
        ("batch", f"{config.get('batch')} {_sequences(run)}"),
        ("device", f"{run['device']}" + (f", {processes:,.0f} processes" if processes > 1 else "")
         if run.get("device") else ""),
        ("time", _duration(as_number(run.get("seconds")))),
        ("waiting for data", "" if waiting is None else f"{waiting:.1%} of training"),
        ("resumed at", f"step {run['resumed_at']:,}" if run.get("resumed_at") else ""),
        ("versions", ", ".join(f"{name} {version}" for name, version in made.software.items())),
        ("command", made.command or str(_command(run))),
    ]  # fmt: skip
    return tuple((label, fact) for label, fact in told if fact)


def _sequences(run: Json) -> str:
    """What a batch consists of."""
    if not (bases := as_number(run.get("windows"))):
        return f"sequences of at most {run['config'].get('max_tokens')} tokens"
    strands = "one strand" if run.get("stranded") else "random strands"
    return f"windows of {bases:,.0f} bases, at new offsets in each epoch, on {strands}"


def _command(run: Json) -> Any:  # noqa: ANN401  any JSON
    """The command that made the model, where it is kept."""
    identity = run.get("identity")
    return identity.get("command") or "" if isinstance(identity, dict) else ""


def _summary(run: Json, final: Json) -> str:
    """The run in a sentence."""
    state = run_state(run).partition(";")[0]
    loss, bits = as_number(final.get("eval_loss")), as_number(final.get("eval_bits_per_base"))
    if loss is None or bits is None:
        return f"{run['config']['encoder']}, {state}; nothing was evaluated on held-out sequences."
    unigram = as_number(final.get("eval_unigram_bits_per_base"))
    beside = f" (unigram baseline {unigram:.3f})" if unigram is not None else ""
    return (
        f"{run['config']['encoder']}, {state}; on held-out sequences {loss:.3f} nats per masked token and "
        f"{bits:.3f} bits per base{beside}."
    )


def _headlines(run: Json, final: Json) -> list[Headline]:
    """The figures to be seen first."""
    found = []
    for key, label, form, beside in (
        ("eval_bits_per_base", "bits per base, held out", "{:.3f}", "eval_unigram_bits_per_base"),
        ("eval_loss", "nats per masked token, held out", "{:.3f}", "eval_unigram_loss"),
    ):
        value, unigram = as_number(final.get(key)), as_number(final.get(beside))
        if value is not None:
            note = "" if unigram is None else f"unigram baseline {form.format(unigram)}"
            found.append(Headline(label, form.format(value), note))
    accuracy = as_number(final.get("eval_accuracy"))
    if accuracy is not None:
        found.append(Headline("masked-token accuracy", f"{100 * accuracy:.1f} %"))
    if each := _tokens_per_step(run):
        found.append(
            Headline("tokens seen, about", _amount(each * last_step(run)), f"in {last_step(run):,.0f} steps")
        )
    return found


def _tokens_per_step(run: Json) -> float | None:
    """Sequences of a step times their mean length."""
    counts = [as_number(run.get(key)) for key in ("train_sequences", "held_out_sequences")]
    tokens, batch = as_number(run.get("tokens")), as_number(run["config"].get("batch"))
    sequences = sum(count or 0 for count in counts)
    return tokens / sequences * batch if tokens and batch and sequences else None


def _caveats(run: Json, final: Json) -> list[str]:
    """What to know before the figures are compared."""
    found = []
    if not run.get("is_finished"):
        found.append(f"The run is {run_state(run)}.")
    tokens = as_number(final.get("eval_masked_tokens"))
    if tokens is not None and tokens < FEW_TOKENS:
        found.append(f"Held-out figures are of {tokens:,.0f} masked tokens only, and rough.")
    span = as_number(run["config"].get("mask_span")) or 1
    if span > 1:
        found.append(
            f"{span:,.0f} neighbouring tokens are masked together, as they overlap; each base is predicted "
            "several times, so that bits per base cannot be compared with those of other tokenizers."
        )
    found.append(
        "Losses per token of different vocabularies cannot be compared; bits per base can, on the same "
        "held-out sequences. Training loss is measured with dropout on other sequences than held-out loss."
    )
    odd = [one for one in entries(run) if any(str(one.get(key)) in {"nan", "inf", "-inf"} for key in one)]
    if odd:
        found.append(
            f"The log has values that are not finite, from step {odd[0]['step']:,} on; no plot shows them."
        )
    if damaged := run.get("damaged_lines"):
        found.append(
            f"{damaged:,} lines of the log could not be read, as when a run is killed while it writes."
        )
    count = len(points(run, "loss"))
    if count > MAX_POINTS:
        found.append(
            f"Each point of a curve of training is the mean of {-(-count // MAX_POINTS)} logged ones."
        )
    return found


def _evaluation_tables(run: Json) -> list[ReportTable]:
    """The evaluations; none if there is none."""
    found = evaluations(run)
    if not found:
        return []
    shown = found if len(found) <= MAX_ROWS else [
        found[round(place * (len(found) - 1) / (MAX_ROWS - 1))] for place in range(MAX_ROWS)
    ]  # fmt: skip
    columns = (
        Column("step"),
        Column("loss", "nats per masked token"),
        Column("unigram loss", "of guessing by token frequencies"),
        Column("bits per base"),
        Column("unigram bits", "bits per base of guessing by token frequencies"),
        Column("accuracy, %", "masked-token accuracy"),
    )
    rows = tuple(
        (
            number(one["step"], "{:,.0f}"),
            number(as_number(one["eval_loss"]), "{:.4f}"),
            number(as_number(one.get("eval_unigram_loss")), "{:.4f}"),
            number(as_number(one.get("eval_bits_per_base")), "{:.4f}"),
            number(as_number(one.get("eval_unigram_bits_per_base")), "{:.4f}"),
            number(as_number(one.get("eval_accuracy")), "{:.2f}", 100),
        )
        for one in shown
    )
    left = f" ({len(shown)} of {len(found):,}, evenly spread)" if len(shown) < len(found) else ""
    return [
        ReportTable(
            f"Evaluations on held-out sequences{left}",
            columns,
            rows,
            "All evaluations" if len(rows) > 12 else "",
        )
    ]


def _settings_table(run: Json) -> ReportTable:
    """All settings."""
    rows = tuple((text(key), text(_shown(value))) for key, value in run["config"].items())
    columns = (Column("setting", numeric=False), Column("value", numeric=False))
    return ReportTable("Settings", columns, rows, "All settings")


def _shown(value: Any) -> str:  # noqa: ANN401  any JSON
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _amount(value: float) -> str:
    for size, unit in ((1e9, "billion"), (1e6, "million")):
        if value >= size:
            return f"{value / size:,.1f} {unit}"
    return f"{value:,.0f}"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"
