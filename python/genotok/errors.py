"""The exceptions of genotok: one hierarchy, each also a subclass of the matching built-in class.

The native module raises these classes, one for each kind of error that the core distinguishes. Each message
is one line: what was found, where, what was expected. Errors of the operating system keep their Python
classes (`OSError` with `errno` and `filename`, such as `FileNotFoundError`), and Ctrl-C raises
`KeyboardInterrupt`.
"""

__all__ = [
    "ArgumentError",
    "GenotokError",
    "GenotokWarning",
    "ResourceError",
    "SequenceFileError",
    "SymbolError",
    "VocabularyError",
]


class GenotokError(Exception):
    """The base class of all errors that genotok raises."""


class GenotokWarning(UserWarning):
    """A request was carried out, but is probably not what the user meant."""


class SequenceFileError(GenotokError, ValueError):
    """A file violates its format: empty, truncated, damaged, or malformed at a line."""


class SymbolError(GenotokError, ValueError):
    """A sequence holds an invalid symbol: names record, position and symbol."""


class VocabularyError(GenotokError, ValueError):
    """A vocabulary or list of merges is inconsistent, or does not support an operation."""


class ArgumentError(GenotokError, ValueError):
    """An argument is invalid: names the argument, its value and the rule."""


class ResourceError(GenotokError, MemoryError):
    """The work needs more memory, identifiers or positions than are available."""
