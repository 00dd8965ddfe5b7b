"""The arms of the matched trial (`benchmarks.matched`): tokenizers, with and without base features."""

from __future__ import annotations

import re
from typing import Any

from genotok.compare.trial import Arm
from genotok.errors import ArgumentError

__all__ = ["CORE", "REFERENCE", "all_arms", "arm_of", "settings_of"]

Record = dict[str, Any]

REFERENCE = Arm("BPE 512", features=True)
"""The preset `bases` itself."""

BPE = (16, 64, 512, 4096)
PATCHES = (3, 4, 5, 6, 7, 8)
OVERLAPPING = (3, 4, 5, 6)


def all_arms() -> list[Arm]:
    """The arms of the trial, the reference first."""
    tokenizers = [f"BPE {size}" for size in BPE] + [f"patches of {size}" for size in PATCHES]
    found = [REFERENCE]
    for name in tokenizers:
        found += [Arm(name, features=True), Arm(name, features=False)]
        found.append(Arm(name, features=True, identities=False))
    found += [Arm(f"overlapping {size}-mers", features=False) for size in OVERLAPPING]
    found += [Arm("bases", features=True), Arm("bases", features=False)]
    for name in ("BPE 512", "patches of 5"):
        found += [Arm(name, features=seen, alibi="directional") for seen in (True, False)]
        found += [Arm(name, features=seen, layers=False) for seen in (True, False)]
    found.append(Arm("overlapping 6-mers", features=False, alibi="directional"))
    found.append(Arm("overlapping 6-mers", features=False, layers=False))
    return list(dict.fromkeys(found))


CORE = frozenset(
    {
        *(Arm(f"BPE {size}", features=seen) for size in (16, 512, 4096) for seen in (True, False)),
        *(Arm("patches of 5", features=seen) for seen in (True, False)),
        Arm("patches of 8", features=True),
        *(Arm(name, features=True, identities=False) for name in ("BPE 512", "patches of 5")),
        *(Arm("BPE 512", features=seen, layers=False) for seen in (True, False)),
        Arm("overlapping 6-mers", features=False),
        Arm("bases", features=True),
    }
)
"""The arms that `--core` runs."""


def settings_of(arm: Arm) -> Record:
    """What an arm changes in the preset `bases`.

    Raises:
        ArgumentError: Its tokenizer has another name than those of `all_arms`, with other numbers.
    """
    kinds = {
        r"BPE (\d+)": lambda size: {"vocab": int(size)},
        r"patches of (\d+)": lambda size: {"tokenizer": f"kmer:{size}:no-overlap"},
        r"overlapping (\d+)-mers": lambda size: {"tokenizer": f"kmer:{size}"},
        r"(bases)": lambda name: {"tokenizer": name},
    }
    for pattern, made in kinds.items():
        if found := re.fullmatch(pattern, arm.tokenizer):
            changes: Record = made(found[1])
            break
    else:
        raise ArgumentError(f"arm={arm.title}: a tokenizer such as BPE 512 or patches of 5 is expected")
    if not arm.features:
        changes["base_features"] = "none"
    if not arm.identities:
        changes["token_identities"] = False
    if arm.alibi != "symmetric":
        changes["alibi"] = arm.alibi
    if not arm.layers:  # both layers of "skip" would be the same
        changes |= {"layers": 0, "pooling": "mean+max"}
    return changes


def arm_of(title: str) -> Arm:
    """The arm of a title.

    Raises:
        ArgumentError: There is none.
    """
    name, *said = title.split(", ")
    tokenizer, plus, _ = name.partition(" + features")
    arm = Arm(
        tokenizer,
        features=bool(plus),
        identities="no identities" not in said,
        alibi="directional" if "directional" in said else "symmetric",
        layers="no layers" not in said,
    )
    settings_of(arm)
    if arm.title != title:
        raise ArgumentError(f"arm={title}: not understood; {arm.title} is the nearest one")
    return arm
