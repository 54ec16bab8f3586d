"""Where Keras 3 keeps each weight in a ``.weights.h5`` or ``.keras`` file: ``layers/dense/vars/0``."""

from minidl.keras.engine.functional import Functional
from minidl.keras.engine.layer import Layer
from minidl.keras.engine.model import Model
from minidl.keras.engine.naming import to_snake_case
from minidl.keras.engine.sequential import Sequential

# Layers that Keras makes of layers inside, and minidl of one piece: the names under which their weights lie in files,
# each with an equal share of the weights, in the weights' order.
_PIECES = {
    **dict.fromkeys(("SimpleRNN", "LSTM", "GRU"), ("cell",)),
    **dict.fromkeys(("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"), ("cell",)),
    "Bidirectional": ("forward_layer", "backward_layer"),
    "MultiHeadAttention": ("query_dense", "key_dense", "value_dense", "output_dense"),
    "GroupQueryAttention": ("_query_dense", "_key_dense", "_value_dense", "_output_dense"),
}


def places(model):
    """``{path: weight}`` of all weights of a model, each once."""
    found, seen = {}, set()
    _visit(model, "", found, seen)
    return found


def _visit(layer, prefix, found, seen):
    if id(layer) in seen:
        return
    seen.add(id(layer))
    trained, others = layer._own_by_kind()
    own = [*trained, *others]
    pieces = _pieces_of(layer, own)
    share = len(own) // len(pieces)
    for number, weight in enumerate(own):
        inner = "/".join(filter(None, (prefix, pieces[number // share])))
        found[f"{inner}/vars/{number % share}".lstrip("/")] = weight
    inside = f"{prefix}/layers".lstrip("/")
    names = set(layer._tracked)
    if isinstance(layer, (Functional, Sequential)):
        _visit_all(layer.layers, inside, found, seen)
    elif isinstance(layer, Model):
        names.add("layers")  # Keras goes by attributes, and a model's list of its layers is one of them
    for name in sorted(names, key=lambda name: f"~{name}" if name.startswith("_") else name):
        value = layer._modules.get(name, layer.__dict__.get(name))
        if name == "layers" and isinstance(layer, Model):
            value = layer.layers
        if isinstance(value, Layer):
            _visit(value, f"{prefix}/{name}".lstrip("/"), found, seen)
        elif isinstance(value, (list, tuple, dict)):
            _visit_all(value, f"{prefix}/{name}".lstrip("/"), found, seen)


def _visit_all(container, prefix, found, seen):
    used = {}
    for value in container.values() if isinstance(container, dict) else container:
        if isinstance(value, Layer):
            name = _unique(to_snake_case(type(value).__name__), used)
            _visit(value, f"{prefix}/{name}", found, seen)
        elif isinstance(value, (list, tuple, dict)):
            _visit_all(value, f"{prefix}/{_unique('container', used)}", found, seen)


def _unique(name, used):
    used[name] = used.get(name, -1) + 1
    return f"{name}_{used[name]}" if used[name] else name


def _pieces_of(layer, own):
    """The names of the pieces among which a layer's own weights are shared; one without a name for most layers."""
    if not type(layer).__module__.startswith("minidl.keras") or not own:
        return ("",)
    pieces = _PIECES.get(type(layer).__name__, ("",))
    if pieces[0] == "forward_layer":
        pieces = tuple(f"{piece}/cell" for piece in pieces)
    return pieces if len(own) % len(pieces) == 0 else ("",)
