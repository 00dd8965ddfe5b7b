"""What tests share: examples, oracles, files to read, processes to start. Tests do not import each other."""
