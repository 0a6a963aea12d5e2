"""Starts somebody's program once, follows what it says of its metrics, and ends it.

It runs in a process group of its own, in the study's folder. Metrics are JSON objects, one a line, on its standard
output or in a file: {"epoch": 3, "valid_loss": 0.21}; or what [metrics] finds in what it prints and writes. Other lines
are printed, as what it says on standard error is.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tuner.engines import FULL, SENT, SHORT, killed_for_memory, of_machine
from tuner.enums import ObjectiveForm
from tuner.placeholders import holes_in
from tuner.study import PRINTED
from tuner.trainables.custom.captured_output import printed_here, printed_length
from tuner.trainables.custom.function import MetricSink, ObjectiveCall
from tuner.trainables.custom.invalid_objective import InvalidObjective
from tuner.trainables.custom.program_lines import SILENCE, end, exit_code, in_file, on_pipe, pieces_on_pipe
from tuner.trainables.custom.program_metrics import LAST_LINES, ProgramMetrics
from tuner.trainables.custom.program_setup import ObjectiveCommand, started_with
from tuner.trainables.custom.run_handle import REFIT

__all__ = ["ObjectiveCommand", "form_of_command", "run_command", "source_of_command"]

LONGEST = 1 << 20  # characters of a line
WIDEST = 200  # characters of a line that is told
SILENT = (
    f"(tuner: no line for {SILENCE:g} s. A trial is stopped at a rung only by lines that are seen in time: "
    "let the program flush its output after each epoch.)"
)
HINTS = {  # what a program says of a word that it cannot read -> how to write it
    "ignored explicit argument": "a flag without a value is written as a word {name:--name}",
    "does not take a value": "a flag without a value is written as a word {name:--name}",
    "value: '[": "elements of a list as words of their own are written {name:*}, joined by commas {name:,}",
}
OTHERS = 1000  # lines that are no metrics, to know them by


def form_of_command(command: tuple[str, ...], unit: str) -> ObjectiveForm:
    """Return the form of a command, which decides how it is cut at rungs, from the values that it asks for."""
    holes = {hole for word in command for hole in holes_in(word)}
    if "start" in holes:
        return ObjectiveForm.RUN
    return ObjectiveForm.VALUE if holes & {"stop", unit} else ObjectiveForm.STEPS


def run_command(program: ObjectiveCommand, form: ObjectiveForm, attempt: ObjectiveCall, board: MetricSink) -> None:
    """Run it once and write its metrics on the board. Raises InvalidObjective, and Diverged."""
    begin = started_with(program, attempt)
    printed = any(source.place == PRINTED for source in program.metrics)  # looked for on standard error too
    output = attempt.directory / program.output if program.output else None
    killed = killed_for_memory()
    begun = printed_length()  # before it starts: a quick one may have said all by the time that it is looked at
    try:
        process = subprocess.Popen(
            begin.words, stdin=subprocess.DEVNULL, stdout=None if output else subprocess.PIPE, cwd=begin.folder,
            stderr=subprocess.STDOUT if printed else None, env=begin.environment, process_group=0,
        )  # fmt: skip
    except OSError as error:
        if of_machine(error):
            raise
        said = "there is no such program" if isinstance(error, FileNotFoundError) else str(error.strerror or error)
        raise InvalidObjective(f"{begin.words[0]}: {said}", "check [study] command") from None
    other: deque[str] = deque(maxlen=OTHERS)
    counted = Counted(attempt, board)
    try:
        found = ProgramMetrics(program.metrics, attempt, board, counted) if program.metrics else None
        steps = pieces(process, found, other) if found else lines(output, process, counted, other)
        for _ in steps:
            reached = found.is_over if found else attempt.stop and board.last >= attempt.stop
            if form == ObjectiveForm.STEPS and reached:
                return
        code = exit_code(process)
        if code:
            said = last_words(other, begun)
            hint = next((hint for sign, hint in HINTS.items() if sign in said), "")
            raise InvalidObjective(
                f"the command {exit_message(code)}{said}", hint, ended_by_machine(code, said, killed)
            )
        (found or counted).end()
    finally:
        end(process)
    if found and attempt.phase != REFIT:
        check_told(found, board, other)
    elif attempt.phase != REFIT and not any(sheet.rows for sheet in board.sheets):
        what = f"the command printed no line with {board.goal}{last_of(other)}"
        raise InvalidObjective(what, f'let it print {{"{board.goal}": 0.5}}, with "epoch" where there are several')


def lines(output: Path | None, process: subprocess.Popen[bytes], counted: Counted, other: deque[str]) -> Iterator[None]:
    """Take in what a program says line by line, and give way after each. Raises InvalidObjective, Diverged."""
    for line in in_file(output, process) if output else on_pipe(process):
        if line is None:
            print(SILENT)
            continue
        take(line, counted, other)
        yield


def pieces(process: subprocess.Popen[bytes], found: ProgramMetrics, other: deque[str]) -> Iterator[None]:
    """Take in what a program prints and its files hold, and give way after each. Raises InvalidObjective, Diverged."""
    for piece in pieces_on_pipe(process):
        if piece:
            print(piece, end="")
            found.piece(piece)
            if piece.endswith("\n") and piece.strip():
                other.append(piece.strip()[:WIDEST])
        else:
            found.look()
        yield


def check_told(found: ProgramMetrics, board: MetricSink, other: Sequence[str]) -> None:
    """Check that the goal came, and note other metrics that did not. Raises InvalidObjective."""
    if not any(sheet.rows for sheet in board.sheets):
        ended = " | ".join(list(other)[-LAST_LINES:])
        what = f"{board.goal} never came: {found.missing(board.goal)}; "
        what += f"what the command printed ended with: {ended}" if ended else "the command printed nothing"
        raise InvalidObjective(what, f"let [metrics] {board.goal} say what its lines look like")
    for name in found.absent():
        print(f"(tuner: {name} never came: {found.missing(name)})")


class Counted:
    """Reports of a program on its board. Lines without an epoch are counted, and one alone is of the whole training."""

    def __init__(self, attempt: ObjectiveCall, board: MetricSink) -> None:
        self.attempt, self.board = attempt, board
        self.first: Mapping[str, Any] | None = None  # a line without an epoch, as long as it is the only one

    def add(self, epoch: Any, metrics: Mapping[str, Any]) -> None:
        """Take in the metrics of a line; `epoch` is None where it says none. Raises InvalidObjective, Diverged."""
        if epoch is None and self.first is None and not any(sheet.rows for sheet in self.board.sheets):
            self.first = metrics
            if self.attempt.stop > self.attempt.start + 1:
                return
        elif self.first is not None and self.board.last == self.attempt.start:
            self.board.add(self.attempt.start + 1, self.first)
        self.board.add(self.board.last + 1 if epoch is None else epoch, metrics)

    def end(self) -> None:
        """Take in a line that was the only one. Raises InvalidObjective, Diverged."""
        if self.first is not None and self.board.last == self.attempt.start:
            self.board.add(self.attempt.stop or 1, self.first)


def take(line: str, counted: Counted, other: deque[str]) -> None:
    """Take in a line: metrics, or something else that was said."""
    said: Any = None
    if line.lstrip().startswith("{"):
        with suppress(ValueError, RecursionError):
            said = json.loads(line)
    if not isinstance(said, Mapping) or (counted.board.goal not in said and "epoch" not in said):
        print(line)
        if line.strip():
            other.append(line.strip()[:WIDEST])
        return
    metrics = {name: value for name, value in said.items() if name != "epoch"}
    counted.add(said.get("epoch"), metrics)


def exit_message(code: int) -> str:
    """Describe how a program ended."""
    if code > 0:
        return f"exited with {code}"
    return f"died of {signal.Signals(-code).name if -code in set(signal.Signals) else f'signal {-code}'}"


def ended_by_machine(code: int, said: str, killed: int) -> str:
    """Return what the machine did if that ended a program: a signal from elsewhere, a full disk, no memory left.

    A shell exits with 128 plus the signal that ended its command. `killed` is the count of processes that the system
    ended for want of memory before.
    """
    if (-code if code < 0 else code - 128) in SENT:
        return "starved" if killed_for_memory() > killed else "ended"
    kinds = {"full": FULL, "short": SHORT}
    return next((kind for kind, numbers in kinds.items() if any(os.strerror(n) in said for n in numbers)), "")


def last_words(other: deque[str], begun: int) -> str:
    """Return the last line printed since outside of standard output; that of standard output where there is none."""
    lines = [line.strip()[:WIDEST] for line in printed_here(begun).splitlines()]
    own = {*other, SILENT[:WIDEST]}
    errors = [line for line in lines if line and line not in own]
    return f": {errors[-1]}" if errors else last_of(other)


def last_of(other: deque[str]) -> str:
    return f"; its last line was {other[-1]!r}" if other else ""


def source_of_command(program: ObjectiveCommand) -> str:
    """Compute the digest of the files that a command names, its script among them."""
    digest = hashlib.sha256(json.dumps(program.command).encode())
    if program.metrics:
        digest.update(json.dumps([source.table() for source in program.metrics]).encode())
    if asked := program.run.model_dump(exclude_unset=True):
        digest.update(json.dumps(asked, default=str).encode())
    for word in (*program.command, *filter(None, [program.run.config])):
        # A word may be no name of a file at all: code behind -c is longer than any.
        with suppress(OSError, ValueError):
            place = Path(program.folder) / word
            if not holes_in(word) and place.is_file() and place.stat().st_size < LONGEST:
                digest.update(place.read_bytes())
    return digest.hexdigest()[:16]
