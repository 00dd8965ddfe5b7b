"""Which Rust file uses which, from the text of the files: for the tests of the order and of cycles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

# A module as the names that lead to it: ("bpe", "encode", "lanes").
Module = tuple[str, ...]
Node = TypeVar("Node", str, Module)

USE = re.compile(r"^\s*(pub(?:\([\w: ]+\))? )?use ([^;]+);", re.MULTILINE)
TESTS = re.compile(r"#\[cfg\(test\)\]\s*(?:#\[[^\]]*\]\s*)*(?:pub(?:\(\w+\))? )?mod \w+")
WITHIN = re.compile(r"pub\(in [\w:]+\)")
INLINE = re.compile(r"(?<![\w:])(?:(?:crate|super|self)|[a-z_]+)(?:::\w+)+")


def module_of(path: Path, core: Path) -> Module:
    """The module of a file; the root has no name."""
    parts = path.relative_to(core).with_suffix("").parts
    return parts[:-1] if parts[-1] in {"mod", "lib"} else parts


def code_of(path: Path) -> str:
    """A file without its comments and without what follows its tests."""
    lines = path.read_text(encoding="utf-8").splitlines()
    code = "\n".join(line.partition(" // ")[0] for line in lines if not line.lstrip().startswith("//"))
    tests = TESTS.search(code)
    return code[: tests.start()] if tests else code


def leaves(tree: str) -> Iterator[str]:
    """The paths of a use declaration: `a::{b, c::d}` has `a::b` and `a::c::d`."""
    head, brace, rest = tree.strip().partition("{")
    if not brace:
        yield head.partition(" as ")[0].strip()
        return
    depth, start, inner = 0, 0, rest.rpartition("}")[0] + ","
    for place, character in enumerate(inner):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "," and depth == 0:
            if inner[start:place].strip():
                yield from (head.strip() + leaf for leaf in leaves(inner[start:place]))
            start = place + 1


class RustModules:
    """The modules below a folder of sources, and what each uses.

    Test modules are left out: they may use anything.
    """

    def __init__(self, core: Path) -> None:
        paths = (path for path in core.rglob("*.rs") if path.name != "tests.rs" and "tests" not in path.parts)
        code = {module_of(path, core): code_of(path) for path in paths}
        self.modules = set(code)
        declared = {module: list(USE.finditer(text)) for module, text in code.items()}
        self.passed_on = {
            module: [leaf for use in uses if use[1] for leaf in leaves(use[2])]
            for module, uses in declared.items()
        }
        self.named = {
            module: [leaf for use in uses for leaf in leaves(use[2])]
            + INLINE.findall(WITHIN.sub("", USE.sub("", code[module])))
            for module, uses in declared.items()
        }

    def uses(self) -> dict[Module, set[Module]]:
        """Which modules each names, in `use` or anywhere in its code; also those above and below itself.

        That a file declares a module is no use of it; that it passes on something of it is.
        """
        found = {}
        for module in self.modules:
            named = {self.resolved(module, path) for path in self.named[module]}
            found[module] = {used for used in named if used is not None and used != module}
        return found

    def resolved(self, module: Module, path: str, depth: int = 0) -> Module | None:
        """The module that has what `path` names in `module`, whoever passes it on; nothing if foreign."""
        names = path.split("::")
        if names[0] in {"crate", "self"}:
            at, names = (() if names[0] == "crate" else module), names[1:]
        elif names[0] == "super":
            at = module
            while names and names[0] == "super":
                at, names = at[:-1], names[1:]
        elif (*module, names[0]) in self.modules:
            at = module
        else:
            return None
        while names and (*at, names[0]) in self.modules:
            at, names = (*at, names[0]), names[1:]
        if names and depth < 8:
            for passed in self.passed_on.get(at, []):
                if passed.rpartition("::")[2] == names[0]:
                    return self.resolved(at, passed, depth + 1)
        return at


def folders(uses: dict[Module, set[Module]]) -> dict[Module, dict[str, set[str]]]:
    """The same as seen in each folder: which of its files and folders use which.

    A folder's own file stands above the others, not beside them.
    """
    found: dict[Module, dict[str, set[str]]] = {}
    for module, used in uses.items():
        for other in used:
            shared = next(
                (place for place, (one, two) in enumerate(zip(module, other, strict=False)) if one != two),
                min(len(module), len(other)),
            )
            if shared < len(module) and shared < len(other):
                folder = found.setdefault(module[:shared], {})
                folder.setdefault(module[shared], set()).add(other[shared])
    return found


def cycle(uses: dict[Node, set[Node]]) -> list[Node]:
    """Nodes that form an import cycle, or none."""
    left = {node: set(used) for node, used in uses.items()}
    while ends := [node for node, used in left.items() if not used & left.keys()]:
        for node in ends:
            del left[node]
    if not left:
        return []
    path = [next(iter(left))]
    while path[-1] not in path[:-1]:
        path.append(next(iter(left[path[-1]] & left.keys())))
    return path[path.index(path[-1]) :]
