"""The commands, a file each. What several need is in `shared`; what `info` recognises, in `kinds`."""
