"""Writes THIRD-PARTY-LICENSES: what is compiled into a wheel, and the licences of it.

    python -m release.notices

The crates are those that the extension links on a platform with wheels. A crate that offers Apache-2.0, the
licence of genotok itself, is used under it; of the others the texts are given.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NOTICES = ROOT / "THIRD-PARTY-LICENSES"
TARGETS = ("x86_64-unknown-linux-gnu", "x86_64-unknown-linux-musl", "aarch64-apple-darwin")
LICENCES = "LICEN[CS]E|COPYING|NOTICE"
# C libraries that are compiled along with a crate, and where their licence is in it.
BUNDLED = {"zstd-sys": "zstd/LICENSE", "liblzma-sys": "xz/COPYING.0BSD"}

HEADER = """\
The compiled module of genotok contains the Rust crates below, Rust's standard library (MIT OR
Apache-2.0 *), and the C libraries that two of the crates bring along. Crates marked with * are used
under Apache-2.0, the licence of genotok, whose text is in LICENSE. The licences of the others
follow the list. `python -m release.notices` writes this file.
"""

# For crates that name this licence and contain no text of it.
MIT = """\
Copyright (c) {authors}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES
OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def main() -> None:
    """Write the file."""
    NOTICES.write_text(notices(), encoding="utf-8")


def notices() -> str:
    """The text of the file: a list of the crates, then each licence once, with the crates that have it."""
    used = linked()
    lines = [f"{crate['name']} {crate['version']}: {crate['license']}{mark(crate)}" for crate in used]
    texts: dict[str, list[str]] = {}
    for crate in used:
        for text in licences(crate):
            texts.setdefault(text, []).append(f"{crate['name']} {crate['version']}")
    parts = [f"{'=' * 78}\n{', '.join(crates)}\n{'=' * 78}\n\n{text}" for text, crates in texts.items()]
    return "\n\n".join([HEADER + "\n" + "\n".join(lines), *parts]) + "\n"


def mark(crate: dict[str, Any]) -> str:
    """A star for a crate that is used under Apache-2.0."""
    return " *" if offers_apache(crate["license"]) else ""


def offers_apache(expression: str) -> bool:
    """Whether a licence expression allows Apache-2.0 alone, without anything that holds besides."""
    alternatives = re.split(r" OR |/", expression.replace("(", "").replace(")", ""))
    return " AND " not in expression and "Apache-2.0" in (one.strip() for one in alternatives)


def licences(crate: dict[str, Any]) -> list[str]:
    """The texts that must go along with a crate.

    Raises:
        SystemExit: it has none.
    """
    folder = Path(crate["manifest_path"]).parent
    is_apache = offers_apache(crate["license"])
    wanted = re.compile("NOTICE" if is_apache else LICENCES, re.IGNORECASE)
    files = sorted(path for path in folder.iterdir() if path.is_file() and wanted.match(path.name))
    if crate["name"] in BUNDLED:
        files.append(folder / BUNDLED[crate["name"]])
    texts = [tidy(path.read_text(encoding="utf-8")) for path in files]
    if not texts and crate["license"] == "MIT":
        texts = [tidy(MIT.format(authors=", ".join(crate["authors"]) or f"the authors of {crate['name']}"))]
    if not texts and not is_apache:
        raise SystemExit(f"notices: {crate['name']} {crate['version']} has no licence file")
    return texts


def tidy(text: str) -> str:
    """A text with plain line ends and no white space at their ends."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def linked() -> list[dict[str, Any]]:
    """The crates that the extension links on any of the platforms, by name and version."""
    found: dict[str, dict[str, Any]] = {}
    for target in TARGETS:
        found |= linked_on(target)
    return sorted(found.values(), key=lambda crate: (crate["name"], crate["version"]))


def host_target() -> str:
    """The Rust target of this machine."""
    described = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout
    (host,) = re.findall(r"^host: (.+)$", described, re.MULTILINE)
    return str(host)


def linked_on(target: str) -> dict[str, dict[str, Any]]:
    """The foreign crates that the extension links on one platform, by id."""
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target]
    told = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    crates = {crate["id"]: crate for crate in told["packages"]}
    nodes = {node["id"]: node for node in told["resolve"]["nodes"]}
    todo = [each for each, crate in crates.items() if crate["name"] == "genotok-python"]
    seen: set[str] = set()
    while todo:
        each = todo.pop()
        if each not in seen and not is_macro(crates[each]):
            seen.add(each)
            todo += [other["pkg"] for other in nodes[each]["deps"] if is_linked(other)]
    return {each: crates[each] for each in seen if crates[each]["source"]}


def is_linked(dependency: dict[str, Any]) -> bool:
    """Whether a dependency is one of the program, not only of its build or its tests."""
    return any(kind["kind"] is None for kind in dependency["dep_kinds"])


def is_macro(crate: dict[str, Any]) -> bool:
    """Whether a crate runs in the compiler, and is not linked."""
    return any("proc-macro" in target["kind"] for target in crate["targets"])


if __name__ == "__main__":
    main()
