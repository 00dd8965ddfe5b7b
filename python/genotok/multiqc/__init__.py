"""Sections for MultiQC reports: what `--multiqc` writes.

MultiQC reads one section from each file whose name ends in `_mqc.json` and joins files with the same `id`, so
that a report has one table and one plot for all samples. Therefore a command writes one file per section, all
named after a prefix.
"""

from genotok.multiqc.checks import check_sections
from genotok.multiqc.encodings import encode_sections
from genotok.multiqc.sections import SECTIONS, MultiqcSection, SectionFiles, section_files
from genotok.multiqc.studies import study_sections

__all__ = [
    "SECTIONS",
    "MultiqcSection",
    "SectionFiles",
    "check_sections",
    "encode_sections",
    "section_files",
    "study_sections",
]
