"""Predictions for a table of any length: block by block, in the order of its rows.

What is said at the end (rows unlike those of training, metrics where the target is there) is of all rows together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from objectives.data.blocks import Block, read_ahead, read_blocks
from objectives.data.incoming import incoming
from objectives.data.preparation import NUMBER, Seen, counted
from objectives.data.raw import first_lines, is_frame
from objectives.errors import Complaint, DataError, InvalidInput, nearest
from objectives.metrics import goal_metrics
from objectives.types import Array
from tuner.model.judged import Judged, judged
from tuner.model.trained import TrainedModel, sentences

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Asked", "Answers", "answered"]

SHOWN = 5  # sentences on columns


@dataclass(frozen=True)
class Asked:
    """What is wanted of each row: columns of the table to keep, class probabilities, an interval of some level."""

    keep: tuple[str, ...] = ()
    proba: bool = False
    level: float | None = None


@dataclass
class Answers:
    """What all rows together have shown so far."""

    rows: int = 0
    seen: list[Seen] = field(default_factory=list)
    extra: tuple[str, ...] = ()
    said: list[Array] = field(default_factory=list)  # predictions of rows whose target is known
    truth: list[Array] = field(default_factory=list)
    foreign: int = 0  # rows whose target is a class that the model does not know
    example: str = ""

    def sentences(self, model: TrainedModel) -> list[str]:
        """Return what is to be said of the rows, a sentence each."""
        found = [f"columns that the model does not know were ignored: {first_lines(self.extra)}"] if self.extra else []
        seen = sorted(counted(self.seen), key=lambda one: -one.rows)
        found += sentences(seen[:SHOWN], model.preparation)
        found += [f"{len(seen) - SHOWN} more columns have such rows, but fewer"] if len(seen) > SHOWN else []
        if self.foreign:
            what = f"{self.foreign} rows have a class that training had not, like {self.example!r}"
            found.append(f"{what}: they are left out of the metrics")
        return found

    def metrics(self, model: TrainedModel) -> dict[str, Judged]:
        """Return the metrics of the ensemble over all rows whose target is known; none where there are none."""
        if not sum(map(len, self.truth)):
            return {}
        members, truth = np.concatenate(self.said)[None], np.concatenate(self.truth)
        asked = model.facts.get("followed", goal_metrics(model.facts.get("goal", "")))
        scale, learned = np.asarray(model.preparation.y_scale), model.preparation.target_transform
        found = judged(model.task, members, truth, scale, asked, model.threshold, transform=learned)
        return {name.removeprefix("test_"): kinds["ensemble"] for name, kinds in found.items()}


def answered(
    model: TrainedModel, source: str, asked: Asked, answers: Answers, base: Path = Path()
) -> Iterator[pd.DataFrame]:
    """Yield the answers for each block of a table as a frame, and collect in `answers` what is said of all.

    Columns: those kept, `prediction`, then `p_CLASS` for each class, or `low` and `high`. Raises DataError for rows
    that cannot be read, InvalidInput for what the task has not.
    """
    _check(model, asked)
    columns = model.preparation.columns
    texts = {one.source for one in columns if one.kind != NUMBER or one.style or one.marks} | {*asked.keep}
    texts |= {model.preparation.target} if model.task != "regression" else set()
    for block in read_ahead(read_blocks(source, texts, base, model.preparation.sources)):
        yield _answered(model, block, source, asked, answers)


def _check(model: TrainedModel, asked: Asked) -> None:
    if asked.proba and model.task == "regression":
        raise InvalidInput(Complaint("--proba", "a regression has no classes", "use --interval 0.9"))
    if asked.level is not None and model.task != "regression":
        raise InvalidInput(Complaint("--interval", "classes have no interval", "use --proba"))


def _answered(model: TrainedModel, block: Block, source: str, asked: Asked, answers: Answers) -> pd.DataFrame:
    import pandas as pd

    found = incoming(block.rows, model.preparation, source, block.first)
    members = model.of_members(model.preparation.transform(found.columns))
    answers.rows += len(found)
    answers.seen = counted([*answers.seen, *model.preparation.seen(found.columns)])
    answers.extra = answers.extra or tuple(n for n in found.extra if n not in asked.keep)
    columns = {name: _kept(block.rows, name, source) for name in asked.keep}
    columns |= _columns(model, members, asked)
    target = model.preparation.target
    if target and is_frame(block.rows) and target in block.rows:
        _compare(model, members, block.rows[target], answers)
    return pd.DataFrame(columns)


def _columns(model: TrainedModel, members: Array, asked: Asked) -> dict[str, Array]:
    """Return the columns that answer, by name."""
    said = model.answers(members)
    columns = {"prediction": said} if said.ndim == 1 else {f"prediction_{i}": one for i, one in enumerate(said.T)}
    if asked.proba:
        shares = model.shares(members)
        columns |= {f"p_{name}": shares[:, i] for i, name in enumerate(model.preparation.classes)}
    if asked.level is not None:
        for name, ends in zip(("low", "high"), model.interval(members, asked.level), strict=True):
            several = {f"{name}_{i}": one for i, one in enumerate(ends.T)} if ends.ndim > 1 else {name: ends}
            columns |= several
    return columns


def _kept(rows: Any, name: str, where: str) -> Any:
    if not is_frame(rows) or name not in rows:
        names = list(rows.columns) if is_frame(rows) else []
        raise DataError(Complaint(where, f"no column {name!r} to keep", nearest(name, names)))
    return rows[name]


def _compare(model: TrainedModel, members: Array, target: Any, answers: Answers) -> None:
    """Keep predictions and targets of the rows whose target is known."""
    there = ~target.isna().to_numpy()
    if model.task == "regression":
        import pandas as pd

        numbers = pd.to_numeric(target, errors="coerce").to_numpy(dtype=np.float64)
        there &= np.isfinite(numbers)
        answers.truth.append(numbers[there, None])
    else:
        known = {value: _code(value, model.preparation.classes) for value in target[there].unique()}
        codes = np.array([known.get(value, -1) for value in target], dtype=np.int64)
        foreign = there & (codes < 0)
        answers.foreign += int(foreign.sum())
        answers.example = answers.example or (str(target[foreign].iloc[0])[:40] if foreign.any() else "")
        there &= codes >= 0
        answers.truth.append(codes[there])
    answers.said.append(members.mean(axis=0)[there])


def _code(value: Any, classes: Sequence[str]) -> int:
    """Return the number of the class that a value names, -1 for none: 3.0 is class "3"."""
    name = str(value)
    if name in classes:
        return classes.index(name)
    try:
        number = float(name)
    except ValueError:
        return -1
    whole = str(int(number)) if np.isfinite(number) and number.is_integer() else name
    return classes.index(whole) if whole in classes else -1
