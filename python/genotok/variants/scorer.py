"""Scores of edits of a sequence; `genotok.variants` defines them."""

# Shapes: N edits.

from __future__ import annotations

import os
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, get_args

import numpy as np
import torch

from genotok.embedding.embedder import check_choice, device_called
from genotok.errors import ArgumentError
from genotok.model import MaskedLanguageModel
from genotok.model.checkpoint import load
from genotok.model_folder.read import read_folder
from genotok.options.inference import AttentionBackend, DataType
from genotok.options.variants import ScoringOptions, Strands
from genotok.variants.edits import WindowEdit
from genotok.variants.passes import RowPasses
from genotok.variants.rows import BASES, RowMaker
from genotok.variants.scores import StrandWork, VariantScores, scores_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Unpack

    from genotok.model_folder.read import ModelFolder
    from genotok.options.variants import ScoringKeywords
    from genotok.tokenizer import Tokenizer
    from genotok.variants.edits import Bases, Edit

__all__ = ["MAX_TOGETHER", "VariantScorer"]

MAX_TOGETHER = 256
"""Variants whose rows are in memory at a time."""

HEAD = "cls.predictions.transform.dense.weight"


class VariantScorer:
    """Scores variants with a masked language model.

    Attributes:
        tokenizer: The tokenizer.
        options: What is computed, and how.
        device: The torch device.
        maker: Makes the rows of variants.
        folder: The model's folder; None for a model in memory.

    Args:
        model: A folder with `config.json` and weights that have a head for masked tokens, such as `genotok
            pretrain` writes; or a model, with its tokenizer.
        tokenizer: A tokenizer or the path of its file; None for `tokenizer.json` in the model's folder.
        options: All that follows, as a group; keywords override its fields.
        scores: What to compute: "pll", "marginal", "embedding".
        window: Bases of a window, at most.
        strands: "both" for the mean over both strands, or "forward".
        batch_tokens: Maximum tokens of a batch; a longer row is a batch by itself.
        device: "auto" (CUDA if available), or a torch device by name; a model in memory stays where it is.
        dtype: "float32", "bfloat16" or "float16"; of a model in memory, its own.
        attention: A backend, or "auto" (see `genotok.model.attention`); likewise.
        threads: Threads of torch on the CPU, in the whole process; None leaves them unchanged.

    Raises:
        ArgumentError: An argument is out of range; the files of the folder are damaged, do not match, or have
            no head for masked tokens; or the tokens of a sequence do not spell it.
        OSError: The folder or a file in it does not exist, or cannot be read.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | MaskedLanguageModel,
        tokenizer: Tokenizer | str | os.PathLike[str] | None = None,
        options: ScoringOptions | None = None,
        **keywords: Unpack[ScoringKeywords],
    ) -> None:
        chosen = self.options = replace(options or ScoringOptions(), **keywords)
        check_choice("strands", chosen.strands, get_args(Strands))
        check_choice("dtype", chosen.dtype, get_args(DataType))
        check_choice("attention", chosen.attention, get_args(AttentionBackend))
        self.folder: ModelFolder | None = None
        if chosen.threads is not None:
            torch.set_num_threads(chosen.threads)
        if isinstance(model, MaskedLanguageModel):
            if tokenizer is None or isinstance(tokenizer, (str, os.PathLike)):
                raise ArgumentError("tokenizer: a model in memory needs its tokenizer")
            self.tokenizer = tokenizer
            self._model = model.eval()
        else:
            self.folder = read_folder(model)
            self.tokenizer = self.folder.tokenizer(tokenizer)
            found = _loaded(self.folder, chosen.attention)
            self._model = found.to(device_called(chosen.device), getattr(torch, chosen.dtype)).eval()
        self.device = next(self._model.parameters()).device
        self.maker = RowMaker(self.tokenizer)

    def score(self, sequence: Bases, edits: Iterable[Edit]) -> VariantScores:
        """The scores of edits, each alone, of one sequence.

        Args:
            sequence: `str`, `bytes` or anything whose slices are such; lower case counts as upper case.
                Symbols other than A, C, G, T may stand around a variant.
            edits: Changes of it. Replaced and new bases are A, C, G, T, and at most half a window of them.

        Raises:
            ArgumentError: An edit is outside the sequence, too long, of other symbols, or changes nothing.
            SymbolError: The sequence has a symbol that the tokenizer has no token for.
        """
        window = self.options.window
        return self.score_windows(WindowEdit.around(sequence, edit, window) for edit in edits)

    def score_windows(self, edits: Iterable[WindowEdit]) -> VariantScores:
        """`score`, of edits in their windows."""
        waiting, parts = iter(edits), [self._scores([])]
        while some := list(islice(waiting, MAX_TOGETHER)):
            parts.append(self._scores(some))
        return VariantScores.joined(parts)

    def _scores(self, edits: Sequence[WindowEdit]) -> VariantScores:
        """The scores of at most `MAX_TOGETHER` edits."""
        for edit in edits:
            _check(edit)
        passes = self.passes()
        strands = [list(edits)]
        if self.options.strands == "both":
            strands.append([edit.other_strand for edit in edits])
        works = [list(self._works(passes, each)) for each in strands]
        for work in zip(*works, strict=True):
            self._fall_back(passes, work)
        passes.compute()
        rows = [scores_of(work, passes, self.options.scores) for work in zip(*works, strict=True)]
        return VariantScores.of(rows, passes.num_passes)

    def passes(self) -> RowPasses:
        """Rows through the model, to be asked for and computed."""
        return RowPasses(self._model, self.maker.special.mask, self.options.batch_tokens)

    def _works(self, passes: RowPasses, edits: Sequence[WindowEdit]) -> Iterator[StrandWork]:
        """What is to be computed for edits on one strand; asks `passes` for it."""
        scores = self.options.scores
        for edit, row in zip(edits, self.maker.rows(edits), strict=True):
            work = StrandWork(edit, row, self.maker.around(row.ids), self.maker.around(row.changed))
            if "marginal" in scores:
                self._plan_marginal(passes, work)
            if "pll" in scores:
                self._plan_pll(passes, work)
            if "embedding" in scores:
                work.vectors = passes.vector(work.reference), passes.vector(work.alternative)
            yield work

    def _fall_back(self, passes: RowPasses, work: Sequence[StrandWork]) -> None:
        """Ask for `pll` where `marginal` has no candidates on any strand."""
        scores = self.options.scores
        if "marginal" in scores and "pll" not in scores and not any(each.marginal for each in work):
            for each in work:
                self._plan_pll(passes, each)

    def _plan_pll(self, passes: RowPasses, work: StrandWork) -> None:
        first = len(self.maker.special.before) + work.row.first
        for number in range(len(work.row.before)):
            work.before.append(passes.masked(work.reference, first + number))
        for number in range(len(work.row.after)):
            work.after.append(passes.masked(work.alternative, first + number))

    def _plan_marginal(self, passes: RowPasses, work: StrandWork) -> None:
        """Ask for the candidates of the variant's token, if one of them has the alternative bases."""
        edit, row = work.edit, work.row
        if len(edit.replacement) != edit.end - edit.start:
            return
        token = row.within_token(edit.start, edit.end)
        if token is None:
            return
        ids = [None, *row.ids.tolist(), None]
        found = self.maker.candidates(ids[token], int(row.ids[token]), ids[token + 2])
        offset = edit.start - int(row.borders[token])
        bases = self.maker.spelled[found, offset : offset + len(edit.replacement)]
        is_one, is_other = (
            (bases == np.frombuffer(text.encode(), np.uint8)).all(1)
            for text in (edit.replaced, edit.replacement)
        )
        if is_other.any():
            place = passes.masked(work.reference, len(self.maker.special.before) + token, found)
            work.marginal = (place, is_one, is_other)


def _check(edit: WindowEdit) -> None:
    """Raise an error for a variant of other symbols than bases, or of none."""
    for bases in (edit.replaced, edit.replacement):
        if not set(BASES).issuperset(bases):
            raise ArgumentError(f"edit={bases[:20]}: bases A, C, G and T are expected")
    if edit.replaced == edit.replacement:
        raise ArgumentError("edit: changes nothing")


def _loaded(folder: ModelFolder, attention: AttentionBackend) -> MaskedLanguageModel:
    """The masked language model in a folder, with 32-bit weights on the CPU."""
    if HEAD not in folder.tensors:
        raise ArgumentError(
            f"{folder.path}: has no head for masked tokens: its weights lack {HEAD}; give a model that "
            "`genotok pretrain` wrote, or another masked language model"
        )
    folder.check_weights()
    model = MaskedLanguageModel(folder.settings.encoder.with_changes(attention=attention))
    try:
        load(model, folder.path, strict=False)
    except ValueError as error:
        raise ArgumentError(str(error)) from None
    return model
