"""The type of the fixture `train`: a training in one call."""

from collections.abc import Callable
from typing import Any

Training = Callable[..., tuple[Any, dict[str, Any]]]
