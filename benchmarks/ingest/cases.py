"""The cases: what is read, what is done with it, and the speed that is aimed at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.ingest.worker import Work

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.ingest.sources import Paths, Sources

Options = dict[str, Any]

WINDOW = 1000
VOCAB_SIZE = 4096
KMER = 6
BPE, KMERS = "bpe", "kmer"
"""The tokenizers: trained on the genome, and non-overlapping 6-mers."""

WINDOWS: Options = {"window": WINDOW}
RECORDS: Options = {}


@dataclass(frozen=True)
class Case:
    """One line of the table.

    Attributes:
        key: By which `--only` chooses it.
        title: What it is called in tables.
        files: Its inputs; they are written when they are asked for.
        kind: What is done (`Work.kind`).
        options: The keywords of the function.
        output: The name of what is written; a folder ends in `/`.
        aim: Mbp/s on two cores that are aimed at.
        aim_seconds: Seconds on two cores that are aimed at.
        max_runs: No more rounds than this.
        note: What the title does not say.
    """

    key: str
    title: str
    files: Callable[[Sources], Paths]
    kind: str = "encode"
    options: Options = field(default_factory=dict)
    output: str = "out.arrow"
    tokenizer: str = BPE
    aim: int | None = None
    aim_seconds: float | None = None
    max_runs: int = 9
    note: str = ""

    def work(self, sources: Sources, tokenizers: dict[str, str], output: str) -> Work:
        """The work of a child that writes to a path before `output`'s name."""
        options = dict(self.options)
        if options.get("region") == LAST_BASE:
            options["region"] = f"{sources.name}:{sources.bases}-{sources.bases}"
        path = "" if self.kind == "stream" else f"{output}-{self.output}"
        return Work(self.kind, self.files(sources), path, tokenizers[self.tokenizer], options)

    def command(self, work: Work) -> list[str] | None:
        """The command line of the same work without threads; None where there is no such command."""
        if self.kind not in {"encode", "pack"} or self.options.keys() - {"window", "uppercase"}:
            return None
        arguments = [self.kind, *work.files, "-o", work.output, "--force", "--quiet"]
        if self.kind == "encode":
            arguments += ["--tokenizer", work.tokenizer]
        if "window" in self.options:
            arguments += ["--window", str(self.options["window"])]
        return [*arguments, *(["--uppercase"] if self.options.get("uppercase") else [])]


LAST_BASE = "the last base"


def num_bases(case: Case, sources: Sources) -> int:
    """The symbols that a case reads."""
    if case.key == "short-reads":
        return sources.sizes.short_records * 36
    if case.key == "small-files":
        return sources.sizes.small_files * sources.sizes.small_bases
    return sources.bases


SPEED = (
    Case("windows", "plain FASTA, windows of 1,000", lambda s: s.plain, options=WINDOWS, aim=1400),
    Case("records", "plain FASTA, whole records", lambda s: s.plain, options=RECORDS, aim=1000),
    Case("shards", "plain FASTA, windows of 1,000, folder with refget digests", lambda s: s.plain,
         options=WINDOWS, output="shards/", aim=800),
    Case("stream", "plain FASTA, windows of 1,000, rows in memory", lambda s: s.plain, "stream", WINDOWS,
         note="Nothing is written."),
    Case("stream-digests", "the same with refget digests", lambda s: s.plain, "stream",
         {**WINDOWS, "digests": True}, note="Nothing is written."),
    Case("parquet", "plain FASTA, windows of 1,000, Parquet", lambda s: s.plain, options=WINDOWS,
         output="out.parquet", aim=600),
    Case("bgzf", "BGZF, windows of 1,000", lambda s: s.bgzf, options=WINDOWS, aim=1100),
    Case("gzip", "gzip of one member, windows of 1,000", lambda s: s.gzip, options=WINDOWS,
         note="The aim is the speed of the next line."),
    Case("gzip-read", "gzip of one member, read alone", lambda s: s.gzip, "stream", {"region": LAST_BASE},
         note="A region of one base at its end: everything is decompressed and parsed, one row is encoded."),
    Case("gzip-four", "four gzip files, windows of 1,000", lambda s: s.four_gzip, options=WINDOWS, aim=1000),
    Case("xz", "xz, windows of 1,000", lambda s: s.xz, options=WINDOWS, max_runs=3),
    Case("zstd", "zstd, windows of 1,000", lambda s: s.zstd, options=WINDOWS, max_runs=5),
    Case("masked", "half in lower case, windows of 1,000", lambda s: s.masked,
         options={**WINDOWS, "allow_unknown": 1.0}, note="Lower case becomes the unknown token."),
    Case("masked-uppercase", "half in lower case, windows of 1,000, read as upper case", lambda s: s.masked,
         options={**WINDOWS, "uppercase": True}),
    Case("reads-fasta", "reads of 150 bases, FASTA", lambda s: s.fasta_reads, options=RECORDS, aim=600),
    Case("reads-fastq", "reads of 150 bases, FASTQ", lambda s: s.fastq_reads, options=RECORDS, aim=600),
    Case("short-reads", "records of 36 bases, FASTA", lambda s: s.short_reads, options=RECORDS, max_runs=5),
    Case("small-files", "many files of 5 kb into shards", lambda s: s.small, options=RECORDS,
         output="small/", aim_seconds=5.0, max_runs=1),
    Case("pack", "pack, one plain file", lambda s: s.plain, "pack", output="one.pack"),
    Case("pack-four", "pack, four gzip files", lambda s: s.four_gzip, "pack", output="four.pack"),
    Case("train", "train-bpe, 4,096 tokens, one gzip file", lambda s: s.gzip, "train",
         {"vocab_size": VOCAB_SIZE}, "tokenizer.json", max_runs=3),
    Case("train-four", "train-bpe, 4,096 tokens, four gzip files", lambda s: s.four_gzip, "train",
         {"vocab_size": VOCAB_SIZE}, "tokenizer.json", max_runs=3),
    Case("kmer", "non-overlapping 6-mers, one gzip file", lambda s: s.gzip, options=WINDOWS,
         tokenizer=KMERS, max_runs=5),
    Case("kmer-four", "non-overlapping 6-mers, four gzip files", lambda s: s.four_gzip, options=WINDOWS,
         tokenizer=KMERS, max_runs=5),
)  # fmt: skip

COPIES = (1, 8, 64)
MEMORY = (
    *(
        Case(f"encode-{number}{'-gz' if packed else ''}",
             f"encode, {number} {'gzip' if packed else 'plain'} file{'s' if number > 1 else ''}",
             lambda s, number=number, packed=packed: s.copies(number, packed=packed), options=WINDOWS)
        for packed in (False, True)
        for number in COPIES
    ),
    *(
        Case(f"pack-{number}", f"pack, {number} gzip file{'s' if number > 1 else ''}",
             lambda s, number=number: s.copies(number, packed=True), "pack", output="many.pack")
        for number in COPIES
    ),
    *(
        Case(f"train-{number}", f"train-bpe, {number} gzip file{'s' if number > 1 else ''}",
             lambda s, number=number: s.copies(number, packed=True), "train", {"vocab_size": VOCAB_SIZE},
             "tokenizer.json")
        for number in COPIES
    ),
    Case("long-windows", "encode, one long record, windows of 1,000", lambda s: s.long_record,
         options=WINDOWS),
    Case("long-row", "encode, one long record as one row", lambda s: s.long_record, options=RECORDS),
)  # fmt: skip


def chosen(cases: tuple[Case, ...], keys: list[str] | None) -> list[Case]:
    """The cases of these keys; all without any.

    Raises:
        ValueError: There is no case of a key.
    """
    known = {case.key for case in cases}
    if missing := [key for key in keys or [] if key not in known]:
        raise ValueError(f"no case {', '.join(missing)}; there are {', '.join(sorted(known))}")
    return [case for case in cases if keys is None or case.key in keys]


def output_of(folder: Path, *names: object) -> str:
    """A path for the output of a child, before the name that the case gives it."""
    return str(folder / "-".join(map(str, names)))


def missed(aim: float | None, aim_seconds: float | None, bases: int, result: dict[str, Any]) -> bool:
    """Whether the last build on two cores misses what is aimed at."""
    if result["build"] != "after" or result["cores"] != 2:
        return False
    speed = bases / result["seconds"] / 1e6
    return (aim is not None and speed < aim) or (aim_seconds is not None and result["seconds"] > aim_seconds)
