"""What predictions are worth: `metrics`, the k-mer `baseline` below them, `results` as lines of a table."""
