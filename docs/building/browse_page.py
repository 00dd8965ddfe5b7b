"""`browse.html` beside the pages: the published vocabulary of DNABERT-2 and k-mers, with a sequence."""

from pathlib import Path

from sphinx.application import Sphinx

from genotok import Tokenizer
from genotok.browse import write_page
from genotok.study import named_kmers

ROOT = Path(__file__).resolve().parent.parent.parent
LINES = 13
"""Of the genome, its title among them: 720 bases."""


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the page when the build ends."""
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True}


def _write(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.format != "html":
        return
    published = Tokenizer.from_file(ROOT / "docs" / "published" / "dnabert2" / "tokenizer.json")
    kmers = {name: named_kmers(name).tokenizer for name in ("kmer:6", "kmer:6:no-overlap")}
    genome = (ROOT / "genomes" / "lambda_phage.fa").read_text(encoding="ascii").splitlines()
    write_page(
        Path(app.outdir, "browse.html"),
        {"DNABERT-2": published, **kmers},
        "\n".join([">lambda_phage", *genome[1:LINES]]),
        title="Tokens of DNABERT-2 and of k-mers",
        force=True,
    )
