"""Records to look at: one page of HTML that needs nothing but itself.

`read_records` takes what `genotok study`, the benchmarks and pytest-benchmark wrote; `page` makes the page.
Each record becomes a section: its tables, which sort; its plots, which are SVG in the page; machine and
versions; and what is unfair about the comparison. A record of an unknown kind is listed as not shown.

Records and names come from anywhere, so the page trusts none of them: every string is cleaned of control
characters when it is read and escaped when it is written, and a content-security policy allows the page's own
style and script by their hashes and nothing else, not even a `style` attribute. The plots keep to that, too:
see `svg`.

- `records`: files to checked records;
- `tables`: what a table is, and numbers as cells;
- `studies`, `speeds`, `encoders`: the sections of each kind of record;
- `plots`, `svg`: plots with units, in colours that the page chooses for light and dark;
- `tokens`: a sequence under several tokenizers, side by side;
- `page`: all of it in one template.

Needs the extra `report`: jinja2 and matplotlib.
"""

from genotok.report.page import page
from genotok.report.records import Found, read_records
from genotok.report.tokens import TokenView, token_view

__all__ = ["Found", "TokenView", "page", "read_records", "token_view"]
