"""Tokenizers on evidence: what each makes of each genome, in numbers that can be compared.

Who chooses a tokenizer wants to know how short it makes a sequence, how evenly it uses its vocabulary, how
far a changed base spreads, and how much one token gives away of the next. `study` measures that for any
tokenizers (byte-pair files, k-mers, single bases) on any genomes. Each measure is a function of its own, with
definition and formula, and has a slow obvious twin in the tests:

- `formulas`: from counts to entropies, information, curves;
- `counting`: one pass over the ids of a genome, and what is counted on the way;
- `windows`: how many tokens pieces of a genome have;
- `robustness`: what a shift, a changed base and the other strand do to tokens;
- `agreement`: how alike two vocabularies are;
- `compute`: what the DNABERT-2 encoder has to do for a base.

Only bases count. A genome's other symbols (N above all) become tokens that are counted as such and take no
part in anything else, and no pair of neighbours reaches across them. Lower case is read as upper case unless
that is switched off.

Cost: five passes a tokenizer and genome, in memory that grows with the largest record and with the number of
different neighbouring pairs, not with the genome.
"""

from genotok.study.genomes import Genome, named_genomes, read_genome
from genotok.study.record import study
from genotok.study.subjects import Subject, named_kmers, truncations

__all__ = ["Genome", "Subject", "named_genomes", "named_kmers", "read_genome", "study", "truncations"]
