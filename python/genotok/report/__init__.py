"""Runs and records on one self-contained page of HTML.

`read_records` finds what genotok wrote: the folders of `genotok pretrain`, `finetune` and `compare`, also of
runs that are running or were stopped, models, encoded sequences, and records of `genotok study`, of the
benchmarks and of pytest-benchmark. `make_page` makes the page: a summary first; then a section for each with
its figures, caveats, plots, which are SVG in the page, and tables, which sort. Other files are listed as
not shown.

Records and names come from anywhere, so the page trusts none of them: every string is cleaned of control
characters when it is read and escaped when it is written, and a content-security policy allows the page's own
style and script by their hashes and nothing else, not even a `style` attribute. The plots keep to that, too:
see `svg`.

- `finding`, `folders`, `records`: paths to checked records;
- `tables`: what a section and a table are, and numbers as cells;
- `pretraining`, `training_log`, `finetuning`, `comparison`, `models`, `identities`: the sections of models;
- `studies`, `study_plots`, `speeds`, `encoders`, `inputs`, `shards`: the sections of studies and benchmarks;
- `sections`: which kind of record gets which;
- `plots`, `forest`, `canvas`, `svg`: plots with units, in colours that the page chooses for light and dark;
- `tokens`: the tokens of a sequence under several tokenizers;
- `page`: all of it in one template.

Needs the extra `report`: jinja2 and matplotlib.
"""

from genotok.report.finding import read_records
from genotok.report.page import Page, make_page, page
from genotok.report.records import FoundRecord
from genotok.report.tokens import TokenView, token_view

__all__ = ["FoundRecord", "Page", "TokenView", "make_page", "page", "read_records", "token_view"]
