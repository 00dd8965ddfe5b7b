"""A tokenizer called as those of transformers are: sequences in, rows of ids and masks out.

For tens of sequences, not for genomes: rows become Python's lists. `encode_batch` gives `TokenArray` instead.
"""

from collections.abc import Iterable
from importlib import import_module
from typing import Any, Literal, NamedTuple

from genotok.errors import ArgumentError
from genotok.tokenizer.parts import TokenParts
from genotok.tokenizer.templates import Part

__all__ = ["BatchEncoding", "Caller", "Padding", "ReturnTensors", "Truncation"]

Padding = bool | Literal["longest", "max_length", "do_not_pad"]
"""Whether rows are filled up: to the longest of the call (True, `"longest"`), or to `max_length`."""

Truncation = bool | Literal["longest_first", "only_first", "only_second", "do_not_truncate"]
"""What of an input that is too long is cut, at its end: of a pair the longer one (True), or one of both."""

ReturnTensors = Literal["np", "pt"]
"""Arrays of numpy or tensors of torch, in place of lists."""

STRATEGIES = {True: "longest_first", False: "do_not_truncate"}
KINDS = ("longest_first", "only_first", "only_second", "do_not_truncate")
PADDINGS = {True: "longest", False: "do_not_pad"}
PADDING_KINDS = ("longest", "max_length", "do_not_pad")
NO_LIMIT = int(1e20)
"""What is larger stands for no longest input, as in transformers."""


class BatchEncoding(dict[str, Any]):
    """What a call gives: a dictionary whose entries are attributes too, as in transformers."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  lists, arrays or tensors
        """The entry of this name."""
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def to(self, device: Any) -> "BatchEncoding":  # noqa: ANN401  torch may not be there
        """The same with its tensors on a device of torch."""
        return BatchEncoding({name: value.to(device) for name, value in self.items()})


class _Limits(NamedTuple):
    """How long inputs may be and are made."""

    truncation: str
    padding: str
    max_length: int | None


class Caller(TokenParts):
    """The part of a tokenizer that is called with sequences; `Tokenizer` is one."""

    __slots__ = ()

    def encode(
        self, sequence: str | bytes, pair: str | bytes | None = None, *, add_special_tokens: bool = False
    ) -> list[int]:
        """The ids of `sequence`, of both if there are two; linear in their length.

        Equal to Hugging Face's `encode(sequence, pair, add_special_tokens=...).ids` with the same file.

        Args:
            sequence: Text, or bytes in UTF-8.
            pair: A second sequence behind it.
            add_special_tokens: Put special tokens around them, as in `encode_batch`.

        Raises:
            ArgumentError: Special tokens are asked for, and the file has no template of them, or of two
                sequences; bytes are not UTF-8.
            SymbolError: A symbol is outside the vocabulary, and there is no unknown token.
        """
        if pair is None and not add_special_tokens:
            return self._native.encode(sequence)
        if add_special_tokens:
            self.encode_batch((), add_special_tokens=True)  # an error if there are none
        sequences = [sequence] if pair is None else [sequence, pair]
        parts = self._parts(len(sequences), add_special_tokens=add_special_tokens)
        rows = [self._native.encode(one) for one in sequences]
        return [number for number, _ in self._joined(rows, parts)]

    def __call__(
        self,
        text: str | bytes | Iterable[str | bytes],
        text_pair: str | bytes | Iterable[str | bytes] | None = None,
        *,
        add_special_tokens: bool = True,
        padding: Padding = False,
        truncation: Truncation = False,
        max_length: int | None = None,
        return_tensors: ReturnTensors | None = None,
        return_attention_mask: bool = True,
        return_token_type_ids: bool = False,
    ) -> BatchEncoding:
        """The input of a model for one sequence or many, as the tokenizers of transformers give it.

        Equal to `to_hf()(...)`, but that segments are there only if asked for, as DNABERT-2 is trained
        without, and that nothing is guessed where transformers warns.

        Args:
            text: One sequence, or an iterable of them; text, or bytes in UTF-8.
            text_pair: The second of each input of two sequences.
            add_special_tokens: Put the file's special tokens around each input, if it has some.
            padding: Fill rows up on the right with the padding token.
            truncation: Cut inputs that are longer than `max_length` at the end of a sequence. Without
                `max_length` they are cut to the tokenizer's `model_max_length`, if it has one.
            max_length: Tokens of an input, special ones included.
            return_tensors: `"np"` or `"pt"`, which needs torch; None for lists. One sequence becomes a row.
            return_attention_mask: Add `attention_mask`: 1 for a token, 0 for padding.
            return_token_type_ids: Add `token_type_ids`: the segment of each token, by the file's template.

        Returns:
            `input_ids` and what else is asked for: a list of numbers for one sequence, of lists for many, or
            arrays (rows, length) of 64-bit integers.

        Raises:
            ArgumentError: An argument is outside its rule; rows of several lengths are to be an array; there
                is no padding token; what is to be cut has too few tokens; there is no template of pairs.
            SymbolError: A symbol is outside the vocabulary, and there is no unknown token.
            TypeError: A sequence is neither `str` nor `bytes`.
            ImportError: `return_tensors="pt"` without torch.
        """
        limits = self._limits(padding, truncation, max_length)
        if return_tensors not in {None, "np", "pt"}:
            raise ArgumentError(f'return_tensors={return_tensors!r}: "np", "pt" or None is expected')
        is_one = isinstance(text, str | bytes)
        inputs = _inputs(text, text_pair)
        columns = [[*self.encode_batch(column)] for column in inputs]
        parts = self._parts(len(inputs), add_special_tokens=add_special_tokens)
        num_added = sum(part.sequence is None for part in parts)
        rows = [
            self._joined(_cut([list(ids) for ids in one], limits, num_added), parts)
            for one in zip(*columns, strict=True)
        ]
        found = {"input_ids": [[number for number, _ in row] for row in rows]}
        if return_token_type_ids:
            found["token_type_ids"] = [[kind for _, kind in row] for row in rows]
        if return_attention_mask:
            found["attention_mask"] = [[1] * len(row) for row in rows]
        self._pad(found, limits)
        if return_tensors is not None:
            return BatchEncoding({name: _tensor(value, return_tensors) for name, value in found.items()})
        return BatchEncoding({name: value[0] if is_one else value for name, value in found.items()})

    def _parts(self, count: int, *, add_special_tokens: bool) -> list[Part]:
        """The template for one sequence or two, with special tokens or without."""
        parts = self.templates.single if count == 1 else self.templates.pair
        if add_special_tokens:
            if not parts:
                raise ArgumentError("text_pair: this tokenizer's file has no template of two sequences")
            return [*parts]
        bare = parts or (Part("A", -1, 0), Part("B", -1, 1))
        return [part for part in bare if part.sequence is not None]

    def _joined(self, rows: list[list[int]], parts: list[Part]) -> list[tuple[int, int]]:
        """The ids of an input, each with its segment."""
        joined: list[tuple[int, int]] = []
        for part in parts:
            ids = [part.id] if part.sequence is None else rows["AB".index(part.sequence)]
            joined += [(number, part.type) for number in ids]
        return joined

    def _limits(self, padding: Padding, truncation: Truncation, max_length: int | None) -> _Limits:
        """The arguments, checked."""
        strategy: str = STRATEGIES[truncation] if isinstance(truncation, bool) else truncation
        filling: str = PADDINGS[padding] if isinstance(padding, bool) else padding
        if strategy not in KINDS:
            raise ArgumentError(
                f"truncation={truncation!r}: True, False or one of {', '.join(KINDS)} is expected"
            )
        if filling not in PADDING_KINDS:
            raise ArgumentError(
                f"padding={padding!r}: True, False or one of {', '.join(PADDING_KINDS)} is expected"
            )
        if max_length is None and (strategy != "do_not_truncate" or filling == "max_length"):
            max_length = self.model_max_length
        if max_length is None and filling == "max_length":
            raise ArgumentError("padding='max_length': give max_length; this tokenizer has none of its own")
        if max_length is not None and max_length < 0:
            raise ArgumentError(f"max_length={max_length}: a number from 0 on is expected")
        if filling != "do_not_pad" and self.pad_token_id is None:
            raise ArgumentError("padding: this tokenizer has no padding token such as [PAD] or <pad>")
        return _Limits(strategy, filling, max_length)

    def _pad(self, found: dict[str, list[list[int]]], limits: _Limits) -> None:
        """Fill rows up, in place."""
        if limits.padding == "do_not_pad":
            return
        rows = found["input_ids"]
        length = max(map(len, rows), default=0) if limits.padding == "longest" else limits.max_length or 0
        for name, values in found.items():
            filler = self.pad_token_id if name == "input_ids" else 0
            for row in values:
                row.extend([filler or 0] * (length - len(row)))


def _inputs(
    text: str | bytes | Iterable[str | bytes], pair: str | bytes | Iterable[str | bytes] | None
) -> list[list[str | bytes]]:
    """The sequences of inputs, in one column or two."""
    columns: list[Any] = [text] if pair is None else [text, pair]
    for name, column in zip(("text", "text_pair"), columns, strict=False):
        if not isinstance(column, Iterable):
            kind = type(column).__name__
            raise TypeError(f"{name}: str, bytes, or an iterable of them is expected, found {kind}")
    are_one = [isinstance(column, str | bytes) for column in columns]
    if are_one[0] != are_one[-1]:
        raise ArgumentError("text_pair: one sequence goes with one sequence, and many with as many")
    lists = [[column] if isinstance(column, str | bytes) else list(column) for column in columns]
    if len(lists[0]) != len(lists[-1]):
        raise ArgumentError(f"text_pair: {len(lists[-1]):,} sequences are given for {len(lists[0]):,}")
    return lists


def _cut(rows: list[list[int]], limits: _Limits, num_added: int) -> list[list[int]]:
    """The ids of an input's sequences, cut so that with special tokens they are at most `max_length`."""
    excess = sum(map(len, rows)) + num_added - (limits.max_length or 0)
    if limits.max_length is None or limits.truncation == "do_not_truncate" or excess <= 0:
        return rows
    budget = limits.max_length - num_added
    if budget < 0:
        raise ArgumentError(f"max_length={limits.max_length}: the special tokens alone are {num_added}")
    if limits.truncation == "longest_first":
        return [row[:length] for row, length in zip(rows, _shares(rows, budget), strict=True)]
    place = 0 if limits.truncation == "only_first" else 1
    if place >= len(rows) or len(rows[place]) <= excess:
        raise ArgumentError(
            f"truncation={limits.truncation!r}: {excess:,} tokens are too many, and that sequence has "
            f"{len(rows[place]) if place < len(rows) else 0:,}"
        )
    return [row[: len(row) - excess] if at == place else row for at, row in enumerate(rows)]


def _shares(rows: list[list[int]], budget: int) -> list[int]:
    """The lengths of sequences cut to a sum: the longer one first, then both to halves."""
    if len(rows) == 1:
        return [budget]
    short, long = sorted(map(len, rows))
    long = max(short, budget - short)
    if short + long > budget:
        short, long = budget // 2, budget - budget // 2
    return [short, long] if len(rows[0]) <= len(rows[1]) else [long, short]


def _tensor(rows: list[list[int]], kind: ReturnTensors) -> Any:  # noqa: ANN401  torch may not be there
    """Rows of one length as an array."""
    lengths = {len(row) for row in rows}
    if len(lengths) > 1:
        raise ArgumentError(f"return_tensors={kind!r}: rows have several lengths; give padding=True")
    numpy: Any = import_module("numpy")
    array = numpy.array(rows, numpy.int64).reshape(len(rows), *lengths or [0])
    if kind == "np":
        return array
    try:
        torch: Any = import_module("torch")
    except ImportError as error:
        raise ImportError(
            "return_tensors='pt' needs torch, which is not installed: pip install 'genotok[model]'"
        ) from error
    return torch.from_numpy(array)
