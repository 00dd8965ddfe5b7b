"""What genotok writes, kind by kind, recognised by content: for `genotok info`.

A kind is a function from a `Look` at a path to facts, or to None if it is not of this kind. To add a command
with an output means to add its kind here; a test compares the list with the commands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from genotok.cli.kinds import documents, packed, tokens, training
from genotok.cli.kinds.foreign import looks_like
from genotok.cli.kinds.look import Facts, Look
from genotok.errors import ArgumentError

__all__ = ["KINDS", "TOKENIZER", "Kind", "recognise"]

TOKENIZER = "tokenizer"


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that genotok writes.

    Attributes:
        name: What it is called.
        commands: The commands that write it.
        describe: Facts about a path of this kind; None of another one.
    """

    name: str
    commands: tuple[str, ...]
    describe: Callable[[Look], Facts | None]


def _tokenizer(look: Look) -> Facts | None:
    """Nothing yet: a tokenizer is described by those who load it."""
    found = look.object
    is_kmers = found.get("format") == "genotok k-mers"
    is_large = look.json is None and look.head.lstrip().startswith(b"{") and b'"model"' in look.head
    return {} if is_kmers or isinstance(found.get("model"), dict) or is_large else None


KINDS = (
    Kind(TOKENIZER, ("train-bpe", "kmer", "truncate"), _tokenizer),
    Kind("checkpoint of a tokenizer's training", ("train-bpe",), documents.checkpoint),
    Kind("packed file", ("pack",), packed.packed_file),
    Kind("folder of packed files", ("pack",), packed.packed_folder),
    Kind("unfinished folder of encoded sequences", ("encode",), tokens.unfinished_folder),
    Kind("folder of encoded sequences", ("encode",), tokens.token_folder),
    Kind("list of the records of encoded sequences", ("encode",), documents.shard_records),
    Kind("scores of variants", ("score", "mutagenesis"), documents.variant_scores),
    Kind("numbers of bases", ("track",), documents.base_numbers),
    Kind("vectors", ("embed",), documents.vectors),
    Kind("predictions", ("predict", "finetune", "baseline"), documents.predictions),
    Kind("predictions at their places", ("predict",), documents.places),
    Kind("encoded sequences", ("encode",), tokens.token_file),
    Kind("pre-training run", ("pretrain",), training.pretraining_run),
    Kind("results of fine-tuning", ("finetune",), training.results),
    Kind("baselines", ("baseline",), training.baselines),
    Kind("comparison of tokenizers as models", ("compare",), training.comparison),
    Kind("checkpoint of a model's training", ("pretrain",), training.model_checkpoint),
    Kind("model", ("pretrain", "finetune", "convert"), training.model),
    Kind("labelled sequences", ("gue split", "gue fetch"), documents.labelled),
    Kind("record", ("study", "gue audit"), documents.record),
    Kind("defects of sequence files", ("check",), documents.defects),
    Kind("report", ("report",), documents.report),
    Kind("page of genotok browse", ("browse",), documents.token_page),
    Kind("tokens as BED", ("encode",), documents.bed),
)
"""All kinds, in the order in which they are tried."""


def recognise(path: str) -> tuple[str, Facts]:
    """The kind of a path, and facts about it; of a tokenizer none.

    Raises:
        ArgumentError: genotok does not write such.
        SequenceFileError: It is damaged.
        OSError: It cannot be read.
    """
    look = Look(path)
    for kind in KINDS:
        facts = kind.describe(look)
        if facts is not None:
            return kind.name, facts
    raise ArgumentError(f"{path}: nothing that genotok writes; it looks like {looks_like(look)}")
