"""The best config, as the file that training code reads: `best.toml` and what it says.

Reading needs the standard library alone, so that `load_best` costs a training script nothing.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from objectives.errors import Complaint, InvalidInput, nearest

__all__ = ["Best", "load_best"]

VERSION = 1
SECTIONS: dict[str, type] = {
    "version": int,
    "study": str,
    "trial": int,
    "config": dict,
    "training": dict,
    "result": dict,
}


@dataclass(frozen=True, repr=False)
class Best(Mapping[str, Any]):
    """A read-only mapping of a full config: tuned, fixed and default values, as plain Python values.

    `value` is what the search measured, `interval` the confirmed mean's 95 % interval (None when not confirmed),
    `epochs` how long to train, `provenance` where it comes from. A schedule runs over `best["horizon"]` epochs.
    """

    study: str
    trial: int
    params: Mapping[str, Any]
    training: Mapping[str, Any]
    result: Mapping[str, Any]
    confirmation: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Any:
        if key not in self.params:
            raise KeyError(f"{key!r}: {nearest(key, self.params)}")
        return self.params[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.params)

    def __len__(self) -> int:
        return len(self.params)

    def __repr__(self) -> str:
        values = ", ".join(f"{key}={value!r}" for key, value in self.params.items())
        return f"Best({self.study!r}, trial={self.trial}, {self.metric}={self.value:.4g}: {values})"

    @property
    def metric(self) -> str:
        """The goal's name."""
        return str(self.result["metric"])

    @property
    def value(self) -> float:
        """The goal at the best epoch of the search."""
        return float(self.result["value"])

    @property
    def confirmed(self) -> bool:
        """Whether fresh seeds stand behind it."""
        return bool(self.confirmation)

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of the goal's mean over fresh seeds and splits; None when not confirmed.

        The intervals of test metrics in `confirmation` hold the noise of retraining alone: the test rows are the same.
        """
        if not self.confirmation:
            return None
        return float(self.confirmation["low"]), float(self.confirmation["high"])

    @property
    def epochs(self) -> int:
        """Epochs to train: the best epoch of the search."""
        return int(self.training["epochs"])

    def document(self) -> dict[str, Any]:
        """The content of best.toml."""
        return {
            "version": VERSION,
            "study": self.study,
            "trial": self.trial,
            "config": plain(self.params),
            "training": plain(self.training),
            "result": plain(self.result),
            "confirmation": plain(self.confirmation),
            "provenance": plain(self.provenance),
        }


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that TOML can hold: None left out, tuples as lists."""
    return {key: list(v) if isinstance(v, tuple) else v for key, v in values.items() if v is not None}


def load_best(path: str | Path) -> Best:
    """The best config from a study directory or a best.toml.

    Raises InvalidInput naming file and key where it is not one, FileNotFoundError where there is none yet.
    """
    file = Path(path)
    if file.is_dir():
        file = file / "best.toml"
    if not file.exists():
        raise FileNotFoundError(f"{file}: there is no best config; `tuner run` writes one when a trial is complete")
    return parse_best(file.read_text(encoding="utf-8"), str(file))


def parse_best(text: str, where: str) -> Best:
    """A Best from the text of a best.toml. Raises InvalidInput naming `where` and the key."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(Complaint(where, f"is not TOML: {error}")) from error
    wrong = [Complaint(f"{where}: {key}", "is missing") for key in SECTIONS if key not in document]
    wrong += [
        Complaint(f"{where}: {key}", f"must be {kind.__name__}, but got {document[key]!r:.60}")
        for key, kind in SECTIONS.items()
        if key in document and not isinstance(document[key], kind)
    ]
    if not wrong and document["version"] > VERSION:
        newer = f"is {document['version']}, but this tuner reads up to {VERSION}"
        wrong.append(Complaint(f"{where}: version", newer, "install a newer tuner"))
    if not wrong:
        wrong = _wrong_numbers(document, where)
    if wrong:
        raise InvalidInput(*wrong)
    return Best(
        study=document["study"],
        trial=document["trial"],
        params=MappingProxyType(document["config"]),
        training=MappingProxyType(document["training"]),
        result=MappingProxyType(document["result"]),
        confirmation=MappingProxyType(document.get("confirmation", {})),
        provenance=MappingProxyType(document.get("provenance", {})),
    )


def _wrong_numbers(document: Mapping[str, Any], where: str) -> list[Complaint]:
    """Complaints about the values that code relies on."""
    wrong = []
    for section, key, kind in (
        ("config", "optimizer", str),
        ("config", "lr", float),
        ("config", "batch_size", int),
        ("training", "epochs", int),
        ("result", "metric", str),
        ("result", "value", float),
    ):
        value = document[section].get(key)
        fits = isinstance(value, kind) or (kind is float and type(value) is int)
        if not fits or isinstance(value, bool) or (kind is float and not math.isfinite(value)):
            wrong.append(Complaint(f"{where}: {section}.{key}", f"must be {kind.__name__}, but got {value!r}"))
    return wrong
