"""Tokenizers compared as models: the same encoder, pre-trained for the same bases and fine-tuned, on each.

Example:
    >>> from genotok.compare import CompareConfig, compare
    >>> from genotok.finetune import find_tasks
    >>> from genotok.study import named_kmers
    >>> subjects = [named_kmers("kmer:6"), named_kmers("bases")]
    >>> config = CompareConfig.preset("tiny")
    >>> record = compare(subjects, ["genomes/*.fa"], find_tasks(["GUE"]), "compared", config)
    >>> record["tokenizers"][0]["pretrain"]["eval_bits_per_base"]
"""

from genotok.compare.config import CompareConfig
from genotok.compare.run import compare

__all__ = ["CompareConfig", "compare"]
