"""A trained model as a torch.nn.Module, with its preparation; needs NumPy and PyTorch, and the files beside this one.

model = load()                       # an ensemble; model.networks holds its torch.nn.Sequential networks
model.predict(rows)                  # a pandas frame or a mapping of columns
numbers, texts = model.read(rows)    # tensors, for training on: model(numbers, texts) has gradients
model.state_dict()                   # ready for load_state_dict
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

__all__ = ["TunedModel", "load"]

ACTIVATIONS = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}


class TunedModel(torch.nn.Module):
    """Raw columns in, outputs out: medians and scales are buffers, the networks' weights parameters."""

    median: torch.Tensor
    mean: torch.Tensor
    scale: torch.Tensor
    varies: torch.Tensor
    y_mean: torch.Tensor
    y_scale: torch.Tensor

    def __init__(self, preparation: dict[str, Any], arrays: dict[str, Any], activation: str) -> None:
        super().__init__()
        columns = preparation["columns"]
        self.about, self.task = preparation, preparation["task"]
        self.numbers = [column for column in columns if column["kind"] != "text"]
        self.texts = [column for column in columns if column["kind"] == "text"]
        for name, default in (("median", 0.0), ("mean", 0.0), ("scale", 1.0)):
            values = [column.get(name, default) for column in self.numbers]
            self.register_buffer(name, torch.tensor(values, dtype=torch.float64))
        varies = [not column.get("constant", False) for column in self.numbers]
        self.register_buffer("varies", torch.tensor(varies, dtype=torch.bool))
        for name in ("y_mean", "y_scale"):
            self.register_buffer(name, torch.tensor(preparation[name], dtype=torch.float64))
        members = range(len(arrays["W1"]))
        self.networks = torch.nn.ModuleList(_network(arrays, member, activation) for member in members)

    def read(self, rows: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Return numbers `(n, N)`, gaps as nan, and the categories' places `(n, T)`, -1 for unknown ones."""
        numbers = [_numbers(rows[column["name"]], column["kind"]) for column in self.numbers]
        texts = [_places(rows[column["name"]], column) for column in self.texts]
        count = len((numbers or texts)[0])
        return (
            torch.tensor(np.array(numbers, dtype=np.float64).reshape(len(numbers), count).T),
            torch.tensor(np.array(texts, dtype=np.int64).reshape(len(texts), count).T),
        )

    def inputs(self, numbers: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        """Return what the networks are given, `(n, D)`."""
        filled = torch.where(torch.isnan(numbers), self.median, numbers)
        scaled = torch.where(self.varies, (filled - self.mean) / self.scale, torch.zeros_like(filled))
        blocks = [scaled]
        for i, column in enumerate(self.texts):
            width = len(column["categories"])
            blocks.append(torch.nn.functional.one_hot(texts[:, i] + 1, width + 1)[:, 1:].to(scaled.dtype))
        trained = next(self.parameters()).dtype
        as_trained = torch.float32 if self.about["dtype"] == "float32" else torch.float64
        return torch.cat(blocks, dim=1).to(as_trained).to(trained)

    def forward(self, numbers: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        """Return the ensemble's probabilities `(n, classes)`, or values in the target's units `(n, C)`."""
        x = self.inputs(numbers, texts)
        outputs = torch.stack([network(x) for network in self.networks])
        if self.task == "regression":
            return self.in_units(outputs).mean(dim=0)
        if self.task == "binary":
            second = torch.sigmoid(outputs).mean(dim=0)
            return torch.cat([1 - second, second], dim=1)
        return torch.softmax(outputs, dim=2).mean(dim=0)

    def in_units(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return outputs of a regression in the target's own units."""
        learned = self.about.get("target_transform", "")
        if learned == "log_link":
            return torch.exp(outputs) * self.y_scale
        found = outputs * self.y_scale + self.y_mean
        undone = {"log": torch.exp, "log1p": torch.expm1}.get(learned)
        return found if undone is None else undone(found)

    @torch.no_grad()
    def predict_proba(self, rows: Any) -> Any:
        """Return the probability of each class, `(n, classes)`."""
        return self(*self.read(rows)).numpy()

    @torch.no_grad()
    def predict(self, rows: Any) -> Any:
        """Return the class of each row `(n,)`, or its value."""
        found = self(*self.read(rows)).numpy()
        if self.task == "regression":
            return found[:, 0] if found.shape[1] == 1 else found
        least = self.about.get("threshold")
        places = found.argmax(axis=1) if least is None else (found[:, 1] > least).astype(int)
        return np.array(self.about["labels"])[places]


def _network(arrays: dict[str, Any], member: int, activation: str) -> torch.nn.Sequential:
    count = sum(name.startswith("W") for name in arrays)
    layers: list[torch.nn.Module] = []
    for i in range(1, count + 1):
        weight, bias = (torch.tensor(arrays[f"{name}{i}"][member], dtype=torch.float64) for name in "Wb")
        layer = torch.nn.Linear(weight.shape[0], weight.shape[1], dtype=torch.float64)
        layer.load_state_dict({"weight": weight.T, "bias": bias})
        layers += [layer] if i == count else [layer, ACTIVATIONS[activation]()]
    return torch.nn.Sequential(*layers)


def _numbers(values: Any, kind: str) -> Any:
    if kind == "number":
        return np.asarray(values, dtype=np.float64)
    texts = [None if value is None or value != value else str(value) for value in values]
    days = np.array(texts, dtype="datetime64[us]")
    return (days - np.datetime64(0, "D")) / np.timedelta64(1, "D")


def _places(values: Any, column: dict[str, Any]) -> list[int]:
    known = {name: i for i, name in enumerate(column["categories"]) if name not in column.get("unseen", ())}
    gap = known.get("(missing)", -1)
    return [known.get(value, -1) if isinstance(value, str) else gap for value in values]


def load(folder: str | Path = Path(__file__).parent) -> TunedModel:
    """Return the model of the files in a folder, in float64; `.float()` makes it smaller and less exact."""
    place = Path(folder)
    preparation = json.loads((place / "preparation.json").read_text(encoding="utf-8"))
    facts = json.loads((place / "model.json").read_text(encoding="utf-8"))
    activation, preparation["threshold"] = facts["network"]["activation"], facts.get("threshold")
    with np.load(place / "weights.npz", allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return TunedModel(preparation, arrays, activation).eval()
