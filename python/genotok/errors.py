"""The exceptions of genotok: one family, each also the built-in class a caller would expect.

The native module raises these classes, one for each kind of fault that the core tells apart. Every message is
one line: what was found, where, what was expected. Faults of the operating system stay what they are in
Python (`OSError` with `errno` and `filename`, such as `FileNotFoundError`), and Ctrl-C stays
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
    """Anything that genotok itself refuses; catch this to catch them all."""


class GenotokWarning(UserWarning):
    """Something that was done as asked, and that is probably not what was meant."""


class SequenceFileError(GenotokError, ValueError):
    """A file is not what its format demands: empty, cut short, damaged, or malformed at a line."""


class SymbolError(GenotokError, ValueError):
    """A sequence holds a letter that has no place in it: names record, position and letter."""


class VocabularyError(GenotokError, ValueError):
    """A vocabulary or merge list contradicts itself, or is used for what it cannot do."""


class ArgumentError(GenotokError, ValueError):
    """An argument is outside its rule: names the argument, its value and the rule."""


class ResourceError(GenotokError, MemoryError):
    """The work needs more memory, identifiers or positions than there are."""
