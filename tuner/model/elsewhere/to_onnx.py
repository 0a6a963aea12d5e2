"""A trained model as an ONNX graph: an input for each raw column, its preparation and its networks inside.

Numbers and dates (days since 1970) are double `(n, 1)`, gaps as nan; texts are strings `(n, 1)`, gaps as "(missing)".
The outputs are `probabilities (n, classes)` and `label (n,)`, places among the classes, or `values (n, C)`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from objectives.data.preparation import TEXT
from objectives.data.transforms import LOG1P, LOG_LINK
from tuner.errors import NotInstalled
from tuner.model.trained import TrainedModel

__all__ = ["graph_of"]

OPSET, ML_OPSET, IR = 17, 3, 8
INT64 = 7  # the number of the type in ONNX
ACTIVATIONS = {"relu": "Relu", "tanh": "Tanh"}


class _Graph:
    """Nodes and constants as they are added; every `add` names what it makes."""

    def __init__(self, onnx: Any) -> None:
        self.helper, self.numpy = onnx.helper, onnx.numpy_helper
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: Any) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(self.numpy.from_array(np.asarray(value), name))
        return name

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append(self.helper.make_node(operator, list(inputs), [name], **attributes))
        return name


def graph_of(model: TrainedModel) -> bytes:
    """Return the graph of a model, serialised; the same model gives the same bytes. Raises NotInstalled."""
    try:
        import onnx
    except ImportError as error:
        raise NotInstalled("onnx", "pip install 'tuner[onnx]'") from error
    graph, helper = _Graph(onnx), onnx.helper
    kinds = {True: onnx.TensorProto.STRING, False: onnx.TensorProto.DOUBLE}
    inputs = [
        helper.make_tensor_value_info(column.name, kinds[column.kind == TEXT], [None, 1])
        for column in model.preparation.columns
    ]
    outputs = _outputs(graph, model, _prepared(graph, onnx, model))
    told = [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in _named(onnx, model)]
    for made, (name, _, _) in zip(outputs, _named(onnx, model), strict=True):
        graph.nodes.append(helper.make_node("Identity", [made], [name]))
    whole = helper.make_graph(graph.nodes, "tuned", inputs, told, graph.constants)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    made = helper.make_model(whole, opset_imports=opsets, ir_version=IR, producer_name="tuner")
    helper.set_model_props(made, {"classes": "\n".join(map(str, model.classes))})
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString(deterministic=True))


def _named(onnx: Any, model: TrainedModel) -> list[tuple[str, Any, list[Any]]]:
    if model.task == "regression":
        return [("values", onnx.TensorProto.DOUBLE, [None, model.network.outputs])]
    shares = ("probabilities", onnx.TensorProto.DOUBLE, [None, len(model.classes)])
    return [shares, ("label", onnx.TensorProto.INT64, [None])]


def _prepared(graph: _Graph, onnx: Any, model: TrainedModel) -> str:
    """Return the inputs `(n, D)` as the networks were trained on them."""
    blocks = []
    for i in model.preparation.ordered:
        column = model.preparation.columns[i]
        if column.kind == TEXT:
            known = [name if name not in column.unseen else f"\0{name}" for name in column.categories]
            hot = graph.add("OneHotEncoder", column.name, domain="ai.onnx.ml", cats_strings=known, zeros=1)
            flat = graph.add("Reshape", hot, graph.constant(np.array([-1, column.width], np.int64)))
            blocks.append(graph.add("Cast", flat, to=onnx.TensorProto.DOUBLE))
            continue
        filled = graph.add("Where", graph.add("IsNaN", column.name), graph.constant(column.median), column.name)
        away = graph.add("Sub", filled, graph.constant(column.mean))
        scaled = graph.add("Div", away, graph.constant(column.scale))
        blocks.append(graph.add("Mul", scaled, graph.constant(0.0)) if column.constant else scaled)
    whole = graph.add("Concat", *blocks, axis=1)
    if model.preparation.dtype == "float32":
        whole = graph.add("Cast", whole, to=onnx.TensorProto.FLOAT)
        whole = graph.add("Cast", whole, to=onnx.TensorProto.DOUBLE)
    return whole


def _outputs(graph: _Graph, model: TrainedModel, x: str) -> list[str]:
    members = [_network(graph, model, x, member) for member in range(model.network.members)]
    if model.task == "regression":
        members = [_in_units(graph, model, member) for member in members]
    total = members[0]
    for other in members[1:]:
        total = graph.add("Add", total, other)
    mean = graph.add("Div", total, graph.constant(float(len(members))))
    if model.task == "regression":
        return [mean]
    if model.task == "binary":
        mean = graph.add("Concat", graph.add("Sub", graph.constant(1.0), mean), mean, axis=1)
    if model.threshold is not None:
        second = graph.add("Gather", mean, graph.constant(np.array(1, np.int64)), axis=1)
        above = graph.add("Greater", second, graph.constant(model.threshold))
        return [mean, graph.add("Cast", above, to=INT64)]
    return [mean, graph.add("ArgMax", mean, axis=1, keepdims=0)]


def _in_units(graph: _Graph, model: TrainedModel, outputs: str) -> str:
    """Return outputs of a regression in the target's own units."""
    about = model.preparation
    scale, mean = graph.constant(np.array(about.y_scale)), graph.constant(np.array(about.y_mean))
    if about.target_transform == LOG_LINK:
        return graph.add("Mul", graph.add("Exp", outputs), scale)
    found = graph.add("Add", graph.add("Mul", outputs, scale), mean)
    if not about.target_transform:
        return found
    power = graph.add("Exp", found)
    return graph.add("Sub", power, graph.constant(1.0)) if about.target_transform == LOG1P else power


def _network(graph: _Graph, model: TrainedModel, x: str, member: int) -> str:
    """Return what one network says: probabilities, or outputs of a regression."""
    network = model.network
    last = len(network.weights) - 1
    for i, (w, b) in enumerate(zip(network.weights, network.biases, strict=True)):
        product = graph.add("MatMul", x, graph.constant(w[member].astype(np.float64)))
        x = graph.add("Add", product, graph.constant(b[member].astype(np.float64)))
        x = graph.add(ACTIVATIONS[network.activation], x) if i < last else x
    if model.task == "regression":
        return x
    return graph.add("Sigmoid", x) if model.task == "binary" else graph.add("Softmax", x, axis=1)
