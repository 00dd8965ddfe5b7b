"""How genotok writes files: `whole` is the atomic writer, `outputs` the rule of what may be written where."""
