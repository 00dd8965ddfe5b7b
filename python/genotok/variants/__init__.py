r"""Effects of variants under a masked language model, resolved to bases although its tokens are longer.

Needs the packages of the extra `model`.

Example:
    >>> from genotok.variants import Edit, VariantScorer
    >>> scorer = VariantScorer("model/")  # config.json, weights and tokenizer.json
    >>> found = scorer.score(chromosome, [Edit(1_000, 1_001, "T"), Edit(2_000, 2_003, "")])
    >>> found.pll  # one number per edit
    array([-3.1, -0.4])

Definitions
-----------
A *variant* replaces the bases [start, end) of a sequence by others. What both have in common at their ends is
left out first, so that VCF's `CA>C` and the deletion of one A are the same variant.

Its *window* is the variant with as many bases on both sides, `window` in all at most, fewer at an end of the
sequence. The window without and with the variant are encoded as words of their own, with special tokens
around them: the *reference row* and the *alternative row* of tokens. Both agree outside [a, b), the bases
from the last common token border at or before the variant to the first common one at or after it. Tokens in
[a, b) are *affected*: they are few, since the change of an encoding is local.

p(t | x \ i) is the model's probability of the token t at the place i of the row x, in which only the token
at i is replaced by `[MASK]`: the softmax over the whole vocabulary. Logarithms are natural.

`pll` is the difference of two pseudo-log-likelihoods:

    sum of log p(y_i | y \ i) over the affected tokens of the alternative row y
    - sum of log p(x_i | x \ i) over the affected tokens of the reference row x

`pll_per_base` is the same with each sum divided by the bases that it covers. For substitutions it is
pll / (b - a). For indels both rows have different numbers of bases, and only numbers per base compare them.
It is NaN if one of the rows has no affected token.

`marginal` looks at bases. Let a variant replace m bases by m others within one token x_i of the reference
row, from its base j on. Its candidates are the tokens of as many bases as x_i that may stand between x_(i-1)
and x_(i+1) in an encoding, so that no border moves. Then

    q(c) = sum of p(t | x \ i) over candidates t with t[j : j + m] = c, over the sum for all candidates
    marginal = log q(alternative) - log q(reference)

`mass` is the denominator, the probability that the model gives to all candidates: where it is small, the
model expects other borders, and `marginal` says little. If no candidate has the alternative bases, or the
variant is no substitution within a token, there is no such number; `marginal` is then `pll`, and
`marginal_from` says so.

`embedding` is the Euclidean distance of the mean vectors of both rows, special tokens included, as
`genotok.embedding` makes them.

Strands. With `strands="both"` each score is the mean of those of the sequence and of its reverse complement,
as tokens differ between strands; `marginal` is the mean over the strands that have candidates, which
`marginal_from` names. So a variant without shared ends scores as the same variant of the reverse complement,
but for rounding.

What is exact, what is an assumption
------------------------------------
Rows, affected tokens and candidates are exact for each vocabulary. It is an assumption that affected tokens
stand for their window: the others see the variant too, and how their probabilities change is left out. And
`marginal` takes the borders of the reference as given.

Cost
----
For each strand, in rows through the model: `pll` as many as there are affected tokens in both rows, some 4
for a substitution under a vocabulary of 4,096; `marginal` one of the same, or those of `pll` in its place;
`embedding` 2. Equal rows are computed once: the reference rows of three alternatives at one position, and
those of `marginal` and `pll`. Rows are batched by length without padding. Memory depends on `batch_tokens`
and `scorer.MAX_TOGETHER`, not on the number of variants.
"""

from genotok.options.variants import MutagenesisOptions, Score, ScoreFileOptions, ScoringOptions, TrackOptions
from genotok.variants.edits import Edit
from genotok.variants.files import ScoreReport, score_files
from genotok.variants.reference import Reference
from genotok.variants.region_files import RegionReport, mutagenesis
from genotok.variants.regions import ContigRegion
from genotok.variants.saturation import Mutations, mutate
from genotok.variants.scorer import VariantScorer
from genotok.variants.scores import VariantScores
from genotok.variants.track_files import track
from genotok.variants.tracks import BaseTrack, attribution_track, masked_track

__all__ = [
    "BaseTrack",
    "ContigRegion",
    "Edit",
    "MutagenesisOptions",
    "Mutations",
    "Reference",
    "RegionReport",
    "Score",
    "ScoreFileOptions",
    "ScoreReport",
    "ScoringOptions",
    "TrackOptions",
    "VariantScorer",
    "VariantScores",
    "attribution_track",
    "masked_track",
    "mutagenesis",
    "mutate",
    "score_files",
    "track",
]
