"""What the self-contained pages of genotok share: their policy, their look, and data in them."""

from genotok.webpage.frame import FRAME_STYLE, embedded, policy

__all__ = ["FRAME_STYLE", "embedded", "policy"]
