"""Which references may stay without a target: types of other packages.

Their documentation is on the network, and the build does without it. All of genotok's own must resolve.
"""

IGNORED = [(r"py:.*", r"(?!genotok\b).*"), (r"py:class", r"genotok\._native\..*")]
