"""From variants to a file of scores, in one call and in bounded memory.

The variants are read twice. The first pass checks every record against the reference, so that a fault at the
end of a file is found before the first score, and counts the variants. The second one scores them in batches
and writes each as it is done.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict

from genotok import _native
from genotok.errors import ArgumentError
from genotok.files.atomic import is_stream
from genotok.files.identity import file_sha256
from genotok.files.outputs import output_file
from genotok.rows.opening import InputFile, head_of
from genotok.variants.edits import WindowEdit
from genotok.variants.journal import ScoreJournal
from genotok.variants.outputs import ScoreTarget, about_scores, columns_of, header_of, score_writer
from genotok.variants.reference import Reference
from genotok.variants.scorer import MAX_TOGETHER
from genotok.variants.vcf import Fitting, VariantRecord, VcfReader, of_texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from genotok.options import Progress
    from genotok.options.variants import ScoreFileOptions
    from genotok.variants.scorer import VariantScorer

__all__ = ["ScoreReport", "score_files"]

MAX_RECORDS = 4096
MAX_TEXT = 1 << 24
"""Records, and characters of them, that are in memory at a time, at most."""


class ScoreReport(TypedDict):
    """What was read, computed and written.

    `records` have `variants` (alternatives) in all, of which some were `scored`, and others `skipped`, by
    reason. `passes` are rows that went through the model, without those of a run that was resumed, whose
    `resumed` variants were there already; `seconds` is the time of the scoring alone.
    """

    output: str
    records: int
    variants: int
    scored: int
    skipped: dict[str, int]
    resumed: int
    passes: int
    seconds: float
    bytes: int


@dataclass(slots=True)
class _Counts:
    """Records and alternatives so far."""

    records: int = 0
    scored: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    def add(self, found: Sequence[WindowEdit | str]) -> None:
        """Count the alternatives of a record."""
        self.records += 1
        for each in found:
            if isinstance(each, str):
                self.skipped[each] += 1
            else:
                self.scored += 1


class _Source:
    """Variants that can be read repeatedly: a VCF, or texts."""

    def __init__(self, variants: Sequence[str]) -> None:
        self._texts: list[VariantRecord] = []
        self._file: InputFile | None = None
        self.header: list[str] = []
        self.paths: list[str] = []
        if len(variants) == 1 and (variants[0] == "-" or os.path.lexists(variants[0])):
            self.paths = [variants[0]]
            self._file = InputFile.of(variants[0], head_of(variants[0]))
            with self.records():
                return
        for each in variants:
            if os.path.lexists(each):
                raise ArgumentError(
                    f"variants={each}: one file is expected, or texts; join files (bcftools concat)"
                )
        if len(variants) == 1 and ">" not in variants[0]:
            raise FileNotFoundError(2, "no such file", variants[0])
        self._texts = of_texts(variants)

    @contextmanager
    def records(self) -> Iterator[Iterator[VariantRecord]]:
        """All records, in order; afterwards the header is known."""
        if self._file is None:
            yield iter(self._texts)
            return
        with self._file.opened() as file:
            reader = VcfReader(file, self._file.path)
            self.header = [*reader.header, "\t".join(reader.columns)]
            yield reader.records()

    @property
    def identity(self) -> Any:  # noqa: ANN401 - any JSON
        """What the variants are known by."""
        return [each.place for each in self._texts] if self._file is None else file_sha256(self._file.place)


def score_files(
    scorer: VariantScorer,
    variants: Sequence[str],
    reference: str | os.PathLike[str],
    output: str | os.PathLike[str],
    options: ScoreFileOptions,
    progress: Progress | None = None,
) -> ScoreReport:
    """Write the scores of variants to the file `output`, atomically.

    VCF keeps all lines and columns of the input and gets fields `GENOTOK_...` in INFO, with a value for each
    alternative. Tables have a row for each alternative: `contig`, `position` (from 1), `id`, `ref`, `alt`,
    the scores, and `skipped`, the reason why there are none.

    Args:
        scorer: The model, and what is computed.
        variants: One VCF (plain, gzip, bgzf, bzip2, xz, zstd), or `-`; or texts such as `chr20:1234:A>G`.
        reference: A FASTA file, of any compression; contigs are looked up by name, exactly.
        output: A name in `.vcf`, `.vcf.gz` (bgzf), `.parquet`, `.csv`, `.tsv` or `.jsonl` (text also with
            `.gz`); or `-` for standard output.
        options: What becomes of variants that do not fit the reference, and of an output that is there.
        progress: Called with a dictionary as the work proceeds; an exception stops it.

    Raises:
        ArgumentError: The output exists, is what is read, or an interrupted run is left of it.
        SequenceFileError: A file is damaged or malformed, or a variant does not fit the reference; names the
            line.
        OSError: A file cannot be read or written.
    """
    target = ScoreTarget.of(os.fspath(output), options.output_format)
    model_files = [] if scorer.folder is None else [str(each) for each in scorer.folder.path.iterdir()]
    source = _Source(variants)
    inputs = [*source.paths, os.fspath(reference), *model_files]
    force = options.force or (options.resume and ScoreJournal.has_ended(target.path))
    with output_file(target.path, target.kind, inputs=inputs, force=force):
        fitting = Fitting(
            contigs := Reference.read(reference),
            scorer.options.window,
            skip_unfitting=options.unfitting == "skip",
        )
        counts, names = _checked(source, fitting, progress)
        header = source.header or header_of({name: len(contigs.contigs[name]) for name in names})
        settings = {name: getattr(scorer.options, name) for name in ("scores", "window", "strands", "dtype")}
        about = about_scores(settings)
        work = _Work(scorer, counts, progress)
        with (
            _journal(work, target, source, reference, options) as work.journal,
            score_writer(target, header, columns_of(scorer.options.scores), about) as (writer, sink),
            source.records() as records,
        ):
            for batch, reasons, edits in _batches(records, fitting):
                writer.write(batch, reasons, work.scores(edits))
                work.report(len(batch))
            if work.journal:
                work.journal.end()
        num_bytes = sink.num_bytes
    return {
        "output": target.path,
        "records": counts.records,
        "variants": counts.scored + counts.skipped.total(),
        "scored": counts.scored,
        "skipped": dict(counts.skipped),
        "resumed": work.resumed,
        "passes": work.passes,
        "seconds": work.seconds,
        "bytes": num_bytes,
    }


def _checked(source: _Source, fitting: Fitting, progress: Progress | None) -> tuple[_Counts, list[str]]:
    """Check all records; how many there are, and the names of their contigs if they are texts."""
    counts, names = _Counts(), dict[str, None]()
    with source.records() as records:
        for record in records:
            found = fitting.alternatives(record)
            counts.add(found)
            if not source.paths and any(isinstance(each, WindowEdit) for each in found):
                names[record.contig] = None
            if progress and counts.records % MAX_RECORDS == 0:
                progress({"phase": "checking", "records": counts.records})
    return counts, list(names)


Batch = tuple[list[VariantRecord], list[list[str]], list[WindowEdit]]


def _batches(records: Iterator[VariantRecord], fitting: Fitting) -> Iterator[Batch]:
    """Records, why each of their alternatives is skipped ("" if not), and the windows of the others."""
    some, reasons, edits, size = [], [], [], 0
    for record in records:
        found = fitting.alternatives(record)
        some.append(record)
        reasons.append([each if isinstance(each, str) else "" for each in found])
        edits += [each for each in found if isinstance(each, WindowEdit)]
        size += sum(map(len, record.columns))
        if len(edits) >= MAX_TOGETHER or len(some) >= MAX_RECORDS or size >= MAX_TEXT:
            yield some, reasons, edits
            some, reasons, edits, size = [], [], [], 0
    if some:
        yield some, reasons, edits


class _Work:
    """Scores batches, or takes those of an interrupted run."""

    def __init__(self, scorer: VariantScorer, counts: _Counts, progress: Progress | None) -> None:
        self.scorer, self._counts, self._progress = scorer, counts, progress
        self.journal: ScoreJournal | None = None
        self.records = self.done = self.resumed = self.passes = 0
        self.seconds = 0.0

    def scores(self, edits: Sequence[WindowEdit]) -> Any:  # noqa: ANN401 - see below
        """The `VariantScores` of a batch."""
        stored = self.journal.stored(len(edits)) if self.journal else None
        if stored is None:
            start = time.monotonic()
            stored = self.scorer.score_windows(edits)
            self.seconds += time.monotonic() - start
            if self.journal:
                self.journal.append(stored)
        else:
            self.resumed += len(edits)
        self.passes += stored.num_passes
        self.done += len(edits)
        return stored

    def report(self, records: int) -> None:
        """Tell the progress that so many more records are written."""
        self.records += records
        if self._progress:
            variants = {"variants": self.done, "variants_total": self._counts.scored}
            done = {"records": self.records, "records_total": self._counts.records}
            self._progress({"phase": "scoring", **variants, **done})


@contextmanager
def _journal(
    work: _Work,
    target: ScoreTarget,
    source: _Source,
    reference: str | os.PathLike[str],
    options: ScoreFileOptions,
) -> Iterator[ScoreJournal | None]:
    """The journal of a run, which is removed at its end, and kept if it is interrupted; None for a stream."""
    if is_stream(target.path):
        if options.resume:
            raise ArgumentError("resume: a stream cannot be resumed; name a file")
        yield None
        return
    identity = {
        "genotok": _native.VERSION,
        "model": None if work.scorer.folder is None else work.scorer.folder.digests(),
        "variants": source.identity,
        "reference": file_sha256(os.fspath(reference)),
        "unfitting": options.unfitting,
        "options": {
            name: getattr(work.scorer.options, name) for name in ("scores", "window", "strands", "dtype")
        },
    }
    journal = ScoreJournal(target.path, identity, resume=options.resume, force=options.force)
    try:
        yield journal
    except BaseException:
        journal.close()
        raise
    journal.remove()
