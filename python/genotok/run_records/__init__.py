"""Records of runs: one schema for each kind, one provenance, one reader.

The library writes them, so a run that was started from Python leaves the record that one from the shell
leaves; `genotok report`, `genotok info` and the tables of the documentation read them.

- `machine`: CPU, memory and system, and the peak memory of this process;
- `provenance`: when, where, with what and from what a record was made;
- `schemas`: the fields of each kind of record, to JSON and back;
- `reading`: records from files, cleaned, in bounded memory;
- `version_1`: records whose keys are those of version 1, which had no provenance of its own.
"""
