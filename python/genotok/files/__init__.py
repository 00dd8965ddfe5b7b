"""Files that are read and written: which are meant, what may be replaced, and how nothing is left in part.

`paths` finds inputs, `atomic` is the atomic writer and `folders` the same for folders, `outputs` is the rule
of what may be written where, `kinds` knows files of genotok, and `identity` has their digests.
"""
