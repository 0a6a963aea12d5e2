"""Starts somebody's program once, follows what it says of its metrics, and ends it.

It runs in a process group of its own, in the study's folder. Metrics are JSON objects, one a line, on its standard
output or in a file: {"epoch": 3, "valid_loss": 0.21}. Other lines are printed, as what it says on standard error is.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuner.trainables.custom.captured_output import printed_here, printed_length
from tuner.trainables.custom.function import Attempt, Board
from tuner.trainables.custom.objective_ref import Unusable

__all__ = ["Program", "form_of_command", "run_program", "source_of_command"]

HOLE = re.compile(r"\{([A-Za-z_][\w .-]*)\}")
LOOK = 0.02  # seconds between looks at a file of metrics
GRACE = 5.0  # seconds from SIGTERM to SIGKILL
LONGEST = 1 << 20  # characters of a line
WIDEST = 200  # characters of a line that is told
OTHERS = 1000  # lines that are no metrics, to know them by


@dataclass(frozen=True)
class Program:
    """A command with holes for hyperparameters, the file that it writes metrics to, and the folder that it runs in."""

    command: tuple[str, ...]
    output: str
    folder: str


def form_of_command(command: tuple[str, ...], unit: str) -> str:
    """How a command is cut at rungs, as a function of its form would be: by what it asks for."""
    holes = {hole for part in command for hole in HOLE.findall(part)}
    return "run" if "start" in holes else "value" if holes & {"stop", unit} else "steps"


def run_program(program: Program, form: str, attempt: Attempt, board: Board) -> None:
    """Run it once and write its metrics on the board. Raises Unusable, and Diverged."""
    words = filled(program.command, attempt)
    output = attempt.directory / program.output if program.output else None
    environment = {**os.environ, **variables_of(attempt)}
    begun = printed_length()  # before it starts: a quick one may have said all by the time that it is looked at
    try:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=None if output else subprocess.PIPE, cwd=program.folder,
            env=environment, process_group=0,
        )  # fmt: skip
    except OSError as error:
        said = "there is no such program" if isinstance(error, FileNotFoundError) else str(error.strerror or error)
        raise Unusable(f"{words[0]}: {said}", "check [study] command") from None
    other: deque[str] = deque(maxlen=OTHERS)
    try:
        lines = in_file(output, process) if output else on_pipe(process)
        for line in lines:
            take(line, attempt, board, other)
            if form == "steps" and attempt.stop and board.last >= attempt.stop:
                return
        code = process.wait()
        if code:
            raise Unusable(f"the command {left(code)}{last_words(other, begun)}")
    finally:
        end(process)
    if not any(sheet.rows for sheet in board.sheets):
        what = f"the command printed no line with {board.goal}{last_of(other)}"
        raise Unusable(what, f'let it print {{"{board.goal}": 0.5}}, with "epoch" where there are several')


def filled(command: tuple[str, ...], attempt: Attempt) -> list[str]:
    """The words of a command with the values of a config; a word that asks for what the config has not is left out."""
    config = attempt.configs[0]
    place = attempt.directory / "config.json"
    place.write_text(json.dumps({**config, **attempt.told}), encoding="utf-8")
    known = {name: text_of(value) for name, value in config.items()}
    known |= {"split": str(attempt.split or 0)}
    known |= {"seed": str(attempt.seed), "start": str(attempt.start), "stop": str(attempt.stop or "")}
    known |= {
        "python": sys.executable,
        "device": attempt.device,
        "phase": attempt.phase,
        "directory": str(attempt.directory),
    }
    known |= {"config": str(place)} | ({attempt.unit: str(attempt.stop)} if attempt.stop else {})
    there = [word for word in command if all(hole in known for hole in HOLE.findall(word))]
    return [HOLE.sub(lambda hole: known[hole[1]], word) for word in there]


def text_of(value: Any) -> str:
    """A value as a word of a command."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def variables_of(attempt: Attempt) -> dict[str, str]:
    """What a program finds in its environment."""
    known = {"seed": attempt.seed, "start": attempt.start, "stop": attempt.stop, "phase": attempt.phase}
    known |= {"device": attempt.device, "directory": attempt.directory, "split": attempt.split or 0}
    return {f"TUNER_{name.upper()}": str(value) for name, value in known.items()}


def take(line: str, attempt: Attempt, board: Board, other: deque[str]) -> None:
    """Take in a line: metrics, or something else that was said."""
    said: Any = None
    if line.lstrip().startswith("{"):
        with suppress(ValueError, RecursionError):
            said = json.loads(line)
    if not isinstance(said, Mapping) or (board.goal not in said and "epoch" not in said):
        print(line)
        if line.strip():
            other.append(line.strip()[:WIDEST])
        return
    metrics = {name: value for name, value in said.items() if name != "epoch"}
    one = attempt.stop or 1 if not any(sheet.rows for sheet in board.sheets) else board.last + 1
    board.add(said.get("epoch", one), metrics)


def on_pipe(process: subprocess.Popen[bytes]) -> Iterator[str]:
    """Lines of a process's standard output, until it has ended."""
    if process.stdout is None:
        return
    pipe, rest = process.stdout.fileno(), b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            # Something that the program left running may hold the pipe open: then its own end is the end.
            over = process.poll() is not None
            if not selector.select(timeout=0 if over else 0.2):
                if over:
                    break
                continue
            data = os.read(pipe, 1 << 16)
            if not data:
                break
            *lines, rest = (rest + data).split(b"\n")
            rest = rest[-LONGEST:]
            yield from (line.decode("utf-8", "replace") for line in lines)
    if rest:
        yield rest.decode("utf-8", "replace")


def in_file(place: Path, process: subprocess.Popen[bytes]) -> Iterator[str]:
    """Lines that a process appends to a file, until it has ended."""
    at, rest = 0, b""
    while True:
        over = process.poll() is not None
        with suppress(FileNotFoundError), open(place, "rb") as file:
            file.seek(at)
            data = file.read()
            at += len(data)
            *lines, rest = (rest + data).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in lines)
        if over:
            break
        time.sleep(LOOK)
    if rest:
        yield rest.decode("utf-8", "replace")


def end(process: subprocess.Popen[bytes]) -> None:
    """End a program and its group: first it is asked."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def left(code: int) -> str:
    """How a program ended."""
    if code > 0:
        return f"exited with {code}"
    return f"died of {signal.Signals(-code).name if -code in set(signal.Signals) else f'signal {-code}'}"


def last_words(other: deque[str], begun: int) -> str:
    """The last line of what was printed since, which is not of its standard output; of that, where there is none."""
    lines = [line.strip()[:WIDEST] for line in printed_here(begun).splitlines()]
    errors = [line for line in lines if line and line not in other]
    return f": {errors[-1]}" if errors else last_of(other)


def last_of(other: deque[str]) -> str:
    return f"; its last line was {other[-1]!r}" if other else ""


def source_of_command(program: Program) -> str:
    """Digest of the files that a command names: its script among them."""
    digest = hashlib.sha256(json.dumps(program.command).encode())
    for word in program.command:
        # A word may be no name of a file at all: code behind -c is longer than any.
        with suppress(OSError, ValueError):
            place = Path(program.folder) / word
            if not HOLE.search(word) and place.is_file() and place.stat().st_size < LONGEST:
                digest.update(place.read_bytes())
    return digest.hexdigest()[:16]
