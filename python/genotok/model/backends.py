"""The names of the attention backends, for a configuration that loads none of them."""

from typing import Literal

__all__ = ["Backend"]

Backend = Literal["auto", "eager", "sdpa", "flash", "flex"]
