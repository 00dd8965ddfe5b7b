"""The speed studies that `pytest --benchmark` runs: how cost grows with the input, for each tool."""
