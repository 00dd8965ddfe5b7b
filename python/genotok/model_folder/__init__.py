"""Folders of models: what is read from them, checked before it is used, and what is written into them."""
