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
}


def places(model, keras2=False):
    """``{path: weight}`` of all weights of a model, each once; ``keras2``: where Keras 2 keeps them."""
    found = {}
    _visit(model, "", found, set(), keras2)
    return found


def _visit(layer, prefix, found, seen, keras2):
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
    for name, value in _attributes(layer, keras2):
        path = f"{prefix}/{name}".lstrip("/")
        if isinstance(value, Layer):
            _visit(value, path, found, seen, keras2)
        elif isinstance(value, (list, tuple, dict)):
            _visit_all(value, path, found, seen, keras2)


def _attributes(layer, keras2):
    """The attributes in the order in which Keras goes by them, where a model's list of its layers is one.

    Keras 3 begins with that of a stack or a graph, and goes by names; Keras 2 by names from the last to the first.
    """
    named = {name: layer._modules.get(name, layer.__dict__.get(name)) for name in layer._tracked}
    if isinstance(layer, Model):
        named["layers"] = layer.layers
    if keras2:
        return sorted(named.items(), key=lambda item: item[0], reverse=True)
    first = "layers" if isinstance(layer, (Functional, Sequential)) else None
    key = lambda item: (item[0] != first, f"~{item[0]}" if item[0].startswith("_") else item[0])  # noqa: E731
    return sorted(named.items(), key=key)


def _visit_all(container, prefix, found, seen, keras2):
    used = {}
    for value in container.values() if isinstance(container, dict) else container:
        if isinstance(value, Layer):
            if keras2 and id(value) in seen:  # it does not count those that lie elsewhere
                continue
            name = _unique(to_snake_case(type(value).__name__), used)
            _visit(value, f"{prefix}/{name}", found, seen, keras2)
        elif isinstance(value, (list, tuple, dict)):
            _visit_all(value, f"{prefix}/{_unique('container', used)}", found, seen, keras2)


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
