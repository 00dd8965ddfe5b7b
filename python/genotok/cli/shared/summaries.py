"""What was done, as a table for people and as JSON for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genotok.cli.shared import figures
from genotok.cli.shared.console import print_facts, report_console
from genotok.cli.shared.figures import count
from genotok.corpus.packed import PackReport
from genotok.run_records import machine
from genotok.tokenizer import TrainingReport

if TYPE_CHECKING:
    from genotok.dataset.encode import EncodingReport
    from genotok.embedding import EmbeddingReport
    from genotok.files.outputs import FileOutput

__all__ = [
    "embedding_as_json",
    "encoding_as_json",
    "print_embedding",
    "print_encoding",
    "print_packing",
    "print_training",
    "soft_mask_warning",
    "training_as_json",
]

MAX_WIDTH = 120
"""Longest tokens are elided to a line of this width at most."""


def training_as_json(report: TrainingReport, output: str) -> dict[str, object]:
    """The training report and what the command adds to it; speed in bases per second, memory in bytes."""
    seconds = report["seconds_reading"] + report["seconds_training"]
    return {
        "output": output,
        "seconds": seconds,
        "bases_per_second": report["bases"] / seconds if seconds else None,
        "peak_memory_bytes": machine.peak_memory(),
        **report,
    }


def print_training(report: TrainingReport, output: FileOutput) -> None:
    """The training report as a table: on standard output, unless the tokenizer went there."""
    from rich.text import Text

    console = report_console(output)
    tokens = (count(report["vocab_size"], "token"), "bold")
    title = Text.assemble("trained ", tokens, f" from {figures.bases(report['bases'])}")
    facts = [
        ("input", _input(report) + _treatment(report)),
        ("skipped", _skipped(report)),
        ("stopped early", _why_stopped(report)),
        ("corpus", f"{count(report['tokens'], 'token')}, {report['bases_per_token']:.2f} bases per token"),
        ("longest", _longest(report["longest_tokens"], min(console.width, MAX_WIDTH))),
        ("rounds", _rounds(report)),
        ("time", _time(report)),
        ("phases", _phases(report)),
        ("memory", f"{figures.memory(machine.peak_memory())} at most"),
        ("written", output.described),
    ]
    print_facts(console, title, facts)


def print_packing(report: PackReport) -> None:
    """The report of a packed corpus as a table: on standard output, unless the data went there."""
    facts = [
        ("input", _input(report)),
        ("skipped", _skipped(report)),
        ("fingerprint", report["fingerprint"]),
        ("written", f"{_place(report['output'])}, {figures.memory(report['bytes'])}{_shards(report)}"),
    ]
    print_facts(report_console(report["output"]), f"packed {figures.bases(report['bases'])}", facts)


def _place(output: str) -> str:
    """Where something was written."""
    return "standard output" if output == "-" else output


def _shards(report: PackReport) -> str:
    """How many shards a folder has now."""
    return f" in {figures.count(report['shards'], 'shard')}" if "shards" in report else ""


def encoding_as_json(report: EncodingReport) -> dict[str, object]:
    """The report and what the command adds to it; speed in bases per second, memory in bytes."""
    seconds = report["seconds"]
    return {
        **report,
        "bases_per_token": report["bases"] / report["tokens"] if report["tokens"] else None,
        "bases_per_second": report["bases"] / seconds if seconds else None,
        "peak_memory_bytes": machine.peak_memory(),
    }


def print_encoding(report: EncodingReport) -> None:
    """The report of an encoding as a table: on standard output, unless the data went there."""
    console = report_console(report["output"])
    files, records = count(report["files"], "file"), count(report["records"], "record")
    tokens, bases = report["tokens"], report["bases"]
    ratio = f", {bases / tokens:.2f} bases per token" if tokens else ""
    shards = f" in {count(report['shards'], 'shard')}" if report["shards"] is not None else ""
    written = f"{_place(report['output'])}, {figures.memory(report['bytes'])}{shards}"
    facts = [
        ("input", f"{files}, {records}, {count(bases, 'base')} in {count(report['rows'], 'row')}"),
        ("resumed", _resumed(report)),
        ("tokens", f"{tokens:,}{ratio}"),
        ("unknown", _unknown(report)),
        ("time", f"{figures.duration(report['seconds'])}, {figures.rate(bases, report['seconds'])}"),
        ("memory", f"{figures.memory(machine.peak_memory())} at most"),
        (
            "written",
            f"{written}, {report['format']}",
        ),
    ]
    print_facts(console, f"encoded {figures.bases(bases)}", facts)


def embedding_as_json(report: EmbeddingReport) -> dict[str, object]:
    """The report and what the command adds to it; speed in tokens per second, memory in bytes."""
    return {
        **report,
        "tokens_per_second": report["tokens"] / max(report["seconds"], 1e-9),
        "peak_memory_bytes": machine.peak_memory(),
    }


def print_embedding(report: EmbeddingReport) -> None:
    """The report of an embedding as a table: on standard output, unless the data went there."""
    rows, tokens, seconds = report["rows"], report["tokens"], report["seconds"]
    files, symbols = count(report["files"], "file"), count(report["symbols"], "symbol")
    unknown = report["unknown"]
    facts = [
        ("input", f"{files}, {symbols} in {count(rows, 'row')}"),
        ("empty", f"{count(report['empty'], 'row')} without symbols" if report["empty"] else ""),
        ("tokens", f"{tokens:,}, special tokens included; {report['longest']:,} in the longest row"),
        ("unknown", f"{count(unknown, 'symbol')} ({_share(unknown, report['symbols'])})" if unknown else ""),
        ("vectors", f"{report['width']:,} numbers each, pooled by {report['pooling']}"),
        ("computed", f"{report['dtype']} on {report['device']}, attention by {report['backend']}"),
        ("time", f"{figures.duration(seconds)}, {tokens / max(seconds, 1e-9):,.0f} tokens/s"),
        ("memory", f"{figures.memory(machine.peak_memory())} at most"),
        ("written", f"{_place(report['output'])}, {figures.memory(report['bytes'])}"),
    ]
    print_facts(report_console(report["output"]), f"embedded {count(rows, 'row')}", facts)


def soft_mask_warning(lower_case: int, symbols: int, unknown: str) -> str:
    """A warning of lower-case symbols outside the vocabulary; "" if there are none."""
    if not lower_case:
        return ""
    became = "were left out" if unknown == "split" else "became the unknown token"
    return (
        f"{_share(lower_case, symbols)} of the symbols are lower case and {became}: "
        "this tokenizer has upper case only; --uppercase reads them as upper case"
    )


def _unknown(report: EncodingReport) -> str:
    """Symbols outside the vocabulary: their number, their share, and the number of each."""
    unknown = sum(report["unknown"].values())
    if not unknown:
        return ""
    kinds = ", ".join(f"{number:,} {kind}" for kind, number in report["unknown"].items())
    return f"{count(unknown, 'symbol')} ({_share(unknown, report['symbols'])}): {kinds}"


def _share(part: int, symbols: int) -> str:
    """A part of the symbols as a percentage."""
    return f"{part / max(symbols, 1):.2%}"


def _resumed(report: EncodingReport) -> str:
    """What an earlier run had done; the time and speed below are this run's."""
    return f"{count(report['resumed'], 'file')} were encoded before" if report["resumed"] else ""


def _input(report: TrainingReport | PackReport) -> str:
    """How much was read."""
    files, records = count(report["files"], "file"), count(report["records"], "record")
    words, bases = count(report["words"], "word"), count(report["bases"], "base")
    return f"{files}, {records}, {words}, {bases}"


def _treatment(report: TrainingReport) -> str:
    """What was done to the words."""
    text = ""
    if report["empty_records"]:
        text += f"; {count(report['empty_records'], 'record')} without sequence"
    if report["word_length"]:
        text += f"; cut into words of {count(report['word_length'], 'base')}"
    return text + ("; both strands counted" if report["both_strands"] else "")


def _skipped(report: TrainingReport | PackReport) -> str:
    """The symbols outside A, C, G and T, by kind."""
    return ", ".join(f"{number:,} {kind}" for kind, number in report["skipped"].items())


def _why_stopped(report: TrainingReport) -> str:
    """Why the vocabulary is smaller than asked for; nothing if it is not."""
    if report["stopped"] == "vocabulary full":
        return ""
    if report["stopped"] == "min_frequency":
        return "no pair occurs as often as --min-frequency asks"
    return "no pair is left to merge: the corpus is used up, or --max-token-length is reached"


def _longest(tokens: list[str], width: int) -> str:
    """The three longest tokens, elided to about one line together."""
    shown = tokens[:3]
    each = max((width - 20) // max(len(shown), 1), 20)
    return "  ".join(figures.shorten(token, each) for token in shown)


def _rounds(report: TrainingReport) -> str:
    """How many passes it took, and what a resumed training began with."""
    passes = count(report["rounds"], "pass", "passes")
    text = f"{passes} over the corpus for {count(report['merges'], 'merge')}"
    if report["resumed_merges"]:
        text += f", the first {report['resumed_merges']:,} from the interrupted run"
    return text


def _phases(report: TrainingReport) -> str:
    """Seconds of each phase of the rounds, all rounds together."""
    rounds = report["round_log"]
    guesses = figures.duration(sum(one["seconds_guess"] for one in rounds))
    passes = figures.duration(sum(one["seconds_pass"] for one in rounds))
    replays = figures.duration(sum(one["seconds_replay"] for one in rounds))
    return f"{guesses} guesses, {passes} passes, {replays} replays" if rounds else ""


def _time(report: TrainingReport) -> str:
    """Seconds and speed."""
    reading, training = report["seconds_reading"], report["seconds_training"]
    parts = f"{figures.duration(reading)} reading, {figures.duration(training)} training"
    speed = figures.rate(report["bases"], reading + training)
    return f"{figures.duration(reading + training)} ({parts}), {count(report['threads'], 'thread')}, {speed}"
