"""The names of the backends, where a configuration can check them without loading any."""

from typing import Literal

__all__ = ["Backend"]

Backend = Literal["auto", "eager", "sdpa", "flash", "flex"]
