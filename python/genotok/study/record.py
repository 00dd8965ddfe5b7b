"""A whole study: every tokenizer on every genome, as one record."""

from __future__ import annotations

import time
import warnings
from itertools import combinations
from typing import TYPE_CHECKING, Any

from genotok.errors import ArgumentError, GenotokWarning
from genotok.files.identity import files_sha256, vocabulary_sha256
from genotok.run_records.machine import peak_memory
from genotok.run_records.provenance import Provenance
from genotok.run_records.schemas import StudyRecord
from genotok.study.agreement import agreement
from genotok.study.counting import SEED
from genotok.study.measures import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from genotok.study.genomes import Genome
    from genotok.study.subjects import Subject

__all__ = ["CAVEATS", "claims", "study"]

Record = dict[str, Any]

CAVEATS = (
    (
        "Overlapping k-mers write every base k times, so that their bits per base are no measure of "
        "compression; they are what an encoder's input holds."
    ),
    (
        "The entropies are fitted to the genome that they are measured on, and a table of frequencies is not "
        "counted: a large vocabulary on a small genome looks better than it would on new sequence."
    ),
    "A vocabulary fits the genome that it was trained on best; compare it on others.",
    (
        "Information between neighbours is estimated from pair counts with the Miller-Madow correction. "
        "Where different pairs are many and the genome is small a bias remains; the figure for shuffled "
        "tokens shows about how much."
    ),
    (
        "Shift, substitution and reverse-complement consistency are means over at most 512 windows of 1,000 "
        "bases, evenly spread. A shift changes the same few byte-pair tokens in a longer window: their share "
        "falls with its length."
    ),
    "Symbols other than A, C, G and T take no part; windows that hold one are left out.",
    (
        "Operations are counted from the sizes of the DNABERT-2 encoder, not timed, for 1,000 bases and two "
        "special tokens; a model for k-mers would have a table of embeddings of another size."
    ),
)
"""What limits every such comparison."""


def study(
    subjects: Iterable[Subject],
    genomes: Iterable[Genome],
    *,
    uppercase: bool = True,
    threads: int | None = None,
    on_status: Callable[[str, float], None] | None = None,
) -> Record:
    """Measure every tokenizer on every genome.

    Args:
        subjects: The tokenizers; their names must differ.
        genomes: The genomes; their names must differ.
        uppercase: Read lower-case bases as upper-case ones.
        threads: Threads to encode on; None for all cores.
        on_status: Called before each tokenizer and genome with what comes next and the share that is done.

    Returns:
        A `StudyRecord` as an object of JSON: provenance, tokenizers, genomes, measures (numbers for each
        tokenizer on each genome), curves, agreement, claims, caveats.

    Raises:
        ArgumentError: A name is given twice, or nothing is to be measured.
        SequenceFileError, OSError: A file is not what it should be, or cannot be read.
    """
    start = time.monotonic()
    chosen, places = list(subjects), list(genomes)
    _refuse_repeats("tokenizer", [subject.name for subject in chosen])
    _refuse_repeats("genome", [genome.name for genome in places])
    measures: list[Record] = []
    curves: list[Record] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GenotokWarning)  # what it would tell is among the measures
        for number, (genome, subject) in enumerate((g, s) for g in places for s in chosen):
            if on_status:
                on_status(f"{subject.name} on {genome.name}", number / (len(chosen) * len(places)))
            found, lines = measure(subject, genome, uppercase=uppercase, threads=threads)
            measures.append(found)
            curves.extend(lines)
    return StudyRecord(
        provenance=Provenance.now(seeds=[SEED], inputs=_digests(chosen, places)),
        seconds=round(time.monotonic() - start, 2),
        peak_memory_bytes=peak_memory(),
        options={"uppercase": uppercase},
        tokenizers=[subject.describe() for subject in chosen],
        genomes=[genome.describe() for genome in places],
        measures=measures,
        curves=curves,
        agreement=[agreement(left, right) for left, right in _comparable(chosen)],
        claims=claims(chosen, measures),
        caveats=list(CAVEATS),
    ).to_json()


def _digests(subjects: list[Subject], genomes: list[Genome]) -> dict[str, Any]:
    """The digests of vocabularies and sequence files."""
    return {
        "tokenizers": {subject.name: vocabulary_sha256(subject.tokenizer) for subject in subjects},
        "genomes": {genome.name: files_sha256(genome.files) for genome in genomes},
    }


def _comparable(subjects: list[Subject]) -> Iterator[tuple[Subject, Subject]]:
    """The byte-pair tokenizers two and two, those of equal size and those that are whole.

    A truncated one has all tokens with what it was cut from: such pairs are left out.
    """
    for left, right in combinations([subject for subject in subjects if subject.kind == "bpe"], 2):
        are_whole = (left.name, right.name) == (left.origin, right.origin)
        sizes = {left.tokenizer.vocab_size, right.tokenizer.vocab_size}
        if left.origin != right.origin and (are_whole or len(sizes) == 1):
            yield left, right


def claims(subjects: list[Subject], measures: list[Record]) -> list[Record]:
    """What DNABERT-2's paper says (Zhou et al., ICLR 2024), each beside what was measured.

    - Byte-pair tokens make sequences about five times shorter: bases per token.
    - A token of overlapping k-mers is given away by its neighbour, which repeats k - 1 of its k bases: at
      most 2 (k - 1) bits can be, and all of them are where bases are evenly distributed.
    - After a shift by one base all non-overlapping k-mers are others: the share of changed tokens.
    """
    by_name = {subject.name: subject for subject in subjects}
    found: list[Record] = []
    for row in measures:
        subject = by_name[row["tokenizer"]]
        place = {"tokenizer": row["tokenizer"], "genome": row["genome"]}
        if subject.name != subject.origin:
            continue
        if subject.kind == "bpe":
            claim = {
                "claim": "sequences get about five times shorter",
                "published": 5.0,
                "unit": "bases per token",
            }
            found.append({**place, **claim, "measured": row["bases_per_token"]})
        elif subject.overlap:
            claim = {
                "claim": "overlapping k-mers leak",
                "published": 2.0 * subject.overlap,
                "unit": "bits per token",
            }
            found.append({**place, **claim, "measured": row["mutual_information"]})
        elif int(subject.lengths.max()) > 1:
            claim = {
                "claim": "a shift changes all non-overlapping k-mers",
                "published": 1.0,
                "unit": "share of tokens",
            }
            found.append({**place, **claim, "measured": row["shift_share"]})
    return found


def _refuse_repeats(what: str, names: list[str]) -> None:
    """An error for no name, or one given twice."""
    if not names:
        raise ArgumentError(f"{what}s=[]: at least one {what} is needed")
    for name in names:
        if names.count(name) > 1:
            raise ArgumentError(f"{what}={name}: given twice; name them apart, as in NAME=FILE")
