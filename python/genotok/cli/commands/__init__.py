"""The commands, a file each, and the table of them.

What several commands need is in `shared`; what `info` recognises, in `kinds`. A command's file is imported
when the command is called: all of them together take longer to import than most commands run. The front
page takes names and summaries from the table.
"""

from typing import NamedTuple

__all__ = ["COMMANDS", "CommandEntry"]


class CommandEntry(NamedTuple):
    """A command of the program.

    Attributes:
        panel: Its panel on the front page.
        place: Its module below `genotok.cli.commands`, and its function or group there.
        summary: The first sentence of its docstring.
    """

    panel: str
    place: str
    summary: str


COMMANDS = {
    "train-bpe": CommandEntry(
        "Tokenizers", "train_bpe:train_bpe", "Train a tokenizer on genomes, by exact byte-pair encoding."
    ),
    "truncate": CommandEntry(
        "Tokenizers",
        "truncate:truncate",
        "Cut a tokenizer down to a smaller vocabulary: the same as training at that size.",
    ),
    "kmer": CommandEntry(
        "Tokenizers", "kmer:kmer", "Make a tokenizer of k-mers; encode with it as with any other."
    ),
    "show": CommandEntry("Tokenizers", "show:show", "Show how a sequence splits into tokens."),
    "browse": CommandEntry(
        "Tokenizers",
        "browse:browse",
        "Make one self-contained page that splits a sequence into tokens as you type, merge by merge.",
    ),
    "info": CommandEntry(
        "Tokenizers",
        "info:info",
        "Describe what genotok wrote (a tokenizer, tokens, a model, a record, ...), or this installation.",
    ),
    "encode": CommandEntry(
        "Encoding",
        "encode:encode",
        "Encode sequences with a tokenizer, into Arrow, Parquet, Megatron or BED files.",
    ),
    "embed": CommandEntry(
        "Encoding", "embed:embed", "Embed sequences with a model: one vector per record, window or table row."
    ),
    "pretrain": CommandEntry(
        "Models",
        "pretrain:pretrain",
        "Pre-train a masked language model; started by torchrun, on many devices.",
    ),
    "convert": CommandEntry(
        "Models",
        "convert:convert",
        "Convert a published model's folder for genotok and transformers; weights are verified by digest.",
    ),
    "finetune": CommandEntry(
        "Models",
        "finetune:finetune",
        "Fine-tune a model on labelled sequences, and compare it with baselines and published results.",
    ),
    "evaluate": CommandEntry(
        "Models",
        "evaluate:evaluate",
        "Compare predictions with the labels of tables: all metrics, each class, the confusion matrix.",
    ),
    "predict": CommandEntry(
        "Models",
        "predict:predict",
        "Predict the class of each record, window or table row, with the probabilities of all classes.",
    ),
    "score": CommandEntry(
        "Models",
        "score:score",
        "Score variants with a masked language model: substitutions, insertions and deletions of a VCF.",
    ),
    "mutagenesis": CommandEntry(
        "Models",
        "mutagenesis:mutagenesis",
        "Score all substitutions of a region with a masked language model: a table, a heat map, a track.",
    ),
    "track": CommandEntry(
        "Models",
        "track:track",
        "Write a model's numbers for each base of a region: entropy, probabilities, or attribution.",
    ),
    "verify": CommandEntry(
        "Encoding",
        "verify:verify",
        "Check a folder of shards, or a file, against its checksums: every defect a line.",
    ),
    "pack": CommandEntry(
        "Corpora",
        "pack:pack",
        "Pack sequences at 2 bits per base, for repeated training, or into shards larger than memory.",
    ),
    "check": CommandEntry(
        "Corpora",
        "check:check",
        "Find every defect of FASTA and FASTQ files: line, column, cause and remedy.",
    ),
    "study": CommandEntry(
        "Evidence",
        "study:study",
        "Compare tokenizers on genomes: tokens, entropy, vocabulary, robustness, leakage, compute.",
    ),
    "baseline": CommandEntry(
        "Evidence",
        "baseline:baseline",
        "Fit baselines to labelled sequences: k-mers with regression, a small CNN, and their average.",
    ),
    "compare": CommandEntry(
        "Evidence",
        "compare:compare",
        "Compare tokenizers as models: the same encoder trained on each, for as many bases or operations.",
    ),
    "report": CommandEntry(
        "Evidence",
        "report:report",
        "Make one self-contained page of runs and records: a summary, plots, tables that sort, and caveats.",
    ),
    "help": CommandEntry("Help", "help:help_page", "Explain a command, or list all commands."),
    "gue": CommandEntry(
        "Evidence", "gue:gue", "The Genome Understanding Evaluation: its sets, and audits of their files."
    ),
}
"""The name of each command to what the front page says of it, in its order."""
