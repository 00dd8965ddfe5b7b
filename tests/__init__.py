"""The tests: one file per module, with `dna` (inputs) and `huggingface` (the rival as oracle) beside them."""
