"""Scored variants as VCF or as a table."""

from __future__ import annotations

import json
import struct
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Protocol, get_args

import pyarrow as pa

from genotok import _native
from genotok.dataset.metadata import describe
from genotok.errors import SequenceFileError
from genotok.files import kinds
from genotok.files.atomic import ByteSink, is_stream, open_sink
from genotok.files.outputs import named
from genotok.options import TableFormat
from genotok.rows.targets import RowTarget
from genotok.rows.writers import RowWriter, row_writer
from genotok.variants.vcf import COLUMNS, utf8

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from genotok.files.kinds import OutputKind
    from genotok.variants.scores import VariantScores
    from genotok.variants.vcf import VariantRecord

__all__ = ["ScoreTarget", "ScoreWriter", "about_scores", "columns_of", "header_of", "score_writer"]

FIELDS = {
    "pll": ("GENOTOK_PLL", "Float", "Difference of pseudo-log-likelihoods, ALT minus REF, natural logarithm"),
    "pll_per_base": ("GENOTOK_PLL_BASE", "Float", "The same per base of the affected tokens"),
    "marginal": ("GENOTOK_MARGINAL", "Float", "Logarithm of the ratio of base probabilities, ALT to REF"),
    "mass": ("GENOTOK_MASS", "Float", "Probability of all candidates of GENOTOK_MARGINAL"),
    "marginal_from": ("GENOTOK_FROM", "String", "Strands of GENOTOK_MARGINAL, or pll where it is that"),
    "embedding": ("GENOTOK_EMBEDDING", "Float", "Distance of the mean vectors of both windows"),
    "tokens_before": ("GENOTOK_BEFORE", "Integer", "Affected tokens of the reference, forward strand"),
    "tokens_after": ("GENOTOK_AFTER", "Integer", "Affected tokens of the alternative, forward strand"),
}
SKIPPED_FIELD = ("GENOTOK_SKIPPED", "String", "Why an alternative has no scores")
OF_SCORE = {
    "pll": ("pll", "pll_per_base"),
    "marginal": ("marginal", "mass", "marginal_from"),
    "embedding": ("embedding",),
}
BGZF_BLOCK = 65_280
BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


@dataclass(frozen=True, slots=True)
class ScoreTarget:
    """An output as the user named it.

    Attributes:
        path: The file; `-` for standard output.
        form: Its format.
        table: The same as the target of a table; None for VCF.
    """

    path: str
    form: str
    table: RowTarget | None

    @classmethod
    def of(cls, output: str, form: str | None) -> ScoreTarget:
        """The output at a path, in the format `form`, or in that of its ending; of a stream, VCF.

        Raises:
            ArgumentError: The ending is of no format, or of another than `form`.
        """
        path = named(output)
        is_vcf = path.lower().endswith((".vcf", ".vcf.gz"))
        is_other = (
            path.lower().removesuffix(".gz").endswith((".parquet", ".csv", ".tsv", ".jsonl", ".ndjson"))
        )
        if (is_vcf and form is None) or (form == "vcf" and not is_other):
            return cls(path, "vcf", None)
        if form is None and not is_other and is_stream(path):
            return cls(path, "vcf", None)
        table = RowTarget.of(path, form, get_args(TableFormat))
        return cls(path, table.form, table)

    @property
    def kind(self) -> OutputKind:
        """Its kind, which decides what it may replace."""
        return kinds.SCORED_VCF if self.table is None else self.table.kind


def columns_of(scores: Sequence[str]) -> list[str]:
    """The columns of scores that were asked for."""
    found = [name for score in scores for name in OF_SCORE[score]]
    return [*found, "tokens_before", "tokens_after"]


class ScoreWriter(Protocol):
    """Writes records with their scores."""

    def write(
        self, records: Sequence[VariantRecord], reasons: Sequence[Sequence[str]], scores: VariantScores
    ) -> None:
        """Append records.

        Args:
            records: The records.
            reasons: Of each, why each alternative is skipped; "" for those with scores.
            scores: Those of all other alternatives, in order.
        """
        ...


@contextmanager
def score_writer(
    target: ScoreTarget, header: Sequence[str], columns: Sequence[str], about: Mapping[str, Any]
) -> Iterator[tuple[ScoreWriter, ByteSink]]:
    """A writer to an output, which is written atomically at the end of a `with` block.

    Args:
        target: The output.
        header: The lines of a VCF's header, that of its columns last; for VCF alone.
        columns: The columns of scores.
        about: What the file says of itself.

    Raises:
        OSError: It cannot be written.
    """
    if target.table is not None:
        with row_writer(target.table, _schema(columns, about)) as (writer, sink):
            yield _Table(writer, columns, about), sink
        return
    sink = open_sink(target.path)
    try:
        stream: Any = _Bgzf(sink) if target.path.lower().endswith(".gz") else sink
        yield _Vcf(stream, header, columns, about), sink
        if isinstance(stream, _Bgzf):
            stream.finish()
        sink.commit()
    finally:
        sink.discard()


class _Vcf(ScoreWriter):
    """The lines of a VCF, with fields in INFO, of which each alternative has one value."""

    def __init__(
        self, stream: IO[bytes], header: Sequence[str], columns: Sequence[str], about: Mapping[str, Any]
    ) -> None:
        self._stream, self._columns = stream, columns
        first = header[0] if header[0].startswith("##fileformat=") else "##fileformat=VCFv4.3"
        kept = [line for line in header[:-1] if not line.startswith("##fileformat=")]
        for line in kept:
            if line.startswith("##INFO=<ID=GENOTOK_"):
                raise SequenceFileError(
                    f"{line[:60]}: the VCF has scores of genotok; remove them (bcftools annotate -x INFO/...)"
                )
        fields = [*(FIELDS[name] for name in columns), SKIPPED_FIELD]
        added = [
            f'##INFO=<ID={name},Number=A,Type={kind},Description="{text}">' for name, kind, text in fields
        ]
        self._put([first, f"##genotok_score={json.dumps(about)}", *kept, *added, header[-1]])

    def write(
        self, records: Sequence[VariantRecord], reasons: Sequence[Sequence[str]], scores: VariantScores
    ) -> None:
        """Append records."""
        texts = {name: iter(_shown(getattr(scores, name))) for name in self._columns}
        lines = []
        for record, why in zip(records, reasons, strict=True):
            fields = []
            if not all(why):
                for name in self._columns:
                    values = ("." if reason else next(texts[name]) for reason in why)
                    fields.append(f"{FIELDS[name][0]}={','.join(values)}")
            if any(why):
                fields.append(f"{SKIPPED_FIELD[0]}={','.join(reason or '.' for reason in why)}")
            columns = list(record.columns)
            before = [] if columns[7] in {".", ""} else [columns[7]]
            columns[7] = ";".join([*before, *fields])
            lines.append("\t".join(columns))
        self._put(lines)

    def _put(self, lines: Sequence[str]) -> None:
        if lines:
            self._stream.write(("\n".join(lines) + "\n").encode("utf-8", "surrogateescape"))


class _Table(ScoreWriter):
    """A row for each alternative."""

    def __init__(self, writer: RowWriter, columns: Sequence[str], about: Mapping[str, Any]) -> None:
        self._writer, self._columns = writer, columns
        self._schema = _schema(columns, about)

    def write(
        self, records: Sequence[VariantRecord], reasons: Sequence[Sequence[str]], scores: VariantScores
    ) -> None:
        """Append records."""
        rows = [
            (utf8(record.contig), record.position, record.name, record.ref, utf8(each), reason or None)
            for record, why in zip(records, reasons, strict=True)
            for each, reason in zip(record.alternatives, why, strict=True)
        ]
        if not rows:
            return
        places = [list(each) for each in zip(*rows, strict=True)]
        is_scored = [reason is None for reason in places.pop()]
        found = [_filled(getattr(scores, name), is_scored) for name in self._columns]
        columns = [*places, *found, [row[-1] for row in rows]]
        arrays = [pa.array(each, kind) for each, kind in zip(columns, self._schema.types, strict=True)]
        self._writer.write(pa.record_batch(arrays, schema=self._schema))


def _filled(values: NDArray[Any], is_scored: Sequence[bool]) -> list[Any]:
    """Scores at the places that have some; None at others, and for what does not exist."""
    found = iter([None if each in {"", None} or each != each else each for each in values.tolist()])  # noqa: PLR0124
    return [next(found) if there else None for there in is_scored]


def _schema(columns: Sequence[str], about: Mapping[str, Any]) -> pa.Schema:
    """The columns of a table, and what the file says of itself."""
    kinds_of = {"Float": pa.float64(), "String": pa.string(), "Integer": pa.int64()}
    head = [("contig", pa.string()), ("position", pa.int64()), ("id", pa.string())]
    alleles = [("ref", pa.string()), ("alt", pa.string())]
    scores = [(name, kinds_of[FIELDS[name][1]]) for name in columns]
    return describe(pa.schema([*head, *alleles, *scores, ("skipped", pa.string())]), json.dumps(about))


class _Bgzf:
    """Blocks of gzip as tabix reads them."""

    def __init__(self, sink: ByteSink) -> None:
        self._sink, self._waiting = sink, bytearray()

    def write(self, data: bytes) -> int:
        """Append data."""
        self._waiting += data
        while len(self._waiting) >= BGZF_BLOCK:
            self._block(bytes(self._waiting[:BGZF_BLOCK]))
            del self._waiting[:BGZF_BLOCK]
        return len(data)

    def finish(self) -> None:
        """Write what is left, and the empty block that ends a file."""
        if self._waiting:
            self._block(bytes(self._waiting))
        self._sink.write(BGZF_END)

    def _block(self, data: bytes) -> None:
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        packed = packer.compress(data) + packer.flush()
        head = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0" + struct.pack("<H", len(packed) + 25)
        self._sink.write(head + packed + struct.pack("<II", zlib.crc32(data), len(data)))


def header_of(contigs: Mapping[str, int]) -> list[str]:
    """The header of a VCF for variants that were given as texts."""
    lines = [f"##contig=<ID={name},length={length}>" for name, length in contigs.items()]
    return ["##fileformat=VCFv4.3", *lines, "\t".join(COLUMNS)]


def about_scores(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a file of scores says of itself."""
    return {"genotok": _native.VERSION, "options": dict(settings)}


def _shown(values: Any) -> list[str]:  # noqa: ANN401 - an array of numbers or texts
    """Values as VCF shows them."""
    if values.dtype.kind == "f":
        return ["." if number != number else f"{number:.6g}" for number in values.tolist()]  # noqa: PLR0124
    return [str(each) or "." for each in values.tolist()]
