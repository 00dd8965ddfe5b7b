"""What the build did, for the check of the site: `counts.json` beside the pages."""

import json
from pathlib import Path

from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the counts when the build ends."""
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True}


def _write(app: Sphinx, error: Exception | None) -> None:
    """Documents read, and notebooks with the seconds that each took."""
    if error or app.builder.format != "html":
        return
    data = getattr(app.env, "nb_metadata", {})
    ran = {name: found["exec_data"] for name, found in data.items() if found.get("exec_data")}
    counts = {
        "documents": len(app.env.found_docs),
        "notebooks": {name: round(done["runtime"] or 0, 1) for name, done in sorted(ran.items())},
    }
    Path(app.outdir, "counts.json").write_text(json.dumps(counts), encoding="utf-8")
