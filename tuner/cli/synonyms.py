"""Commands and options that people guess from other tools, and what does the same here."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["command_hint", "option_hint"]

RUN = "tuner run STUDY"
SEE = "tuner show STUDY"
COMMANDS = {
    "add": "tuner init",
    "api": "tuner serve",
    "ask": RUN,
    "best-trial": "tuner best STUDY",
    "best-trials": "tuner top STUDY",
    "config": "tuner best STUDY",
    "confirmation": "tuner confirm STUDY",
    "continue": f"{RUN} (run it again: it goes on where it stopped)",
    "create": "tuner init",
    "create-study": "tuner init",
    "curves": "tuner export STUDY --what curves",
    "delete": "tuner rm STUDY",
    "delete-study": "tuner rm STUDY",
    "documentation": "tuner docs",
    "fit": RUN,
    "help": "tuner docs, or tuner COMMAND --help",
    "info": SEE,
    "inspect": SEE,
    "leaderboard": "tuner top STUDY",
    "lint": "tuner check FILE",
    "ls": "tuner list",
    "man": "tuner docs",
    "manual": "tuner docs",
    "new": "tuner init",
    "optimise": RUN,
    "optimize": RUN,
    "params": "tuner best STUDY",
    "plot": "tuner export STUDY --what curves -o curves.csv (the numbers to plot), or tuner show STUDY/TRIAL",
    "rank": "tuner top STUDY",
    "ranking": "tuner top STUDY",
    "recover": "tuner doctor STUDY --recover",
    "remove": "tuner rm STUDY",
    "repair": "tuner doctor STUDY",
    "restart": f"{RUN} --fresh",
    "replicate": "tuner confirm STUDY",
    "resume": f"{RUN} (run it again: it goes on where it stopped)",
    "save": "tuner export STUDY",
    "search": RUN,
    "server": "tuner serve",
    "start": RUN,
    "status": f"tuner list, or {SEE}",
    "studies": "tuner list",
    "study": SEE,
    "table": "tuner top STUDY",
    "train": RUN,
    "trial": "tuner show STUDY/TRIAL",
    "trials": "tuner top STUDY, or tuner export STUDY",
    "tune": RUN,
    "validate": "tuner check FILE",
    "view": SEE,
}
GOES_ON = "not needed: run it again, and it goes on where it stopped"
# What does the same; of several, the first that the command at hand has.
OPTIONS: dict[str, tuple[str, ...]] = {
    "all": ("--all-columns",),
    "batch-size": ("--set train.batch_size=32",),
    "budget": ("--trials",),
    "config": ("--set KEY=VALUE",),
    "continue": (GOES_ON,),
    "cores": ("--jobs",),
    "count": ("-n",),
    "csv": ("-f csv",),
    "directory": ("--home",),
    "epochs": ("--set train.epochs=27",),
    "force": ("--force", "--fresh", "--yes"),
    "format": ("--to",),
    "hidden": ("--set 'model.hidden=[64]'",),
    "json": ("-f json", "--to json"),
    "learning-rate": ("--set optimizers.NAME.lr=0.01",),
    "limit": ("-n",),
    "lr": ("--set optimizers.NAME.lr=0.01",),
    "max-trials": ("--trials",),
    "momentum": ("--set optimizers.momentum.momentum=0.9",),
    "n-jobs": ("--jobs",),
    "n-trials": ("--trials",),
    "no-confirmation": ("--no-confirm",),
    "optimiser": ("--optimizer",),
    "out": ("-o FILE",),
    "output-format": ("-f", "--to"),
    "overwrite": ("--force", "--fresh"),
    "processes": ("--jobs",),
    "random-state": ("--seed",),
    "resume": (GOES_ON,),
    "runs": ("--home",),
    "replicates": ("--seeds",),
    "repeats": ("--seeds",),
    "storage": ("--home",),
    "study-name": ("--name",),
    "threads": ("--jobs",),
    "to": ("tuner best STUDY --to toml|json|args|torch|keras|optax|sklearn",),
    "traceback": ("--debug",),
    "what": ("tuner export STUDY --what trials|curves|config|confirmations",),
    "workers": ("--jobs",),
}


def command_hint(word: str, commands: Iterable[str]) -> str:
    """Suggest a command for a word that is none."""
    known = list(commands)
    key = word.lower().replace("_", "-")
    if word.endswith(".toml"):
        return f"did you mean `tuner run {word}`?"
    if key in COMMANDS:
        return f"use {COMMANDS[key]}"
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    return f"did you mean `tuner {close[0]}`?" if close else f"the commands are: {', '.join(known)}"


def option_hint(option: str, options: Iterable[str]) -> str:
    """Suggest an option for a word that a command does not have."""
    known = list(options)
    word = option.lstrip("-").lower().replace("_", "-")
    if f"--{word}" in known:
        return f"did you mean --{word}?"
    for meant in OPTIONS.get(word, ()):
        first = meant.split()[0]
        if not first.startswith("-"):
            return meant if meant is GOES_ON else f"use {meant}"
        if first in known:
            return f"use {meant}"
    long = [name for name in known if name.startswith("--")]
    close = difflib.get_close_matches(f"--{word}", long, n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else f"the options are: {', '.join(long)}"
