"""Settings of the documentation site: `make docs` builds it from docs/ into docs/_build/html.

The site is self-contained: system fonts, no scripts or styles by network, and its search works from files.
Warnings are errors. `building` has what Sphinx lacks: pages generated from the program and the package,
documents outside docs/ as pages, and the check of the built site.
"""

import os
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS))

from building import external_types, notebooks  # noqa: E402

import genotok  # noqa: E402

project = "genotok"
author = "The genotok developers"
copyright = "the genotok developers, Apache-2.0"  # noqa: A001
version = release = genotok.__version__
language = "en"
smartquotes = False  # commands and options are copied

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    "building.root_documents",
    "building.commands",
    "building.modules",
    "building.docstrings",
    "building.literals",
    "building.browse_page",
    "building.counts",
]
exclude_patterns = ["_build", "building", "figures/*.py", "**/.ipynb_checkpoints"]
nitpicky = True
nitpick_ignore_regex = external_types.IGNORED
default_role = "code"
highlight_language = "text"

# MyST: Markdown as code hosts show it, plus directives.
myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 5

# Notebooks run in a folder of their own, where genomes/ is that of the repository.
nb_execution_mode = os.environ.get("GENOTOK_DOCS_NOTEBOOKS", "force")
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True
notebooks.prepare(DOCS / "_build" / "kernel", DOCS.parent / "genomes")

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_class_signature = "mixed"
python_maximum_signature_line_length = 88
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = f"genotok {version}"
html_static_path = ["static"]
html_css_files = ["genotok.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#0b5c7a",
        "color-brand-content": "#0b5c7a",
        "color-brand-visited": "#5b4b8a",
        "color-api-name": "#0b5c7a",
        "color-api-pre-name": "#5a6b73",
    },
    "dark_css_variables": {
        "color-brand-primary": "#6fc1de",
        "color-brand-content": "#6fc1de",
        "color-brand-visited": "#b3a4e0",
        "color-api-name": "#6fc1de",
        "color-api-pre-name": "#93a4ac",
    },
}
pygments_style = "xcode"
pygments_dark_style = "github-dark"
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp, .go"
