"""Sequence files before any tokenizer: packed, checked, and judged.

Example:
    >>> from genotok.corpus import pack_shards, words_of
    >>> pack_shards(["genomes/*.fa"], "shards")
    >>> next(words_of("shards/00000-00000.pack"))

`packed` has packed files and folders of them, `check` every defect of a sequence file, and `verdict` what is
no nucleotide sequence at all.
"""

from genotok.corpus.check import check_files
from genotok.corpus.packed import pack, pack_shards, verify_packed, verify_shards, words_of

__all__ = ["check_files", "pack", "pack_shards", "verify_packed", "verify_shards", "words_of"]
