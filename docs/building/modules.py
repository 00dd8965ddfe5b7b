"""Pages of the Python packages, made from what they export.

A package is public if `PACKAGES` names it; its page `reference/python/NAME.rst` shows each name of its
`__all__`. A name that several packages export is described in the first, and the others lead there.
"""

import importlib
import inspect
import sys
import typing
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective

from building.docstrings import rewritten

FOLDER = "reference/python"
PACKAGES = (
    "genotok",
    "genotok.tokenizer",
    "genotok.corpus",
    "genotok.dataset",
    "genotok.rows",
    "genotok.options",
    "genotok.study",
    "genotok.gue",
    "genotok.model",
    "genotok.model.huggingface",
    "genotok.embedding",
    "genotok.variants",
    "genotok.baseline",
    "genotok.pretrain",
    "genotok.finetune",
    "genotok.compare",
    "genotok.distributed",
    "genotok.report",
)
# Types that signatures of a package name and it does not export.
TYPES = {
    "genotok.tokenizer": (
        "genotok.tokenizer.encoder.MergeStep",
        "genotok.tokenizer.templates.Templates",
        "genotok.tokenizer.templates.Part",
        "genotok.tokenizer.arrow.ArrowArray",
        "genotok.tokenizer.arrow.ArrowStream",
    ),
    "genotok.corpus": (
        "genotok.corpus.check.FileReport",
        "genotok.corpus.check.Lengths",
        "genotok.corpus.check.Defect",
        "genotok.corpus.packed.PackReport",
        "genotok.corpus.packed.Word",
    ),
    "genotok.options": ("genotok.files.paths.Bed",),
    "genotok.gue": ("genotok.gue.audit.LabelStatistics",),
    "genotok.variants": (
        "genotok.variants.edits.Bases",
        "genotok.variants.edits.WindowEdit",
        "genotok.variants.reference.Contig",
        "genotok.variants.passes.RowPasses",
        "genotok.variants.rows.RowMaker",
    ),
    "genotok.model": (
        "genotok.model.packing.SequenceRun",
        "genotok.model.checkpoint.load",
        "genotok.model.checkpoint.LoadReport",
    ),
    "genotok.model.huggingface": ("genotok.model.huggingface.trunk.PackedStates",),
    "genotok.finetune": (
        "genotok.evaluation.metrics.classes.Scores",
        "genotok.evaluation.metrics.numbers.NumberScores",
        "genotok.evaluation.metrics.multilabel.LabelScores",
        "genotok.evaluation.metrics.intervals.Interval",
    ),
    "genotok.report": (
        "genotok.report.tokens.ViewedTokenizer",
        "genotok.report.tokens.Block",
        "genotok.report.tokens.TokenPart",
    ),
}
FIRST = {"Tokenizer"}  # what most readers look for
# How options are declared, which only genotok itself does.
INTERNAL = {"genotok.options": {"Option", "grouped"}}


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages when the build starts; the directive lists them."""
    app.connect("builder-inited", _write_pages)
    app.add_directive("genotok-packages", PackageList)
    return {"parallel_read_safe": True}


def described() -> dict[str, list[tuple[str, str | None]]]:
    """Each package to its public names, each with the package that describes it if that is another one."""
    seen: dict[int, str] = {}
    found: dict[str, list[tuple[str, str | None]]] = {}
    for package in PACKAGES:
        module = importlib.import_module(package)
        public = [name for name in module.__all__ if name not in INTERNAL.get(package, ())]
        public.sort(key=lambda name: name not in FIRST)
        names: list[tuple[str, str | None]] = []
        for name in public:
            first = seen.setdefault(id(getattr(module, name)), package)
            names.append((name, None if first == package else first))
        found[package] = names
    return found


def _write_pages(app: Sphinx) -> None:
    """One page per package."""
    folder = Path(app.srcdir, FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    for package, names in described().items():
        path, text = folder / f"{package}.rst", _page(package, names)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _page(package: str, names: list[tuple[str, str | None]]) -> str:
    """The page of one package: its docstring, then each name."""
    module = importlib.import_module(package)
    lines = [package, "=" * len(package), "", f".. automodule:: {package}", "   :no-members:", ""]
    own = [(f"{package}.{name}", getattr(module, name)) for name, other in names if not other]
    for title, kinds in SECTIONS.items():
        chosen = [(name, value) for name, value in own if _kind(value) in kinds]
        lines += _section(title, chosen)
    lines += _section("Types in signatures", [(name, _value(name)) for name in TYPES.get(package, ())])
    others = [(name, other) for name, other in names if other]
    if others:
        lines += [*_title("Also exported here"), *(f"- :py:obj:`{where}.{name}`" for name, where in others)]
    return "\n".join(lines) + "\n"


SECTIONS = {
    "Classes": ("class",),
    "Functions": ("function",),
    "Exceptions": ("exception",),
    "Values": ("data",),
}


def _title(title: str) -> list[str]:
    return [title, "-" * len(title), ""]


def _section(title: str, chosen: list[tuple[str, Any]]) -> list[str]:
    """A title and a description of each value; nothing without any."""
    return [*_title(title), *(line for found in chosen for line in _described(*found))] if chosen else []


def _value(name: str) -> Any:
    module, _, last = name.rpartition(".")
    return getattr(importlib.import_module(module), last)


def _kind(value: Any) -> str:
    """What autodoc calls such a value."""
    if inspect.isclass(value):
        return "exception" if issubclass(value, BaseException) else "class"
    return "function" if inspect.isroutine(value) else "data"


def _described(name: str, value: Any) -> list[str]:
    """The directive that describes a value, and its options."""
    kind = _kind(value)
    if kind == "data":
        return _data(name, value)
    options = []
    if kind == "class":
        # Members of genotok's own base classes, which are not described themselves; not those of others'.
        foreign = {base.__name__ for base in value.__mro__[1:] if not base.__module__.startswith("genotok")}
        options = ["   :members:", f"   :inherited-members: {','.join(sorted(foreign))}"]
        if typing.is_typeddict(value) or issubclass(value, tuple):
            options = ["   :members:", "   :undoc-members:"]
    if kind == "exception":
        options = ["   :show-inheritance:"]
    return [f".. auto{kind}:: {name}", *options, ""]


def _data(name: str, value: Any) -> list[str]:
    """A constant or an alias, with the text that stands below its definition."""
    package, _, last = name.rpartition(".")
    shown = repr(value).replace("typing.", "")
    text: list[str] = []
    for module in [found for found in list(sys.modules) if found.startswith(package)]:
        if vars(sys.modules[module]).get(last) is value and getattr(sys.modules[module], "__file__", None):
            text = text or ModuleAnalyzer.for_module(module).find_attr_docs().get(("", last), [])
    value_of = [f"   :value: {shown}"] if len(shown) < 200 else []
    return [f".. py:data:: {name}", *value_of, "", *(f"   {line}" for line in rewritten(text)), ""]


class PackageList(SphinxDirective):
    """All public packages, each with the first line of its docstring; and a table of contents of them."""

    def run(self) -> list[nodes.Node]:
        """Markdown for MyST to parse."""
        lines = []
        for package in PACKAGES:
            first = (importlib.import_module(package).__doc__ or "").partition("\n")[0]
            lines += [f"[`{package}`](/{FOLDER}/{package}.rst)", f": {first}", ""]
        lines += ["```{toctree}", ":hidden:", "", *(f"/{FOLDER}/{package}" for package in PACKAGES), "```"]
        return self.parse_text_to_nodes("\n".join(lines))
