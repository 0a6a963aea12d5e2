"""Writes a shipped model for another tool: a folder of its files and the code that loads them, or an ONNX file."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from objectives.errors import Complaint, InvalidInput
from tuner.model.bundle import write_model
from tuner.model.card import card_of
from tuner.model.trained import TrainedModel
from tuner.store.directory import write_atomic

__all__ = ["ELSEWHERE", "write_elsewhere"]


def write_elsewhere(model: TrainedModel, tool: str, place: Path, force: bool = False) -> None:
    """Write a model for one of `ELSEWHERE` to `place`, all of it or nothing.

    Raises InvalidInput where something is there already and `force` is not given, or where a tool cannot have it.
    """
    if place.exists() and not force:
        raise InvalidInput(Complaint(str(place), "is there already", "choose another name, or add --force"))
    ELSEWHERE[tool](model, place)


def _folder(model: TrainedModel, place: Path, code: str) -> None:
    text = files("tuner.model.elsewhere").joinpath(f"{code}.py").read_text(encoding="utf-8")
    write_model(model, card_of(model), place, {"model.py": text.encode()})


def _torch(model: TrainedModel, place: Path) -> None:
    _folder(model, place, "torch_model")


def _keras(model: TrainedModel, place: Path) -> None:
    _folder(model, place, "keras_model")


def _sklearn(model: TrainedModel, place: Path) -> None:
    if model.network.outputs > 1 and model.task == "regression":
        what = "scikit-learn's vote has one target, this model has several"
        raise InvalidInput(Complaint("sklearn", what, "use --to torch or --to onnx"))
    if model.preparation.target_transform:
        what = "scikit-learn's vote averages before the logarithm is undone, this model averages after it"
        raise InvalidInput(Complaint("sklearn", what, "use --to torch, --to keras or --to onnx"))
    _folder(model, place, "sklearn_model")


def _onnx(model: TrainedModel, place: Path) -> None:
    from tuner.model.elsewhere.to_onnx import graph_of

    write_atomic(place, graph_of(model))


ELSEWHERE: dict[str, Callable[[TrainedModel, Path], None]] = {
    "torch": _torch,
    "keras": _keras,
    "sklearn": _sklearn,
    "onnx": _onnx,
}
