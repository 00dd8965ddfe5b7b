"""From a region of a reference to a track of numbers for each base, in one call."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, get_args

import torch

from genotok.embedding.embedder import device_called
from genotok.errors import ArgumentError
from genotok.files.outputs import output_file
from genotok.model import SequenceClassifier
from genotok.model.checkpoint import load
from genotok.model_folder.read import read_folder
from genotok.options import TableFormat
from genotok.options.variants import ScoringOptions
from genotok.rows.targets import RowTarget
from genotok.variants.reference import Reference
from genotok.variants.region_files import (
    BIG_WIG,
    RegionReport,
    check_big_wig,
    track_kind,
    write_base_table,
    write_values,
)
from genotok.variants.regions import ContigRegion
from genotok.variants.rows import RowMaker
from genotok.variants.scorer import VariantScorer
from genotok.variants.tracks import BaseTrack, attribution_track, masked_track

if TYPE_CHECKING:
    from collections.abc import Callable

    from genotok.model_folder.read import ModelFolder
    from genotok.options import Progress
    from genotok.options.variants import TrackOptions

__all__ = ["track"]

TRACKS = ("bedgraph", *get_args(TableFormat))


def track(
    model: str | os.PathLike[str],
    reference: str | os.PathLike[str],
    region: str,
    output: str | os.PathLike[str],
    options: TrackOptions,
    progress: Progress | None = None,
) -> RegionReport:
    """Write numbers for each base of a region to the file `output`, atomically.

    A table has a row for each base with all columns of `tracks`; bedGraph and bigWig have the one that
    `options.show` names.

    Args:
        model: A folder with a masked language model; for `show="attribution"`, with a classifier.
        reference: A FASTA file, of any compression.
        region: Such as `chr20:1-2,000`, from 1, both ends included.
        output: A name in `.bedgraph`, `.bw`, `.parquet`, `.csv`, `.tsv` or `.jsonl`; or `-`.
        options: What is shown, and how it is computed.
        progress: Called with a dictionary as the work proceeds; an exception stops it.

    Raises:
        ArgumentError: The region is not in the reference, the output exists or is what is read, the model has
            no such head or class.
        SequenceFileError: The reference is damaged or malformed.
        OSError: A file cannot be read or written.
    """
    path = os.fspath(output)
    is_big_wig = path.lower().endswith(BIG_WIG)
    target = None if is_big_wig else RowTarget.of(path, options.output_format, TRACKS)
    if is_big_wig:
        check_big_wig(path)
    kind = track_kind(path) if target is None else target.kind
    folder = read_folder(model)
    inputs = [os.fspath(reference), *(str(each) for each in folder.path.iterdir())]
    with output_file(path, kind, inputs=inputs, force=options.force):
        compute = _attribution(folder, options) if options.show == "attribution" else _masked(folder, options)
        place = ContigRegion.of(region, Reference.read(reference))
        start = time.monotonic()
        found: BaseTrack = compute(place, progress)
        seconds = time.monotonic() - start
        if target is None or target.form == "bedgraph":
            write_values(path, place, found.columns[options.show], target)
        else:
            write_base_table(target, place, found.columns)
    return {
        "output": path,
        "region": str(place),
        "bases": len(place),
        "variants": 0,
        "passes": found.num_passes,
        "seconds": seconds,
    }


def _masked(
    folder: ModelFolder, options: TrackOptions
) -> Callable[[ContigRegion, Progress | None], BaseTrack]:
    """Computes probabilities of bases."""
    if options.class_name is not None:
        raise ArgumentError(f"class={options.class_name}: is for --show attribution")
    scoring = ScoringOptions(
        window=options.window,
        strands=options.strands,
        batch_tokens=options.batch_tokens,
        device=options.device,
        threads=options.threads,
    )
    scorer = VariantScorer(folder.path, None, scoring)
    return lambda region, progress: masked_track(scorer, region, progress)


def _attribution(
    folder: ModelFolder, options: TrackOptions
) -> Callable[[ContigRegion, Progress | None], BaseTrack]:
    """Computes the shares of bases in an output of a classifier."""
    folder.check_classifier()
    classes = folder.classes
    wanted = options.class_name
    if wanted is None and len(classes) > 2:
        raise ArgumentError(f"class: one of {', '.join(classes)} is expected")
    if wanted is not None and wanted not in classes:
        raise ArgumentError(f"class={wanted}: one of {', '.join(classes)} is expected")
    number = len(classes) - 1 if wanted is None else classes.index(wanted)
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    maker = RowMaker(folder.tokenizer())
    folder.check_weights()
    model = SequenceClassifier(folder.settings.encoder, len(classes))
    try:
        load(model, folder.path, strict=False)
    except ValueError as error:
        raise ArgumentError(str(error)) from None
    model.to(device_called(options.device)).eval()
    how = options.window, options.strands
    return lambda region, progress: attribution_track(model, maker, region, number, how, progress)
