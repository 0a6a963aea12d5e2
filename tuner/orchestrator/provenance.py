"""Where a run comes from: the command that began it, and the commit that its study file belongs to.

Facts of a run, not of a study: they stand beside the generations that the run committed and are no part of a result.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tuner.masking import masked

__all__ = ["command", "commit", "provenance"]

# What a repository's own configuration could make git run: a callback of files, hooks, what is in a submodule.
NOTHING = {
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "diff.ignoreSubmodules": "all",
    "protocol.allow": "never",
}
PATIENCE = 5.0  # seconds for git, which looks at every file of a large repository
OWN = ("tuner", "tuner.exe", "__main__.py")
NOTEBOOKS = ("ipykernel_launcher.py", "colab_kernel_launcher.py")


def provenance(base: Path) -> dict[str, str]:
    """Return the command of this process, and the commit of the directory `base`, without what is not known."""
    found = {"command": command(sys.argv), "commit": commit(base)}
    return {name: text for name, text in found.items() if text}


def command(argv: Sequence[str]) -> str:
    """Return the command line as a shell takes it, passwords hidden; "" where nobody typed one."""
    name = Path(argv[0]).name if argv else ""
    if name in ("", "-c", "-m", *NOTEBOOKS):
        return ""
    first = ["tuner"] if name in OWN else ["python", argv[0]]
    return shlex.join([*first, *map(_shown, argv[1:])])


def _shown(word: str) -> str:
    option, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
    return option + equals + masked(value)


def commit(directory: Path) -> str:
    """Return the commit that git has checked out around a directory, "-dirty" after it where files differ from it.

    Empty outside of a repository, and where there is no git. Nothing is run that the folder configures: a study may
    come from anybody, its `.git` with it.
    """
    filters = _git(directory, NOTHING, "config", "--null", "--name-only", "--get-regexp", r"^filter\.")
    harmless = NOTHING | dict.fromkeys((name for name in filters.split("\0") if name), "")
    return _git(directory, harmless, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*").strip()


def _git(directory: Path, settings: Mapping[str, str], *words: str) -> str:
    """Return what git says of a directory under settings that take precedence over its own; empty where it fails."""
    pairs = {f"GIT_CONFIG_{part}_{i}": text for i, pair in enumerate(settings.items())
             for part, text in zip(("KEY", "VALUE"), pair, strict=True)}  # fmt: skip
    given = {"GIT_CONFIG_COUNT": str(len(settings)), "GIT_OPTIONAL_LOCKS": "0", "GIT_ALLOW_PROTOCOL": "none"}
    try:
        said = subprocess.run(
            ["git", "-C", str(directory), *words], env=os.environ | given | pairs, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError, ValueError):  # of text, a ValueError: it is no UTF-8, or has a NUL
        return ""
    return said.stdout if said.returncode == 0 else ""
