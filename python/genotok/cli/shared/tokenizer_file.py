"""Tokenizer files that the user names, or forgot to make."""

import errno
import shlex

from genotok.tokenizer import Tokenizer

__all__ = ["DEFAULT_TOKENIZER", "load_tokenizer"]

DEFAULT_TOKENIZER = "tokenizer.json"


def load_tokenizer(path: str) -> Tokenizer:
    """The tokenizer in the file `path`.

    Raises:
        FileNotFoundError: There is no such file; says how to make one, or to name another.
    """
    try:
        return Tokenizer.from_file(path)
    except FileNotFoundError as error:
        output = "" if path == DEFAULT_TOKENIZER else f" -o {shlex.quote(path)}"
        remedy = f"train one with 'genotok train-bpe genomes/*.fa{output}', or name the file that you have"
        raise FileNotFoundError(errno.ENOENT, f"no such tokenizer; {remedy}", error.filename) from None
