"""``plot_model``: a model as a picture: DOT text, which Graphviz draws."""

import os
import shutil
import subprocess

from minidl.keras.engine.inputs import InputLayer
from minidl.keras.engine.summary import shape_text


def model_to_dot(
    model, show_shapes=False, show_dtype=False, show_layer_names=False, rankdir="TB", expand_nested=False, dpi=200,
    subgraph=False, show_layer_activations=False, show_trainable=False, **kwargs,
):  # fmt: skip
    """The model as DOT text: a box a layer, an arrow a tensor.

    >>> from minidl import keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> print(model_to_dot(model, show_shapes=True))
    digraph "sequential..." {
      rankdir=TB; dpi=200; node [shape=record, fontname="Helvetica"];
      "input_layer..." [label="InputLayer|(None, 3)"];
      "dense..." [label="Dense|(None, 2)"];
      "input_layer..." -> "dense...";
    }
    """
    graph = model if hasattr(model, "nodes") else model.__dict__.get("_graph")
    layers = list(graph.layers) if graph is not None else list(model.layers)
    lines = [
        f'digraph "{model.name}" {{',
        f'  rankdir={rankdir}; dpi={dpi}; node [shape=record, fontname="Helvetica"];',
    ]
    for layer in layers:
        parts = [f"{layer.name} ({type(layer).__name__})" if show_layer_names else type(layer).__name__]
        activation = getattr(layer, "activation", None)
        if show_layer_activations and activation is not None:
            parts.append(getattr(activation, "__name__", type(activation).__name__))
        if show_dtype:
            parts.append(layer.dtype if isinstance(layer, InputLayer) else layer.compute_dtype)
        if show_shapes:
            parts.append(shape_text(layer))
        if show_trainable:
            parts.append("trainable" if layer.trainable else "frozen")
        if expand_nested and hasattr(layer, "layers"):
            parts.append("\\n".join(inner.name for inner in layer.layers))
        lines.append(f'  "{layer.name}" [label="{"|".join(map(_escaped, parts))}"];')
    lines += [f'  "{source}" -> "{target}";' for source, target in _arrows(graph, layers)]
    return "\n".join([*lines, "}"])


def _arrows(graph, layers):
    if graph is None:
        return list(zip([layer.name for layer in layers], [layer.name for layer in layers[1:]], strict=False))
    return [
        (parent.history[0].layer.name, node.layer.name) for node in graph.nodes for parent in node.parents
    ]


def _escaped(text):
    return text.replace("{", "\\{").replace("}", "\\}").replace("<", "\\<").replace(">", "\\>")


def plot_model(model, to_file="model.png", show_shapes=False, **options):
    """Draws the model to a file and returns its path: ``.dot`` is text; ``.png``, ``.svg``, ``.pdf`` need Graphviz.

    Without Graphviz's ``dot`` program the text is written beside it, as ``.dot``, and that path is returned.
    Options: ``show_dtype``, ``show_layer_names``, ``rankdir``, ``expand_nested``, ``dpi``,
    ``show_layer_activations``, ``show_trainable``. ``ValueError`` for a model that is not built.
    """
    if not model.built:
        raise ValueError(
            "This model has not yet been built. Build the model first by calling `build()` or by calling the model "
            "on a batch of data."
        )
    text = model_to_dot(model, show_shapes, **options)
    path = os.fspath(to_file)
    base, ending = os.path.splitext(path)
    program = shutil.which("dot")
    if ending == ".dot" or program is None:
        path = base + ".dot"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        return path
    subprocess.run([program, f"-T{ending[1:] or 'png'}", "-o", path], input=text.encode(), check=True)
    return path
