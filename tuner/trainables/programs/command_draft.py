"""Runs a program for a short while, and drafts the study that tunes it as it is."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from objectives.errors import Complaint
from objectives.types import Direction
from tuner.errors import StudyError
from tuner.parameter_names import OWN_NAMES
from tuner.study import in_toml
from tuner.text import duration
from tuner.trainables.custom.program_lines import end, pieces_on_pipe
from tuner.trainables.programs.option_list import (
    ProgramOption,
    constants_to_tune,
    merged_options,
    options_of_help,
    options_of_source,
    range_of,
)
from tuner.trainables.programs.printed_numbers import PrintedNumber, epoch_among, goal_among, numbers_in

__all__ = ["CommandDraft", "draft_command", "draft_text"]

HELP_SECONDS, MOST_LINES = 20.0, 20_000


@dataclass(frozen=True)
class CommandDraft:
    """What was found of a program: its words, options or constants, numbers, and how its short run ended."""

    words: list[str]
    options: list[ProgramOption]
    script: str  # whose constants are tuned, where it has no options
    numbers: list[PrintedNumber]
    seconds: float
    ended: bool  # by itself


def draft_command(command: str, folder: Path, seconds: float) -> CommandDraft:
    """Ask a program for its help, then run it for some seconds at most. Raises StudyError where it cannot be."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise StudyError(Complaint("--from-command", f"cannot be read: {error}", "write it as in a terminal")) from None
    program = words[0] if words else ""
    if not program or (shutil.which(program) is None and not (folder / program).is_file()):
        raise StudyError(Complaint("--from-command", f"there is no program {program!r}", "check its name"))
    script = next((word for word in words if word.endswith(".py") and (folder / word).is_file()), "")
    source = (folder / script).read_text(encoding="utf-8", errors="replace") if script else ""
    declared = options_of_source(source)
    # a script that reads no arguments would begin to train
    told = "argv" in source or declared or "argparse" in source or "fire" in source or not script
    shown, _, _ = ran([*words, "--help"], folder, HELP_SECONDS) if told else ([], True, 0.0)
    text = "\n".join(shown)
    options = merged_options(options_of_help(text) if "--" in text else [], declared)
    lines, ended, took = ran(words, folder, seconds)
    constants = constants_to_tune(source) if not options else []
    return CommandDraft(words, options or constants, script if constants else "", numbers_in(lines), took, ended)


def ran(words: Sequence[str], folder: Path, seconds: float) -> tuple[list[str], bool, float]:
    """Run a program for some seconds at most; return the lines that it printed, whether it ended, and how long it took.

    A program that ended badly raises StudyError with its last line.
    """
    begun = time.monotonic()
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder,
        env={**os.environ, "PYTHONUNBUFFERED": "1"}, process_group=0,
    )  # fmt: skip
    lines: list[str] = []
    late = False
    try:
        for piece in pieces_on_pipe(process):
            lines += [piece.rstrip("\r\n")] if piece.strip() and len(lines) < MOST_LINES else []
            late = time.monotonic() - begun > seconds
            if late:
                break
        code = None if late else process.wait()
    finally:
        end(process)
    if code and "--help" not in words:
        last = f": {lines[-1].strip()[:200]}" if lines else ""
        raise StudyError(Complaint("--from-command", f"the program exited with {code}{last}", "let it run first"))
    return lines, not late, time.monotonic() - begun


def draft_text(draft: CommandDraft, name: str, command: str) -> str:
    """Write the study file of a program that was looked at. Raises StudyError where nothing looks like a goal."""
    goals = goal_among(draft.numbers)
    if not goals:
        seen = ", ".join(number.name for number in draft.numbers[:12]) or "none"
        what = f"nothing that the program printed in {draft.seconds:.0f} s looks like a goal; its numbers: {seen}"
        hint = "give it more time: --seconds 120; or write [metrics] by hand: tuner docs programs"
        raise StudyError(Complaint("--from-command", what, hint))
    (goal, direction), epoch = goals[0], epoch_among(draft.numbers)
    several = len(goal.values) > 1
    given = {word.partition("=")[0] for word in draft.words}
    ranges = [(one, *found) for one in draft.options if one.flag not in given and (found := range_of(one))]
    active = [option for option, _, usual in ranges if usual] or [option for option, _, _ in ranges[:1]]
    asked = [] if draft.script else [_word(option) for option in active]
    blocks = [
        f"# Drafted from `{command}`, which ran for {duration(draft.seconds)}"
        + ("." if draft.ended else " and was ended then.")
        + "\n# Look at every line before you run it.",
        _study(draft, name, [*draft.words, *asked], (goal, direction)),
        _train(epoch, several, draft.ended),
        *([f"[run]\nconstants = {in_toml(draft.script)}  # a copy with other values runs"] if draft.script else []),
        _metrics(draft, goal, epoch if several else None, goals),
        "\n".join(["[parameters]", *(_parameter(one, at, one in active, draft) for one, at, _ in ranges)]),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _study(draft: CommandDraft, name: str, words: list[str], goal: tuple[PrintedNumber, Direction]) -> str:
    plain = [
        word.replace("{", "{{").replace("}", "}}") if i < len(draft.words) else word for i, word in enumerate(words)
    ]
    lines = [f"name = {in_toml(name)}", f"command = {in_toml(plain)}", f"{goal[1]} = {in_toml(goal[0].metric)}"]
    return "\n".join(["[study]", *lines])


def _train(epoch: PrintedNumber | None, several: bool, ended: bool) -> str:
    """Write [train] as a comment: with it weak trials are pruned, where the program says its goal."""
    if not several:
        return "# It says its goal once, so every trial runs to its end: with [train] epochs weak ones would be pruned."
    if epoch is None:
        return "# [train]\n# epochs = 27  # how often it says its goal: with it weak trials are pruned"
    unit = "epochs" if epoch.name.lower() == "epoch" else "steps"
    last, gap = int(max(epoch.values)), int(max(epoch.values) - min(epoch.values)) // max(1, len(set(epoch.values)) - 1)
    last += int(min(epoch.values) == 0 and gap == 1)  # counted from 0
    what = "of a whole training" if ended else "it came to this far"
    rungs = [gap * 4**k for k in range(12) if gap > 1 and gap * 4**k < last]
    search = f"\n# [search]\n# rungs = {rungs}" if rungs else ""
    return f"# With it weak trials are pruned:\n# [train]\n# {unit} = {max(1, last)}  # {what}{search}"


def _metrics(
    draft: CommandDraft, goal: PrintedNumber, epoch: PrintedNumber | None, goals: list[tuple[PrintedNumber, Direction]]
) -> str:
    """Write [metrics]: the goal, what else looks like one, and the other numbers as comments."""
    likely = [number.name for number, _ in goals]
    lines = []
    for number in draft.numbers:
        if number is epoch or number.metric in OWN_NAMES:
            continue
        keys = {"pattern": number.pattern, **({"epoch": epoch.epoch_pattern} if epoch and number is goal else {})}
        values = ", ".join(f"{value:g}" for value in number.values[:3])
        mark = "" if number.name in likely else "# "
        lines.append(f"{mark}{in_toml({number.metric: keys})[2:-2].strip()}  # {values}, ...")
    return "\n".join(["[metrics]", *lines])


def _word(option: ProgramOption) -> str:
    name = parameter_of(option)
    return f"{{{name}:{option.flag}}}" if option.kind == "flag" else f"{option.flag}={{{name}}}"


def parameter_of(option: ProgramOption) -> str:
    """Return the parameter for an option: names of the tuner's own get an underscore."""
    return f"{option.name}_" if option.name in OWN_NAMES else option.name


def _parameter(option: ProgramOption, at: object, active: bool, draft: CommandDraft) -> str:
    line = in_toml({parameter_of(option): at})[2:-2].strip()
    default = f"  # default {option.default}" if option.default is not None else ""
    if active:
        return f"{line}{default}"
    more = "" if draft.script else f"; add {in_toml(_word(option))} to the command"
    return f"# {line}{default or '  # no default is known'}{more}"
