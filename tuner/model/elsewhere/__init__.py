"""A shipped model for other tools: its weights and its preparation, without the tuner.

`torch_model`, `keras_model` and `sklearn_model` are the code that is written beside a model's own files; each needs
its framework and nothing of ours. `to_onnx` builds a graph. `writing` puts them where they are asked for.
"""
