"""What stands around one sequence and around two: the `post_processor` of a tokenizer.json as parts."""

import itertools
import json
from typing import Any, NamedTuple

__all__ = ["Part", "Templates"]

FIRST, SECOND = "A", "B"


class Part(NamedTuple):
    """One part of an input: a special token, or a sequence.

    Attributes:
        sequence: `"A"` for the first sequence, `"B"` for the second; None for a special token.
        id: The special token; -1 for a sequence.
        type: The segment that its tokens belong to, as `token_type_ids` say.
    """

    sequence: str | None
    id: int
    type: int


class Templates(NamedTuple):
    """The parts of an input of one sequence and of one of two.

    Attributes:
        single: Special tokens and the sequence.
        pair: Special tokens and both sequences; None where a file has several templates within each other.
    """

    single: tuple[Part, ...]
    pair: tuple[Part, ...] | None

    @classmethod
    def of(cls, post_processor: str) -> "Templates":
        """Those of the JSON of a `post_processor`, which the native module has checked for one sequence."""
        found = [one for one in _flat(json.loads(post_processor)) if one["type"] != "ByteLevel"]
        if not found:
            return cls((_whole(FIRST, 0),), (_whole(FIRST, 0), _whole(SECOND, 1)))
        kinds = [_of_one(one) for one in found]
        single = kinds[0].single
        for outer in kinds[1:]:
            single = tuple(part for one in outer.single for part in (single if one.sequence else (one,)))
        return cls(single, kinds[0].pair if len(kinds) == 1 else None)

    def around_pair(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]] | None:
        """The special ids in front of two sequences, between them, and behind them.

        None if the file has no template that puts the two one behind the other.
        """
        names = [part.sequence for part in self.pair or ()]
        if self.pair is None or [name for name in names if name] != [FIRST, SECOND]:
            return None
        ends = (0, names.index(FIRST), names.index(SECOND), len(names))
        front, between, behind = (
            tuple(part.id for part in self.pair[start:end] if part.sequence is None)
            for start, end in itertools.pairwise(ends)
        )
        return front, between, behind


def _flat(value: Any) -> list[dict[str, Any]]:  # noqa: ANN401  JSON
    """The post-processors in a post-processor."""
    if value is None:
        return []
    if value["type"] == "Sequence":
        return [one for part in value["processors"] for one in _flat(part)]
    return [value]


def _whole(name: str, kind: int) -> Part:
    return Part(name, -1, kind)


def _of_one(value: dict[str, Any]) -> Templates:
    if value["type"] == "TemplateProcessing":
        return Templates(_parts(value, "single"), _parts(value, "pair"))
    first, end = Part(None, value["cls"][1], 0), Part(None, value["sep"][1], 0)
    single = (first, _whole(FIRST, 0), end)
    if value["type"] == "BertProcessing":
        return Templates(single, (*single, _whole(SECOND, 1), end._replace(type=1)))
    return Templates(single, (*single, end, _whole(SECOND, 0), end))  # RobertaProcessing


def _parts(value: dict[str, Any], key: str) -> tuple[Part, ...]:
    parts: list[Part] = []
    for piece in value.get(key) or ():
        ((kind, found),) = piece.items()
        if kind == "Sequence":
            parts.append(_whole(found["id"], found["type_id"]))
        else:
            ids = value["special_tokens"][found["id"]]["ids"]
            parts += [Part(None, number, found["type_id"]) for number in ids]
    return tuple(parts)
