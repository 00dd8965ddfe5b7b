"""The structure of the repository: imports, the map, sizes, versions, foreign names."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable
from functools import cache
from graphlib import CycleError, TopologicalSorter
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

import pytest

import genotok
from tests.support.rust_modules import Module, RustModules, code_of, cycle, folders
from tests.support.rust_modules import module_of as rust_module

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "python" / "genotok"
T = TypeVar("T")

# A Python module imports only from levels below its own. `__init__` gives names to all but `cli`.
LEVELS = (
    {"errors", "_native"},
    {"files", "webpage"},
    {"options", "run_records"},
    {"tokenizer", "model"},
    {"corpus"},
    {"model_folder", "rows"},
    {"dataset", "gue", "study"},
    {"distributed", "embedding", "evaluation", "training"},
    {"baseline"},
    {"pretrain", "finetune", "variants"},
    {"compare"},
    {"report", "multiqc", "browse"},
    {"cli"},
    {"__main__"},
)

# In each of these folders a Rust module uses only those named before it. Others have no order, but no cycle.
RUST_ORDER = {
    "": [
        "error",
        "monitor",
        "threads",
        "instructions",
        "alphabet",
        "verdict",
        "io",
        "corpus",
        "check",
        "bpe",
        "kmer",
        "loci",
        "tokenizer",
        "batch",
        "rows",
        "stream",
        "session",
        "testing",
    ],
    "io": [
        "file_writer",
        "atomic",
        "memory",
        "sizes",
        "checksum",
        "input_sum",
        "tabix",
        "decompress",
        "sources",
        "fasta",
    ],
    "bpe": ["table", "encode", "train"],
    "bpe::encode": [
        "heap",
        "rules",
        "no_automaton",
        "budget",
        "compatible",
        "offers",
        "items",
        "local",
        "machine",
        "automaton",
        "marked",
        "neighbours",
        "stream",
        "corpus_text",
        "lanes",
        "seams",
        "encoder",
    ],
    "bpe::train": [
        "options",
        "wire",
        "counts",
        "islands",
        "layout",
        "replay",
        "lookahead",
        "sample",
        "corpora",
        "counted",
        "pass",
        "local",
        "answer",
        "protocol",
        "shard",
        "remote",
        "candidates",
        "trainer",
        "checkpoint",
    ],
}

# The doors: third-party modules and the only places that may name them, packages or modules of a package.
DOORS = {
    "typer": {"cli"},
    "rich": {"cli"},
    "torch": {
        "dataset",
        "model",
        "model_folder",
        "training",
        "embedding",
        "evaluation.problem",
        "baseline",
        "pretrain",
        "finetune",
        "variants",
    },
    "transformers": {"tokenizer.huggingface", "model", "training", "pretrain", "finetune"},
    "peft": {"model", "finetune"},
    "sklearn": {"baseline.kmers"},
    "scipy": {"baseline.kmers"},
    "pyarrow": {"dataset", "distributed", "embedding", "evaluation", "finetune", "rows", "variants"},
    "ray": {"distributed"},
    "jinja2": {"report"},
    "markupsafe": {"report"},
    "matplotlib": {"report"},
}

# What writes, creates, renames or locks files in Rust, and the only files that may, with the reason.
RUST_WRITES = re.compile(
    r"\bFile::(?:create|options)|\bOpenOptions\b|\bfs::(?:write|rename|copy|hard_link)\b"
    r"|\b(?:NamedTempFile|SpooledTempFile|tempfile\w*::)|\bpersist\("
)
RUST_WRITERS = {
    "rust/src/io/atomic.rs": "the atomic writer",
    "rust/src/io/atomic/claim.rs": "claims, which are locked and never renamed",
    "rust/src/io/atomic/notes.rs": "gives committed files their names, also after a kill",
    "rust/src/rows/spool.rs": "scratch space in a file without a name, gone with the process",
    "rust/src/testing/fuzz/scratch.rs": "inputs of fuzz targets, in a folder that is gone with the process",
}

MAX_LINES = {".py": 300, ".rs": 500}
# path: (lines allowed, why it holds one concept in spite of its length)
LONGER: dict[str, tuple[int, str]] = {}
MAX_TEST_LINES = 600
MAX_BYTES = 100_000
LARGER = {
    "Cargo.lock": "written by cargo",
    "genomes/": "sequences, 8 MB in all",
    "docs/published/": "a vocabulary, as it is published",
}


def tracked() -> list[Path]:
    """The files under version control."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def sources(suffix: str) -> list[Path]:
    return [path for path in tracked() if path.suffix == suffix]


# -- imports ----------------------------------------------------------------------------------------


def module_of(path: Path) -> str:
    """The module or sub-package directly under `genotok` that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def dotted(path: Path, root: Path = PACKAGE) -> list[str]:
    """The parts of a file's module, from the package `root` on; of `__init__.py`, those of its package."""
    parts = [root.name, *path.relative_to(root).with_suffix("").parts]
    return parts[:-1] if parts[-1] == "__init__" else parts


def imported(path: Path, root: Path = PACKAGE) -> set[str]:
    """The names a Python file imports, in full, also inside functions and relative to its own package.

    Of `from genotok.a import b` it is `genotok.a.b`, whether `b` is a module or not.
    """
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = [node.module] if node.module else []
            if node.level:
                package = list(path.relative_to(root.parent).parts[: -node.level])
                parts = package + parts
            names |= {".".join([*parts, alias.name]) for alias in node.names}
    return names


def file_of(name: str, root: Path = PACKAGE) -> Path | None:
    """The file of the package `root` that an imported name is in; None if it is of another package."""
    parts = name.split(".")
    while parts and parts[0] == root.name:
        place = root.parent.joinpath(*parts)
        for file in (place / "__init__.py", place.with_suffix(".py"), place.with_suffix(".pyi")):
            if file.is_file():
                return file
        parts.pop()
    return None


def siblings(root: Path) -> dict[Path, dict[str, set[str]]]:
    """For each folder of a package, which of its files and folders import from which others.

    An import from `a/b/c.py` to `a/d/e.py` is one from `b` to `d` in the folder `a`. So a cycle of files is
    a cycle in one folder, as is a cycle of folders.
    """
    found: dict[Path, dict[str, set[str]]] = {}
    for path in root.rglob("*.py"):
        for name in imported(path, root):
            target = file_of(name, root)
            if target is None or target == path:
                continue
            one, other = path.relative_to(root).parts, target.relative_to(root).parts
            shared = next(place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
            folder = found.setdefault(root.joinpath(*one[:shared]), {})
            folder.setdefault(one[shared], set()).add(other[shared])
    return found


def import_cycles(root: Path) -> list[str]:
    """One import cycle of each folder of a package that has any."""
    found = []
    for folder, taken in siblings(root).items():
        try:
            TopologicalSorter(taken).prepare()
        except CycleError as error:
            names = " <- ".join(error.args[1])
            found.append(f"{folder.relative_to(root.parent).as_posix()}: {names}")
    return found


def test_python_files_and_folders_have_no_import_cycle() -> None:
    for root in (PACKAGE, ROOT / "tests", ROOT / "benchmarks"):
        assert import_cycles(root) == []


@pytest.mark.parametrize(
    ("files", "has_cycle"),
    [
        ({"a.py": "import house.b", "b.py": ""}, False),
        ({"a.py": "import house.b", "b.py": "from house.a import x"}, True),
        ({"a.py": "import house.b", "b.py": "def f():\n    from . import a"}, True),
        ({"a.py": "from .b import x", "b.py": "if TYPE_CHECKING:\n    from house import a"}, True),
        ({"a/x.py": "from house.b import y", "a/z.py": "", "b/y.py": "", "b/w.py": "import house.a.x"}, True),
        ({"a/x.py": "from house.b.y import v", "a/z.py": "", "b/y.py": "from ..a import z"}, True),
        ({"a/x.py": "from ..b.y import v", "a/z.py": "from .x import u", "b/y.py": "import a.z"}, False),
    ],
)
def test_an_import_cycle_is_found(files: dict[str, str], has_cycle: bool, tmp_path: Path) -> None:
    root = tmp_path / "house"
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        (path.parent / "__init__.py").touch()
    assert bool(import_cycles(root)) is has_cycle


def test_python_modules_import_downwards_only() -> None:
    level = {name: number for number, names in enumerate(LEVELS) for name in names}
    for path in PACKAGE.rglob("*.py"):
        module = module_of(path)
        if module == "__init__":
            continue
        assert module in level, f"{relative(path)}: give it a level"
        for name in imported(path):
            parts = name.split(".")
            if parts[0] == "genotok" and len(parts) > 1 and parts[1] in level and parts[1] != module:
                assert level[parts[1]] < level[module], f"{relative(path)} imports {name}"


def test_no_module_stands_beside_the_packages() -> None:
    loose = {path.name for path in PACKAGE.glob("*.py")}
    assert loose == {"__init__.py", "__main__.py", "errors.py"}


def test_no_test_imports_another_test() -> None:
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for name in imported(path, ROOT / "tests"):
            top = name.split(".")[:2]
            assert top[0] != "tests" or top[1] == "support", f"{relative(path)} imports {name}"


def test_third_party_libraries_have_their_doors() -> None:
    for path in PACKAGE.rglob("*.py"):
        here = ".".join(dotted(path)[1:])
        for name in imported(path):
            doors = DOORS.get(name.partition(".")[0])
            is_door = doors is None or any(f"{here}.".startswith(f"{door}.") for door in doors)
            assert is_door, f"{relative(path)} imports {name}"


def test_rust_modules_use_earlier_ones_only() -> None:
    core = RustModules(ROOT / "rust" / "src")
    for folder, order in RUST_ORDER.items():
        names = tuple(folder.split("::")) if folder else ()
        parts = {module[len(names)] for module in core.modules if module[: len(names)] == names != module}
        assert parts == set(order), f"{folder or 'the core'}: give each part a place in the order"
        for part, used in folders(core.uses()).get(names, {}).items():
            later = [other for other in used if order.index(other) >= order.index(part)]
            assert not later, f"{folder}: {part} uses {later}"


def test_rust_files_and_folders_have_no_import_cycle() -> None:
    uses = RustModules(ROOT / "rust" / "src").uses()
    assert cycle(uses) == []
    assert {folder: found for folder, parts in folders(uses).items() if (found := cycle(parts))} == {}


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({"a.rs": "use super::b::B;\n", "b.rs": "fn make() -> super::A {}\n"}, {"a", "b"}),
        ({"a.rs": "use crate::{\n    b::B,\n};\n", "b.rs": "use crate::a::{self, A};\n"}, {"a", "b"}),
        ({"a.rs": "mod c;\nuse self::c::C;\n", "a/c.rs": "use super::D;\n", "b.rs": ""}, {"a", "a::c"}),
        ({"a.rs": "use std::fmt;\n// crate::b::B\n", "b.rs": "use super::{A, fmt};\n"}, set()),
        ({"a.rs": "#[cfg(test)]\nmod tests {\n    use crate::b;\n}\n", "b.rs": "use crate::a;\n"}, set()),
    ],
)
def test_import_cycles_are_found_in_every_notation(
    tmp_path: Path, texts: dict[str, str], expected: set[str]
) -> None:
    (tmp_path / "a").mkdir()
    for name, text in {"lib.rs": "mod a;\nmod b;\npub use self::a::A;\n", **texts}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert {"::".join(module) for module in cycle(RustModules(tmp_path).uses())} == expected


def test_rust_writes_files_through_the_atomic_writer_only() -> None:
    writers = set()
    for root in (ROOT / "rust" / "src", ROOT / "rust" / "python" / "src"):
        for path in root.rglob("*.rs"):
            if path.name != "tests.rs" and "tests" not in path.parts and RUST_WRITES.search(code_of(path)):
                writers.add(relative(path))
    assert writers == set(RUST_WRITERS)


def test_the_core_does_not_know_python() -> None:
    manifest = tomllib.loads((ROOT / "rust" / "Cargo.toml").read_text(encoding="utf-8"))
    assert "pyo3" not in manifest["dependencies"]
    binding = sum(len(path.read_bytes()) for path in (ROOT / "rust" / "python").rglob("*.rs"))
    core = sum(len(path.read_bytes()) for path in (ROOT / "rust" / "src").rglob("*.rs"))
    assert binding < core / 4


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import genotok", ["torch", "pyarrow", "numpy", "typer", "rich", "pydantic", "importlib.metadata"]),
        ("import genotok.gue", ["torch", "pyarrow", "transformers"]),
        ("import genotok.cli", ["torch", "pyarrow", "numpy", "transformers", "rich.console"]),
    ],
)
def test_imports_stay_light(statement: str, absent: list[str]) -> None:
    code = f"import sys; {statement}; print([name for name in {absent!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there() -> None:
    for name in genotok.__all__:
        assert getattr(genotok, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = genotok.nothing


# -- the map ----------------------------------------------------------------------------------------

ARCHITECTURE = ROOT / "ARCHITECTURE.md"
MAP: dict[str, Any] = runpy.run_path(str(ROOT / "docs" / "figures" / "draw_map.py"))
WALKS: list[tuple[str, list[str]]] = MAP["walks"](ARCHITECTURE.read_text(encoding="utf-8"))


def packages_of(heading: str) -> list[list[str]]:
    """The packages of a table of ARCHITECTURE.md, by line."""
    table = ARCHITECTURE.read_text(encoding="utf-8").partition(f"| {heading}")[2].partition("\n\n")[0]
    return [re.findall(r"`([\w:]+)`", line.split("|")[1]) for line in table.splitlines()[2:]]


def reaches(start: str, end: str) -> bool:
    """Whether one file of the core, the binding or the package uses another, directly or not."""
    core, binding = "rust/src/", "rust/python/src/"
    if start.startswith(core):
        if not end.startswith(core):
            return False
        goal = rust_module(ROOT / end, ROOT / core)
        found = closure(rust_module(ROOT / start, ROOT / core), core_uses().__getitem__)
        return any(module[: len(goal)] == goal for module in found)  # a folder passes on what is in it
    text = (ROOT / start).read_text(encoding="utf-8")
    if start.startswith(binding):
        return end.startswith(core) and f"genotok_core::{rust_module(ROOT / end, ROOT / core)[0]}" in text
    if end.startswith(binding):
        return "_native" in text
    return ROOT / end in closure(ROOT / start, files_used)


@cache
def core_uses() -> dict[Module, set[Module]]:
    return RustModules(ROOT / "rust" / "src").uses()


@cache
def files_used(path: Path) -> set[Path]:
    return {file for name in imported(path) if (file := file_of(name))}


def closure(start: T, after: Callable[[T], Iterable[T]]) -> set[T]:
    """All that is reached from `start`."""
    found, left = {start}, [start]
    while left:
        new = set(after(left.pop())) - found
        found |= new
        left += new
    return found


def test_the_map_names_each_package_in_order() -> None:
    rust = [name for names in packages_of("Rust, below") for name in names]
    assert [name for name in rust if not name.startswith("bpe::")] == RUST_ORDER[""]
    assert [f"bpe::{name}" for name in RUST_ORDER["bpe"][1:]] == [name for name in rust if "::" in name]
    assert [set(names) for names in packages_of("Python, below")] == list(LEVELS)


def test_the_figure_is_that_of_the_map() -> None:
    assert MAP["MAP"].read_text(encoding="utf-8") == MAP["draw"](ARCHITECTURE.read_text(encoding="utf-8"))
    level = {name: number for number, names in enumerate(LEVELS) for name in names}
    drawn = [[level[name] for name in names] for names in reversed(MAP["PYTHON"])]
    assert drawn == [[number] * len(names) for number, names in enumerate(LEVELS[:-1])]
    row = {name: number for number, names in enumerate(reversed(MAP["RUST"])) for name in names}
    assert set(row) == {name for names in packages_of("Rust, below") for name in names} - {"testing"}
    for module, used in core_uses().items():
        for other in used if module else ():
            one, two = (MAP["package"]("/".join(["rust", "src", *names]))[1] for names in (module, other))
            assert one in {two, "testing"} or row[two] < row[one], f"{module} uses {other}"


@pytest.mark.parametrize(("title", "steps"), WALKS, ids=[title for title, _ in WALKS])
def test_a_walk_can_be_walked(title: str, steps: list[str]) -> None:
    assert len(WALKS) == 3
    assert len(steps) >= 6
    for step in steps:
        path, _, name = step.partition("::")
        defined = re.compile(rf"\b(?:fn|struct|enum|trait|def|class) {name}\b")
        assert defined.search((ROOT / path).read_text(encoding="utf-8")), f"{title}: {step}"
    paths = [step.partition("::")[0] for step in steps]
    for one, two, three in zip(paths, paths[1:], [*paths[2:], ""], strict=False):
        joined = bool(three) and reaches(three, one) and reaches(three, two)  # it calls both
        assert one == two or reaches(two, one) or reaches(one, two) or joined, f"{title}: {one} and {two}"
    packages = [package for package, _ in groupby(steps, key=MAP["package"])]
    assert len(set(packages)) == len(packages), f"{title} goes back to a package"


# -- sizes ------------------------------------------------------------------------------------------


def test_source_files_keep_to_their_budget() -> None:
    for path in [*sources(".py"), *sources(".rs")]:
        name = relative(path)
        is_test = "tests/" in name or "benchmarks/" in name or "benches/" in name
        allowed = MAX_TEST_LINES if is_test else LONGER.get(name, (MAX_LINES[path.suffix], ""))[0]
        lines = path.read_text(encoding="utf-8").count("\n")
        assert lines <= allowed, f"{name} has {lines} lines: does it hold two concepts?"


def test_the_list_of_longer_files_is_not_longer_than_needed() -> None:
    for name, (allowed, why) in LONGER.items():
        lines = (ROOT / name).read_text(encoding="utf-8").count("\n")
        assert MAX_LINES[Path(name).suffix] < lines <= allowed
        assert why


def test_nothing_large_is_tracked() -> None:
    for path in tracked():
        if not relative(path).startswith(tuple(LARGER)):
            assert path.stat().st_size <= MAX_BYTES, relative(path)
    assert sum(path.stat().st_size for path in (ROOT / "genomes").iterdir()) <= 8_000_000


def test_no_module_is_a_drawer() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [relative(path) for path in tracked() if path.stem in drawers] == []


# -- versions and names ----------------------------------------------------------------------------


def test_the_versions_agree() -> None:
    cargo = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))
    version = cargo["workspace"]["package"]["version"]
    assert genotok.__version__ == version
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "version" in project["dynamic"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.*)$", citation, re.MULTILINE) == [version]
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_licences_agree() -> None:
    cargo = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]["package"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert cargo["license"] == project["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")[:200]


def test_the_lock_file_pins_what_the_project_asks_for() -> None:
    lock = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    pinned = {name.lower().replace("_", "-") for name in re.findall(r"^([\w.-]+)==\S+", lock, re.MULTILINE)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    wanted = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *extras["model"],
        *extras["train"],
        *extras["report"],
        *extras["test"],
        *extras["lint"],
        *extras["bench"],
        *extras["release"],
        *extras["docs"],
    ]
    assert "genotok[ray,report,train]" in extras["test"]
    assert "genotok[model]" in extras["train"]
    for requirement in wanted:
        if requirement.startswith("genotok["):
            continue  # an extra of this list
        assert re.split(r"[<>=!~\[; ]", requirement)[0].lower() in pinned, requirement
    assert "genotok" not in pinned
    assert "@ " not in lock


# Spelled in pieces, or this file would be the first finding.
FOREIGN = re.compile(
    "|".join(
        [
            r"(?<![\w.])/(?:home|root|Users|work)/\w",
            "pypi" + r"\.org",
            "python" + r"hosted\.org",
            "crates" + r"\.io",
        ]
    )
)


def test_no_path_of_a_machine_and_no_registry_is_named() -> None:
    for path in tracked():
        if path.suffix in {".fa", ".lock"} or path.name == "LICENSE":
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            assert not FOREIGN.search(line), f"{relative(path)}:{number}: {line.strip()[:100]}"
