"""The files of a tokenizer: `tokenizer.json`, and folders that `AutoTokenizer` reads."""

import errno
import hashlib
import json
import os
from typing import Any, Self

from genotok import _native
from genotok.errors import VocabularyError
from genotok.files.outputs import write_files
from genotok.tokenizer import huggingface
from genotok.tokenizer.calling import Caller

__all__ = ["SavedTokenizer"]


class SavedTokenizer(Caller):
    """The part of a tokenizer that is read from files and written to them; `Tokenizer` is one."""

    __slots__ = ()

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        """The tokenizer in the file `path`; files beside a `tokenizer.json` may name special roles."""
        return cls(_native.Tokenizer.from_file(os.fspath(path)))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The tokenizer in the text of a `tokenizer.json`."""
        return cls(_native.Tokenizer.from_json(text))

    @classmethod
    def from_pretrained(cls, path: str | os.PathLike[str]) -> Self:
        """The tokenizer in a folder, or in a file, with `model_max_length` if a file beside it says it.

        Raises:
            VocabularyError: It does something that genotok does not support; says what.
            FileNotFoundError: There is no such file. Nothing is downloaded.
        """
        place = huggingface.file_at(path)
        if not place.exists():
            why = "no such folder with a tokenizer.json; nothing is downloaded, so name one on disk"
            raise FileNotFoundError(errno.ENOENT, why, os.fspath(path))
        tokenizer = cls.from_file(place)
        tokenizer.model_max_length = huggingface.max_length_at(place)
        return tokenizer

    def save_pretrained(self, folder: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write `tokenizer.json` and `tokenizer_config.json`, from which `AutoTokenizer` has equal ids.

        k-mers that Hugging Face has no form for need `import genotok.model.huggingface` first, which has a
        class for them. An old file of genotok's gets its template here.

        Args:
            folder: Is made if need be; the folder around it must be there.
            force: Replace files that are there. Those with the very bytes that are to be written may stay.

        Raises:
            ArgumentError: Others are there, and `force` is not given.
            OSError: A file cannot be written.
        """
        try:
            text, fast = self._native.to_hugging_face_json(), True
        except VocabularyError:
            text, fast = self.to_json(), False
        config = huggingface.tokenizer_config(
            {**self.special_roles, **self.roles},
            dict(zip(self.special_tokens, self.all_special_ids, strict=True)),
            fast=fast,
            max_length=self.model_max_length,
        )
        settings = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
        write_files(folder, {huggingface.TOKENIZER: text, huggingface.CONFIG: settings}, force=force)

    @classmethod
    def from_hf(cls, x: object) -> Self:
        """The tokenizer of a Hugging Face object or file.

        Args:
            x: A `transformers.PreTrainedTokenizerFast`, a `tokenizers.Tokenizer`, or the path of a
                tokenizer.json or of a folder with one.

        Raises:
            VocabularyError: It does something that genotok does not support; says what.
        """
        if isinstance(x, str | os.PathLike):
            return cls.from_file(huggingface.file_at(x))
        return cls.from_json(huggingface.file_of(x))

    def to_hf(self) -> Any:  # noqa: ANN401  transformers may not be there to name its class
        """The `transformers.PreTrainedTokenizerFast` with equal ids; needs `transformers`.

        It puts special tokens around a sequence, as transformers does by default and `encode_batch` where
        it is asked to. Tokens with well-known names (`[CLS]`, `<pad>`, ...) get their roles;
        `model_max_length` stays unset.

        Raises:
            VocabularyError: Hugging Face has no such tokenizer: of k-mers that overlap or are canonical.
            ImportError: `transformers` is not installed.
        """
        return huggingface.fast_tokenizer(self._native.to_hugging_face_json(), self.roles)

    def to_json(self) -> str:
        """The text of the `tokenizer.json`: the same bytes for the same tokenizer, always."""
        return self._native.to_json()

    @property
    def digests(self) -> tuple[str, ...]:
        """The SHA-256 of the file, and of the file that the same tokenizer has in its other form, if any.

        Two tokenizers that share one are of one training: the forms differ in the template alone.
        """
        texts = [self.to_json(), self._native.to_json_in_other_form()]
        return tuple(hashlib.sha256(text.encode()).hexdigest() for text in texts if text is not None)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write `tokenizer.json` to `path`, atomically; a file that is there is replaced."""
        self._native.save(os.fspath(path))
