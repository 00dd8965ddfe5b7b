"""From a region of a reference to tables, tracks and plots, in one call.

All outputs are checked and claimed before the first score, and written atomically at the end.
"""

from __future__ import annotations

import importlib
import os
import tempfile
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, TypedDict, get_args

import numpy as np
import pyarrow as pa

from genotok.errors import ArgumentError
from genotok.files import kinds
from genotok.files.atomic import write_atomic
from genotok.files.outputs import output_file
from genotok.files.reading import open_reading
from genotok.options import OutputFormat, TableFormat
from genotok.rows.targets import RowTarget
from genotok.rows.writers import row_writer
from genotok.variants.outputs import ScoreTarget, about_scores, columns_of, score_writer
from genotok.variants.plots import MAX_PLOTTED, heat_map
from genotok.variants.reference import Reference
from genotok.variants.regions import ContigRegion
from genotok.variants.saturation import mutate
from genotok.variants.vcf import VariantRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from genotok.options import Progress
    from genotok.options.variants import MutagenesisOptions
    from genotok.variants.saturation import Mutations
    from genotok.variants.scorer import VariantScorer

__all__ = [
    "BIG_WIG",
    "RegionReport",
    "check_big_wig",
    "mutagenesis",
    "track_kind",
    "write_base_table",
    "write_values",
]

BIG_WIG = (".bw", ".bigwig")
BED_GRAPH: tuple[OutputFormat] = ("bedgraph",)


class RegionReport(TypedDict):
    """What was computed: `passes` are rows that went through the model, `bases` those of the region."""

    output: str
    region: str
    bases: int
    variants: int
    passes: int
    seconds: float


def mutagenesis(
    scorer: VariantScorer,
    reference: str | os.PathLike[str],
    region: str,
    output: str | os.PathLike[str],
    options: MutagenesisOptions,
    progress: Progress | None = None,
) -> RegionReport:
    """Write the scores of all substitutions of a region to the file `output`, atomically.

    The table has the columns of `score_files`: `contig`, `position` (from 1), `id`, `ref`, `alt`, the scores.

    Args:
        scorer: The model, and what is computed.
        reference: A FASTA file, of any compression.
        region: Such as `chr20:1-2,000`, from 1, both ends included.
        output: A name in `.parquet`, `.csv`, `.tsv` or `.jsonl` (text also with `.gz`); or `-`.
        options: Deletions, a plot, a track, and the score that both show.
        progress: Called with a dictionary as the work proceeds; an exception stops it.

    Raises:
        ArgumentError: The region is not in the reference, an output exists, or is what is read.
        SequenceFileError: The reference is damaged or malformed.
        OSError: A file cannot be read or written.
    """
    table = RowTarget.of(os.fspath(output), options.output_format, get_args(TableFormat))
    target = ScoreTarget(table.path, table.form, table)
    if options.score not in scorer.options.scores:
        raise ArgumentError(f"score={options.score}: is not computed; add it to scores")
    model_files = [] if scorer.folder is None else [str(each) for each in scorer.folder.path.iterdir()]
    inputs = [os.fspath(reference), *model_files]
    with ExitStack() as held:
        held.enter_context(output_file(target.path, target.kind, inputs=inputs, force=options.force))
        plot = track = None
        if options.plot is not None:
            plot = held.enter_context(
                output_file(options.plot, kinds.PLOT, inputs=inputs, force=options.force)
            )
        if options.track is not None:
            check_big_wig(options.track)
            kind = track_kind(options.track)
            track = held.enter_context(output_file(options.track, kind, inputs=inputs, force=options.force))
        place = ContigRegion.of(region, Reference.read(reference))
        if plot and len(place) > MAX_PLOTTED:
            raise ArgumentError(
                f"plot: {len(place):,} bases are too many; at most {MAX_PLOTTED:,} are plotted"
            )
        start = time.monotonic()
        found = mutate(scorer, place, deletions=options.deletions, progress=progress)
        seconds = time.monotonic() - start
        _write_table(found, scorer, target)
        if plot:
            plot.write(heat_map(found, options.score).encode())
        if track:
            write_values(track.path, place, found.means(options.score))
    return {
        "output": target.path,
        "region": str(place),
        "bases": len(place),
        "variants": len(found.scores),
        "passes": found.scores.num_passes,
        "seconds": seconds,
    }


def _write_table(found: Mutations, scorer: VariantScorer, target: ScoreTarget) -> None:
    """Write the table of all substitutions."""
    name = found.region.contig.name
    rows = zip(found.places.tolist(), found.refs.tolist(), found.alts.tolist(), strict=True)
    records = [VariantRecord("", (name, str(at + 1), ".", ref, alt)) for at, ref, alt in rows]
    names = ("scores", "window", "strands", "dtype")
    about = about_scores({each: getattr(scorer.options, each) for each in names})
    with score_writer(target, [], columns_of(scorer.options.scores), about) as (writer, _):
        writer.write(records, [[""]] * len(records), found.scores)


def track_kind(path: str) -> kinds.OutputKind:
    """The kind of a track, by its name."""
    return kinds.BIGWIG if path.lower().endswith(BIG_WIG) else kinds.BEDGRAPH


def check_big_wig(path: str) -> None:
    """Raise an error if a track cannot be written: of a name in .bw, if pyBigWig is not installed.

    Raises:
        ArgumentError: It cannot.
    """
    if not path.lower().endswith(BIG_WIG):
        RowTarget.of(path, None, BED_GRAPH)
        return
    try:
        importlib.import_module("pyBigWig")
    except ImportError:
        raise ArgumentError(
            f"output={path}: bigWig needs pyBigWig, which is not installed: pip install pyBigWig; "
            "or name a file in .bedgraph"
        ) from None


def write_values(
    path: str, region: ContigRegion, values: NDArray[np.float64], target: RowTarget | None = None
) -> None:
    """Write a number for each base that has one as bedGraph, or as bigWig by the name."""
    at = np.flatnonzero(np.isfinite(values))
    starts, numbers = at + region.start, values[at]
    if path.lower().endswith(BIG_WIG):
        _write_big_wig(path, region, starts, numbers)
        return
    target = target or RowTarget.of(path, None, BED_GRAPH)
    names, ends = pa.array([region.contig.name] * len(at), pa.string()), pa.array(starts + 1)
    columns = {"record": names, "start": pa.array(starts), "end": ends, "value": pa.array(numbers)}
    batch = pa.record_batch(list(columns.values()), names=list(columns))
    with row_writer(target, batch.schema, value="value") as (writer, _):
        writer.write(batch)


def _write_big_wig(
    path: str, region: ContigRegion, starts: NDArray[np.int64], numbers: NDArray[np.float64]
) -> None:
    """Write a bigWig: pyBigWig makes a file by name, so it is made beside and copied atomically."""
    writer = importlib.import_module("pyBigWig")
    with tempfile.TemporaryDirectory(prefix="genotok-") as folder:
        place = os.path.join(folder, "track.bw")
        file = writer.open(place, "w")
        file.addHeader([(region.contig.name, len(region.contig))])
        if len(starts):
            names = [region.contig.name] * len(starts)
            ends = (starts + 1).tolist()
            file.addEntries(names, starts.tolist(), ends=ends, values=numbers.tolist())
        file.close()
        with open_reading(place) as made:
            write_atomic(path, made.read())


def write_base_table(
    target: RowTarget, region: ContigRegion, columns: Mapping[str, NDArray[np.float64]]
) -> None:
    """Write a table with a row for each base: `contig`, `position` (from 1), `base`, and the numbers."""
    size = len(region)
    head = {
        "contig": pa.array([region.contig.name] * size, pa.string()),
        "position": pa.array(np.arange(region.start + 1, region.end + 1)),
        "base": pa.array(list(region.bases), pa.string()),
    }
    numbers = {name: pa.array(values, from_pandas=True) for name, values in columns.items()}
    whole = head | numbers
    batch = pa.record_batch(list(whole.values()), names=list(whole))
    with row_writer(target, batch.schema) as (writer, _):
        writer.write(batch)
