"""Kernels for the notebooks: no settings of the user, and the repository's genomes/ in each one's folder.

A notebook says `genomes/*.fa`, as the README does, runs in a temporary folder, and leaves nothing in docs/.
"""

import os
from pathlib import Path

# Kernels warn that they talk to this process without encryption.
CONFIG = "c.IPKernelApp.log_level = 'ERROR'\n"
STARTUP = "import os\nif not os.path.lexists('genomes'):\n    os.symlink({genomes!r}, 'genomes')\n"


def prepare(folder: Path, genomes: Path) -> None:
    """Make IPython settings for kernels in `folder`, and let the kernels of this process use them."""
    startup = folder / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    (startup.parent / "ipython_kernel_config.py").write_text(CONFIG, encoding="utf-8")
    (startup / "00-genomes.py").write_text(STARTUP.format(genomes=str(genomes)), encoding="utf-8")
    os.environ["IPYTHONDIR"] = str(folder)
    os.environ.setdefault("MPLBACKEND", "agg")
