"""The calls of a graph as files hold them: which layer takes which tensors, counted so that Keras 2 and 3 agree."""

from minidl.keras.engine.graph_config import _is_place as is_place

_SYMBOLIC = ("Operator", "Operation")


def written_node(node, symbols, keras3):
    """A call: Keras 2's list, which Keras 3 reads as well, unless another argument than the first is a tensor.

    ``said`` tells an argument that the program gave from a default, which Keras 3 writes too; it reads over the key.
    """
    kwargs = {key: value for key, value in (node[0][3] if node else {}).items() if value is not None}
    tensors = any(_holds_place(value) for value in kwargs.values())
    if not keras3 and not tensors:
        return [[*entry[:3], kwargs if i == 0 else {}] for i, entry in enumerate(node)]
    first = [_tensor(entry[:3], symbols) for entry in node]
    others = {key: _symbolic(value, symbols) for key, value in kwargs.items()}
    made = {"args": [first if len(first) > 1 else first[0]], "kwargs": others}
    return {**made, "said": ["training"]} if "training" in others else made


def with_nodes_of_keras2(config):
    """The config with every call in Keras 2's form, tensors among the named arguments as well, unlike Keras 3."""
    if isinstance(config, (list, tuple)):
        return [with_nodes_of_keras2(inner) for inner in config]
    if not isinstance(config, dict):
        return config
    made = {key: with_nodes_of_keras2(inner) for key, inner in config.items()}
    if made.get("class_name") not in _SYMBOLIC and isinstance(made.get("inbound_nodes"), list):
        if made["class_name"] == "MultiHeadAttention" and isinstance(made["inbound_nodes"][0], dict):
            made["config"] = {**made["config"], **_shapes_of_attention(made["inbound_nodes"][0])}
        made["inbound_nodes"] = [_node_of_keras2(node) for node in made["inbound_nodes"]]
    return made


def _shapes_of_attention(node):
    """What Keras 2 builds a ``MultiHeadAttention`` with: the shapes of its first call."""
    query, value, key = (*node["args"], node["kwargs"].get("value"), node["kwargs"].get("key"))[:3]
    tensors = {"query": query, "value": value, "key": key or value}
    return {f"{name}_shape": tensor["config"]["shape"] for name, tensor in tensors.items()}


def _node_of_keras2(node):
    if not isinstance(node, dict):
        return node
    first = node["args"][0] if isinstance(node["args"][0], list) else [node["args"][0]]
    return [[*_history(x), _histories(node["kwargs"]) if i == 0 else {}] for i, x in enumerate(first)]


def _history(tensor):
    return tensor["config"]["keras_history"]


def _histories(value):
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            return _history(value)
        return {key: _histories(inner) for key, inner in value.items()}
    return [_histories(inner) for inner in value] if isinstance(value, list) else value


def _holds_place(value):
    """Whether a tensor of the graph is in an argument."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return is_place(value) or any(_holds_place(item) for item in inner)


def _symbolic(value, symbols):
    """An argument with its places as Keras 3 writes tensors."""
    if is_place(value):
        return _tensor(value, symbols)
    if isinstance(value, dict):
        return {key: _symbolic(inner, symbols) for key, inner in value.items()}
    return [_symbolic(inner, symbols) for inner in value] if isinstance(value, (list, tuple)) else value


def _tensor(place, symbols):
    symbol = symbols[tuple(place)]
    config = {"shape": list(symbol.shape), "dtype": symbol.dtype, "keras_history": list(place)}
    return {"class_name": "__keras_tensor__", "config": config}


def symbols_of(model):
    """The symbolic tensors of a graph by (layer, number of its call, number of the output)."""
    found, counts = {}, {}
    for symbol in model.inputs:
        found[symbol.history[0].layer.name, 0, symbol.history[1]] = symbol
    for node in model.nodes:
        number = counts.get(node.layer.name, 0)
        counts[node.layer.name] = number + 1
        for i, symbol in enumerate(node.flat_outputs):
            found[node.layer.name, number, i] = symbol
    return found


def with_pairs_of_calls(graph):
    """The config of a graph with each call of a model inside written twice, of which one is used, the other ignored.

    Keras 2 counts the making of such a model as its call number 0, Keras 3 counts its calls alone: number 2k + 1 is to
    the former the first of a pair, to the latter the second.
    """
    models = {entry["name"] for entry in graph["layers"] if "layers" in entry["config"]}

    def second(number):
        return 2 * number + 1

    def called(entry):
        nodes = numbered(entry["inbound_nodes"], models, second)
        return [node for node in nodes for _ in range(2)] if entry["name"] in models else nodes

    layers = [{**entry, "inbound_nodes": called(entry)} for entry in graph["layers"]]
    return {**graph, "layers": layers, "output_layers": numbered(graph["output_layers"], models, second)}


def numbered(value, models, number):
    """The places in a value with another number of the call, of those that lead to one of the models."""
    if is_place(value):
        own = number(value[1]) if value[0] in models else value[1]
        return [value[0], own, *(numbered(inner, models, number) for inner in value[2:])]
    if isinstance(value, dict):
        return {key: numbered(inner, models, number) for key, inner in value.items()}
    return [numbered(inner, models, number) for inner in value] if isinstance(value, (list, tuple)) else value
