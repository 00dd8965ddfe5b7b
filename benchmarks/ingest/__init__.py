"""From sequence files to tokens on disk: two builds in turns, equal output first, then time and memory."""
