"""Tokenizers: trained, loaded, applied to sequences, saved.

`tokenizer` has the class that users know, `encoder` what it does with sequences, `parts` what it knows of
tokens as parts of them. `reference`, `reference_kmers` and `reference_parts` are the specification in plain
Python, which the tests hold everything else to; nothing here imports them.
"""

from genotok.tokenizer.encoder import Progress, RecordBatch, SequenceEncoder, TokenArray, TokenReader
from genotok.tokenizer.parts import Reencoding
from genotok.tokenizer.row_report import RecordDigest, RowReport
from genotok.tokenizer.tokenizer import DEFAULT_SPECIAL_TOKENS, DEFAULT_VOCAB_SIZE, Tokenizer
from genotok.tokenizer.training_report import RoundRecord, TrainingReport

__all__ = [
    "DEFAULT_SPECIAL_TOKENS",
    "DEFAULT_VOCAB_SIZE",
    "Progress",
    "RecordBatch",
    "RecordDigest",
    "Reencoding",
    "RoundRecord",
    "RowReport",
    "SequenceEncoder",
    "TokenArray",
    "TokenReader",
    "Tokenizer",
    "TrainingReport",
]
