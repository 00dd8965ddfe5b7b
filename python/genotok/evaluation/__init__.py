"""What predictions are worth: `metrics`, `figures` of predictions, `results` as lines of a table."""
