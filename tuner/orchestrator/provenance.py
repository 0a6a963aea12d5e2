"""Where a run comes from: the command that began it, and the commit that its study file belongs to.

Facts of a run, not of a study: they stand beside the generations that the run committed and are no part of a result.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tuner.urls import masked

__all__ = ["command", "commit", "origin"]

PATIENCE = 5.0  # seconds for git, which looks at every file of a large repository
OWN = ("tuner", "tuner.exe", "__main__.py")
NOTEBOOKS = ("ipykernel_launcher.py", "colab_kernel_launcher.py")


def origin(base: Path) -> dict[str, str]:
    """The command of this process, and the commit of the directory `base`; what is not known is left out."""
    found = {"command": command(sys.argv), "commit": commit(base)}
    return {name: text for name, text in found.items() if text}


def command(argv: Sequence[str]) -> str:
    """The command line as a shell takes it, passwords hidden; empty where nobody typed one."""
    name = Path(argv[0]).name if argv else ""
    if name in ("", "-c", "-m", *NOTEBOOKS):
        return ""
    first = ["tuner"] if name in OWN else ["python", argv[0]]
    return shlex.join([*first, *map(_shown, argv[1:])])


def _shown(word: str) -> str:
    option, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
    return option + equals + masked(value)


def commit(directory: Path) -> str:
    """The commit that git has checked out around a directory, "-dirty" after it where files differ from it.

    Empty outside of a repository, and where there is no git.
    """
    asked = ["git", "-C", str(directory), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        said = subprocess.run(asked, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""
    return said.stdout.strip() if said.returncode == 0 else ""
