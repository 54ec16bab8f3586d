"""The same model with weights drawn anew, and its ``compile`` with an optimizer and metrics that have seen nothing."""

from minidl.keras.engine.keras_tensor import KerasTensor
from minidl.keras.engine.layer import Layer
from minidl.keras.engine.nest import flatten, map_structure
from minidl.keras.metrics import Metric


def fresh_model(model):
    """A model of the same architecture. A class of the user's own is made again by its constructor's arguments."""
    cls = type(model)
    args, kwargs = model._arguments
    graph = any(isinstance(leaf, KerasTensor) for leaf in flatten([list(args), kwargs]))
    if graph or cls.__module__.startswith("minidl.keras"):
        return cls.from_config(model.get_config())
    return cls(*map_structure(_fresh_layer, args), **map_structure(_fresh_layer, kwargs))


def _fresh_layer(value):
    return value.from_config(value.get_config()) if isinstance(value, Layer) else value


def fresh_compile_arguments(model):
    """The arguments of the model's ``compile``: losses and functions as they are, optimizer and metrics made again."""
    given = dict(model._compile_arguments)
    optimizer = model.optimizer
    given["optimizer"] = type(optimizer).from_config(optimizer.get_config())
    for name in ("metrics", "weighted_metrics"):
        given[name] = map_structure(_fresh_metric, given[name])
    return given


def _fresh_metric(metric):
    return type(metric).from_config(metric.get_config()) if isinstance(metric, Metric) else metric
