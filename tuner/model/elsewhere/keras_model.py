"""A trained model in Keras 3, with its preparation; needs NumPy and Keras, and the files beside this one.

model = load()                       # model.network is a keras.Model of numbers and texts, an ensemble
model.predict(rows)                  # a pandas frame or a mapping of columns
model.network.compile(...); model.network.fit(model.read(rows), y)   # trains on from here
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

__all__ = ["PreparedRows", "RescaledOutput", "TunedKeras", "load"]


@keras.saving.register_keras_serializable("tuner")
class PreparedRows(keras.layers.Layer):
    """Numbers with gaps filled and scaled, then a 1 for the category of each text; unknown ones have none."""

    def __init__(self, preparation: dict[str, Any], **more: Any) -> None:
        super().__init__(**{**more, "dtype": "float64"})
        self.preparation = preparation
        numbers = [column for column in preparation["columns"] if column["kind"] != "text"]
        self.widths = [len(one["categories"]) for one in preparation["columns"] if one["kind"] == "text"]
        self.median, self.mean, self.scale = (
            np.array([column.get(name, default) for column in numbers], dtype=np.float64)
            for name, default in (("median", 0.0), ("mean", 0.0), ("scale", 1.0))
        )
        self.varies = np.array([not column.get("constant", False) for column in numbers], dtype=np.float64)

    def call(self, numbers: Any, texts: Any) -> Any:
        """Return what the networks are given, `(n, D)`, rounded as it was in training."""
        ops = keras.ops
        filled = ops.where(ops.isnan(numbers), self.median, numbers)
        blocks = [(filled - self.mean) / self.scale * self.varies]
        for i, width in enumerate(self.widths):
            same = ops.equal(texts[:, i : i + 1], np.arange(width, dtype=np.int64)[None])
            blocks.append(ops.cast(same, "float64"))
        return ops.cast(ops.cast(ops.concatenate(blocks, axis=1), self.preparation["dtype"]), "float64")

    def get_config(self) -> dict[str, Any]:
        """Return what makes it again."""
        return {**super().get_config(), "preparation": self.preparation}


@keras.saving.register_keras_serializable("tuner")
class RescaledOutput(keras.layers.Layer):
    """Outputs in the target's own units."""

    def __init__(self, mean: list[float], scale: list[float], learned: str = "", **more: Any) -> None:
        super().__init__(**{**more, "dtype": "float64"})
        self.mean, self.scale, self.learned = mean, scale, learned

    def call(self, outputs: Any) -> Any:
        """Return values `(n, C)`."""
        scale, mean = (keras.ops.convert_to_tensor(part, "float64") for part in (self.scale, self.mean))
        if self.learned == "log_link":
            return keras.ops.exp(outputs) * scale
        found = outputs * scale + mean
        undone = {"log": keras.ops.exp, "log1p": keras.ops.expm1}.get(self.learned)
        return found if undone is None else undone(found)

    def get_config(self) -> dict[str, Any]:
        """Return what makes it again."""
        return {**super().get_config(), "mean": self.mean, "scale": self.scale, "learned": self.learned}


class TunedKeras:
    """Raw columns in, predictions out; `network` is the Keras model behind it."""

    def __init__(self, preparation: dict[str, Any], network: Any) -> None:
        self.about, self.network = preparation, network
        self.numbers = [column for column in preparation["columns"] if column["kind"] != "text"]
        self.texts = [column for column in preparation["columns"] if column["kind"] == "text"]

    def read(self, rows: Any) -> list[Any]:
        """Return numbers `(n, N)`, gaps as nan, and the categories' places `(n, T)`, -1 for unknown ones."""
        numbers = [_numbers(rows[column["name"]], column["kind"]) for column in self.numbers]
        texts = [_places(rows[column["name"]], column) for column in self.texts]
        count = len((numbers or texts)[0])
        return [
            np.array(numbers, dtype=np.float64).reshape(len(numbers), count).T,
            np.array(texts, dtype=np.int64).reshape(len(texts), count).T,
        ]

    def _outputs(self, rows: Any) -> Any:
        """Return the network's outputs in float64: `network.predict` would round its inputs to float32."""
        given = [keras.ops.convert_to_tensor(part) for part in self.read(rows)]
        return keras.ops.convert_to_numpy(keras.ops.stop_gradient(self.network(given, training=False)))

    def predict_proba(self, rows: Any) -> Any:
        """Return the probability of each class, `(n, classes)`."""
        found = self._outputs(rows)
        return np.hstack([1 - found, found]) if self.about["task"] == "binary" else found

    def predict(self, rows: Any) -> Any:
        """Return the class of each row `(n,)`, or its value."""
        if self.about["task"] != "regression":
            found, least = self.predict_proba(rows), self.about.get("threshold")
            places = found.argmax(axis=1) if least is None else (found[:, 1] > least).astype(int)
            return np.array(self.about["labels"])[places]
        found = self._outputs(rows)
        return found[:, 0] if found.shape[1] == 1 else found


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


def _member(x: Any, arrays: dict[str, Any], member: int, activation: str, last: str) -> Any:
    """Return the outputs of one network."""
    count = sum(name.startswith("W") for name in arrays)
    for i in range(1, count + 1):
        kernel, bias = (arrays[f"{name}{i}"][member].astype(np.float64) for name in "Wb")
        own = last if i == count else activation
        layer = keras.layers.Dense(kernel.shape[1], activation=own, dtype="float64", name=f"network_{member}_{i}")
        x = layer(x)
        layer.set_weights([kernel, bias])
    return x


def load(folder: str | Path = Path(__file__).parent) -> TunedKeras:
    """Return the model of the files in a folder, in float64."""
    place = Path(folder)
    about = json.loads((place / "preparation.json").read_text(encoding="utf-8"))
    facts = json.loads((place / "model.json").read_text(encoding="utf-8"))
    activation, about["threshold"] = facts["network"]["activation"], facts.get("threshold")
    with np.load(place / "weights.npz", allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    texts = sum(column["kind"] == "text" for column in about["columns"])
    given = [
        keras.Input((len(about["columns"]) - texts,), dtype="float64", name="numbers"),
        keras.Input((texts,), dtype="int64", name="texts"),
    ]
    last = {"regression": "linear", "binary": "sigmoid"}.get(about["task"], "softmax")
    x = PreparedRows(about, name="prepared")(*given)
    said = [_member(x, arrays, i, activation, last) for i in range(len(arrays["W1"]))]
    if about["task"] == "regression":
        own = RescaledOutput(about["y_mean"], about["y_scale"], about.get("target_transform", ""), name="rescaled")
        said = [own(one) for one in said]
    whole = keras.layers.Average(dtype="float64")(said) if len(said) > 1 else said[0]
    return TunedKeras(about, keras.Model(given, whole))
