"""Tokenizers on one self-contained page, where a sequence is split as one types.

`write_page` writes the page of some tokenizers; `browse_page` gives it as text. The page encodes in plain
JavaScript on the merges, equal to `Tokenizer.encode`: the tests compare the two. It allows its own style and
script by their hashes and nothing else, so that what is pasted stays in it; all strings of tokenizers become
text, never markup.

- `description`: a tokenizer as JSON, or why the page cannot encode with it;
- `page`: all of it in one file.

The page: `reading.js` reads records and characters, `encoding.js` and `tokenizer.js` encode, `tokens.js`,
`lengths.js` and `search.js` compute what is shown, `elements.js`, `views.js` and `app.js` show it.
"""

from genotok.browse.page import MAX_SEQUENCE, browse_page, write_page

__all__ = ["MAX_SEQUENCE", "browse_page", "write_page"]
