"""The command line: `commands` has a file for each command, `shared` what they share.

`app` puts the commands together and turns exceptions into exit codes. Results go to standard output,
everything else to standard error. What takes long to import (rich, the native module's users) is imported
where it is needed, so that `genotok --help` answers at once.
"""

from genotok.cli.app import main

__all__ = ["main"]
