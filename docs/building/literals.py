"""Links from literals: `genotok encode` to its page, `Tokenizer.encode_batch` to its description.

Neither a document nor a docstring needs markup for it. A name is linked where one public object alone has it.
Types in signatures, which are named by the module that defines them, lead to the package that exports them.
"""

import builtins
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode

from building.commands import commands, page_of


def setup(app: Sphinx) -> dict[str, bool]:
    """Link when pages are resolved."""
    app.add_post_transform(PlainBuiltins)
    app.add_post_transform(LinkLiterals)
    app.connect("missing-reference", _resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _objects(env: BuildEnvironment) -> dict[str, tuple[str, str] | None]:
    """Each name and each dotted end of a name to its page and anchor; None where several objects have it."""
    cached = getattr(env, "genotok_objects", None)
    known = env.domains["py"].objects  # type: ignore[attr-defined]
    if cached is not None and cached[0] == len(known):
        return cached[1]
    found: dict[str, tuple[str, str] | None] = {}
    for name, entry in known.items():
        if entry.objtype == "module":
            found[name] = (entry.docname, entry.node_id)
            continue
        if entry.aliased:  # the module that defines it
            found.setdefault(name, (entry.docname, entry.node_id))
            continue
        parts = name.split(".")
        ends = {".".join(parts[start:]) for start in range(len(parts))}
        if entry.objtype in {"method", "attribute", "property"}:
            ends = {end for end in ends if "." in end}
        ends = {
            end for end in ends if "." in end or "_" in end or end[:1].isupper()
        }  # `train` says too little
        for end in ends:
            found[end] = (entry.docname, entry.node_id) if end not in found or end == name else None
    env.genotok_objects = (len(known), found)  # type: ignore[attr-defined]
    return found


def _resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Node
) -> nodes.Node | None:
    """A type of genotok that a signature or docstring names, by the name that is public."""
    if node.get("refdomain") != "py":
        return None
    target = str(node["reftarget"])
    found = _objects(env).get(target) or _objects(env).get(target.rpartition(".")[2])
    if not found or (target.count(".") and not target.startswith("genotok")):
        return None
    return make_refnode(app.builder, node["refdoc"], *found, content, target)


class PlainBuiltins(SphinxPostTransform):
    """Leaves Python's own types as they are: `bytes` is no attribute of that name."""

    default_priority = 5

    def run(self, **kwargs: Any) -> None:
        """Replace references to builtins by their text."""
        for node in list(self.document.findall(pending_xref)):
            if node.get("refdomain") == "py" and hasattr(builtins, node["reftarget"]):
                node.replace_self(node.children)


class LinkLiterals(SphinxPostTransform):
    """Makes links of literals that name a command or a public object."""

    default_priority = 20

    def run(self, **kwargs: Any) -> None:
        """Replace literals of this document."""
        if self.app.builder.format != "html":
            return
        pages = {f"genotok {name}": (page_of(name), "") for name in commands()}
        objects = _objects(self.env)
        for node in list(self.document.findall(nodes.literal)):
            text = node.astext()
            # In a guide `encode` is the command, and `train` an extra: a word alone is no object.
            is_word = text.isalpha() and text.islower() and not self.env.docname.startswith("reference/")
            found = pages.get(text) or (None if is_word else objects.get(text.removesuffix("()")))
            if not found or _is_linked(node) or (found[0] == self.env.docname and not found[1]):
                continue
            link = make_refnode(self.app.builder, self.env.docname, found[0], found[1], node.deepcopy(), text)
            node.replace_self(link)


def _is_linked(node: nodes.Node) -> bool:
    """Whether a link or a heading holds the node already."""
    while node.parent is not None:
        node = node.parent
        if isinstance(node, nodes.reference | nodes.title | pending_xref):
            return True
    return False
