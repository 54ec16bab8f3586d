"""Graphs as configs: written in Keras 2's form of nodes, which Keras 3 reads too; read in either's."""

from minidl.keras.engine.keras_tensor import KerasTensor
from minidl.keras.engine.nest import flatten, is_nested, map_structure
from minidl.keras.engine.serialization import deserialize_layer, serialize_layer


def graph_config(model):
    """``{"name", "layers": [{..., "inbound_nodes"}], "input_layers", "output_layers"}`` of a graph."""
    nodes = {}  # of each layer, its calls within the model
    for node in model.nodes:
        nodes.setdefault(id(node.layer), []).append(node)

    def place(symbol):
        node, index = symbol.history
        own = nodes.get(id(node.layer), [node])
        return [node.layer.name, own.index(node) if node in own else 0, index]

    layers = []
    for layer in model.layers:
        entry = serialize_layer(layer)
        entry["name"] = layer.name
        entry["inbound_nodes"] = [_node(node, place) for node in nodes.get(id(layer), ())]
        layers.append(entry)
    return {
        "name": model.name,
        "trainable": model._trainable,
        "layers": layers,
        "input_layers": _places(model._input_structure, place),
        "output_layers": _places(model._output_structure, place),
    }


def _places(structure, place):
    """A list of places, also of a single tensor; a dict of tensors stays a dict."""
    if isinstance(structure, dict):
        return {name: place(symbol) for name, symbol in structure.items()}
    return [place(symbol) for symbol in flatten(structure)]


def _node(node, place):
    """One call: a list of [layer, node, tensor, other arguments], one for each tensor of the first argument."""
    if getattr(node.layer, "open_arguments", False):
        mark = lambda leaf: _marked(leaf, place)  # noqa: E731
        return {"args": list(map_structure(mark, node.args)), "kwargs": map_structure(mark, node.kwargs)}
    named = {**dict(zip(node.layer._signature.names[1:], node.args[1:])), **node.kwargs}
    kwargs = map_structure(lambda leaf: place(leaf) if isinstance(leaf, KerasTensor) else leaf, named)
    symbols = [leaf for leaf in flatten(node.args[:1]) if isinstance(leaf, KerasTensor)]
    return [[*place(symbol), kwargs if i == 0 else {}] for i, symbol in enumerate(symbols)]


def _marked(leaf, place):
    """An argument as Keras 3 writes it: a tensor of the graph by its history, everything else as it is."""
    if not isinstance(leaf, KerasTensor):
        return leaf
    config = {"shape": list(leaf.shape), "dtype": leaf.dtype, "keras_history": place(leaf)}
    return {"class_name": "__keras_tensor__", "config": config}


# --- reading ------------------------------------------------------------------------------------------------------


def graph_from_config(cls, config, custom_objects=None):
    """The graph of a config, with new weights. ``ValueError`` where it names tensors that nothing makes."""
    layers, made = {}, {}
    for entry in config["layers"]:
        layer = deserialize_layer(entry, custom_objects)
        name = entry.get("name") or layer.name
        layers[name] = layer
        if not entry.get("inbound_nodes") and layer._inbound_nodes:
            made[name, 0] = layer._inbound_nodes[0].flat_outputs
    ends = _ends(config)
    built_in = _counted_from_one(config["layers"], ends)
    pending = [
        (name := entry.get("name") or entry["config"]["name"], index + (name in built_in), node)
        for entry in config["layers"]
        for index, node in enumerate(entry.get("inbound_nodes") or ())
    ]
    while pending:
        left = []
        for name, index, node in pending:
            arguments = _arguments(node, made)
            if arguments is None:
                left.append((name, index, node))
                continue
            outputs = layers[name](*arguments[0], **arguments[1])
            made[name, index] = flatten(outputs)
        if len(left) == len(pending):
            raise ValueError(
                f"The config of the model '{config.get('name')}' is not a graph: the calls of "
                f"{sorted({name for name, _, _ in left})} need tensors that no layer makes."
            )
        pending = left
    return cls(_found(config["input_layers"], made), _found(ends, made), name=config.get("name"))


def _ends(config):
    """The places of the outputs: Keras 3, with its form of nodes, counts the calls of graphs inside from 1 there."""
    calls = {
        entry.get("name") or entry["config"].get("name"): len(entry["inbound_nodes"])
        for entry in config["layers"]
        if isinstance(entry.get("config"), dict)
        and "input_layers" in entry["config"]
        and any(isinstance(node, dict) for node in entry.get("inbound_nodes") or ())
    }

    def counted(value):
        if _is_place(value):
            name, number = value[0], value[1]
            return [name, (number - 1) % calls[name] if name in calls else number, *value[2:]]
        if isinstance(value, dict):
            return {key: counted(inner) for key, inner in value.items()}
        return [counted(inner) for inner in value] if isinstance(value, (list, tuple)) else value

    return counted(config["output_layers"])


def _counted_from_one(entries, outputs):
    """Names of the models inside whose first call has number 1: number 0 is how Keras 2 counts the making."""
    found = set()
    models = {
        entry.get("name") or entry["config"].get("name"): len(entry.get("inbound_nodes") or ())
        for entry in entries
        if isinstance(entry.get("config"), dict) and "layers" in entry["config"]
    }

    def visit(value):
        if _is_place(value) and models.get(value[0], -1) == value[1]:
            found.add(value[0])
        for inner in (
            value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
        ):
            visit(inner)

    visit([outputs, *(entry.get("inbound_nodes") for entry in entries)])
    return found


def _is_place(value):
    return (
        isinstance(value, (list, tuple))
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and all(isinstance(number, int) for number in value[1:3])
    )


def _found(places, made):
    """The tensors of the places in a structure: one place, a list or a dict of them."""
    if _is_place(places):
        return made[places[0], places[1]][places[2]]
    if isinstance(places, dict):
        return {name: _found(value, made) for name, value in places.items()}
    found = [_found(value, made) for value in places]
    return found[0] if len(found) == 1 else found


def _arguments(node, made):
    """(args, kwargs) of a call, or None where a tensor that it needs is not made yet."""
    try:
        if isinstance(
            node, dict
        ):  # Keras 3: {"args": [...], "kwargs": {...}} with {"class_name": "__keras_tensor__"}
            return _filled(node["args"], made), _filled(node.get("kwargs") or {}, made)
        symbols = [made[entry[0], entry[1]][entry[2]] for entry in node]
        kwargs = dict(node[0][3]) if len(node[0]) > 3 and node[0][3] else {}
        kwargs = {name: _placed(value, made) for name, value in kwargs.items()}
    except KeyError:
        return None
    return ([symbols[0] if len(symbols) == 1 else symbols], kwargs)


def _placed(value, made):
    """An argument of a call of Keras 2 with the tensors of the places in it."""
    if _is_place(value):
        return made[value[0], value[1]][value[2]]
    return [_placed(inner, made) for inner in value] if isinstance(value, list) else value


def _filled(value, made):
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        name, node, index = value["config"]["keras_history"]
        return made[name, node][index]
    if isinstance(value, dict):
        return {key: _filled(inner, made) for key, inner in value.items()}
    if is_nested(value):
        return [_filled(inner, made) for inner in value]
    return value
