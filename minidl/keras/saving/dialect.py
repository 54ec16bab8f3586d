"""Configs as files hold them: one form of a ``.h5`` that Keras 2 and 3 both open, and Keras 3's of a ``.keras``."""

import warnings

from minidl.keras.engine import layer as layer_module
from minidl.keras.engine.functional import Functional
from minidl.keras.engine.graph_config import _is_place as is_place
from minidl.keras.engine.sequential import Sequential
from minidl.keras.engine.serialization import serialize_layer
from minidl.keras.saving import lambdas, operations

# What Keras 2 has no argument for: left out where it says nothing.
_ONLY_KERAS3 = {
    *(
        "quantization_config",
        "lora_rank",
        "lora_alpha",
        "autocast",
        "optional",
        "use_cudnn",
        "flash_attention",
    ),
    *("use_gate", "sliding_window", "rms_scaling", "renorm", "renorm_clipping", "ragged_inputs", "num_bins"),
}
_PUBLIC_NAMES = {"GroupedQueryAttention": "GroupQueryAttention"}  # in a .keras
_MODULES = {"Sequential": "keras", "Functional": "keras.src.models.functional"}
_OPERATORS = {"add": "Add", "sub": "Subtract", "mul": "Multiply"}
_SYMBOLIC = ("Operator", "Operation")
_NEVER_TRAINED = ("SpatialDropout", "Discretization")
_SAYS_NOTHING = (None, False, "auto")
_NO_SEED = {
    *("SimpleRNN", "LSTM", "GRU", "MultiHeadAttention", "SimpleRNNCell", "LSTMCell", "GRUCell"),
    *("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"),
}
_NO_FORMAT = {
    *(
        "ZeroPadding1D",
        "Cropping1D",
        "UpSampling1D",
        "CenterCrop",
        "Resizing",
        "RandomBrightness",
        "RandomContrast",
    ),
    *("RandomCrop", "RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom"),
}


def model_config(model, keras3=False):
    """``{"class_name", "config"}`` of a model, with the input's shape where it is known, as a file holds it."""
    graphs = {}
    _collect(model, graphs)
    entry = _entry(serialize_layer(model), keras3, graphs)
    if keras3:
        entry.setdefault("registered_name", None)
    return entry


def with_its_hard_sigmoid(config, keras_version):
    """(config, whether its ``hard_sigmoid`` is Keras 2's, of slope 0.2): each Keras has one, of a slope of its own.

    Warns of the one that the file's reader does not have.
    """
    used = set(_hard_sigmoids(config))
    if keras_version == 2 and used == {"hard_sigmoid_keras2"}:
        return _renamed(config), True
    if keras_version == 2 and used:
        warnings.warn(
            "The model uses 'hard_sigmoid' of slope 1/6; Keras 2's has slope 0.2 and will predict other numbers.",
            stacklevel=4,
        )
    elif "hard_sigmoid_keras2" in used:
        warnings.warn(
            "The model uses 'hard_sigmoid_keras2', the slope 0.2 of Keras 2, which Keras 3 does not have: minidl alone "
            "opens the file. Hint: for Keras 2, model.save('m.h5', keras_version=2).",
            stacklevel=4,
        )
    return config, False


def _hard_sigmoids(value):
    if isinstance(value, (dict, list, tuple)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _hard_sigmoids(inner)
    elif isinstance(value, str) and value in ("hard_sigmoid", "hard_sigmoid_keras2"):
        yield value


def _renamed(value):
    if isinstance(value, dict):
        return {name: _renamed(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_renamed(inner) for inner in value]
    return "hard_sigmoid" if isinstance(value, str) and value == "hard_sigmoid_keras2" else value


def _collect(model, graphs):
    """Of every graph and stack of layers inside, by its name, the model: nodes need shapes, stacks their input."""
    if isinstance(model, (Functional, Sequential)):
        graphs[model.name] = model
    for layer in model._flat_layers():
        _collect(layer, graphs)


def _entry(entry, keras3, graphs):
    """A layer's dict with its config and everything inside it in the form of a file."""
    name, config = entry["class_name"], dict(entry["config"])
    own = "module" not in entry
    if own and name in _SYMBOLIC and not keras3:
        name, config = _portable(name, config)
    model = graphs.get(config.get("name"))
    if own and isinstance(config.get("layers"), (list, tuple)) and model is not None:
        config = _model(config, model, keras3, graphs)
    elif own:
        config = _layer(name, config, keras3, graphs)
    else:
        config = {key: _value(value, keras3, graphs) for key, value in config.items()}
    made = {"class_name": name, "config": config}
    if not own:
        return {"module": entry["module"], **made, "registered_name": entry.get("registered_name")}
    if keras3:
        made["class_name"] = _PUBLIC_NAMES.get(name, name)
        return {"module": _MODULES.get(name, "keras.layers"), **made, "registered_name": None}
    return made


def _portable(name, config):
    """``x + y`` of tensors as the layer that does so in every Keras; other operators are known to minidl alone."""
    if config.get("operation") in _OPERATORS and config.get("constant") is None:
        return _OPERATORS[config["operation"]], {
            k: config[k] for k in ("name", "trainable", "dtype") if k in config
        }
    used = config.get("operation") or config["function"]
    warnings.warn(
        f"The model uses {used!r} on a symbolic tensor: minidl opens the file, Keras will not know this layer. "
        "Hint: write it as a layer.",
        stacklevel=2,
    )
    return name, config


def _layer(name, config, keras3, graphs):
    if name == "InputLayer":
        return _input(config, keras3)
    config.pop("batch_shape", None)
    if name == "Lambda":
        return _lambda(config, keras3)
    if name.startswith(_NEVER_TRAINED) and config.get("trainable") is True:
        config.pop("trainable")  # Keras' classes take no such argument
    if not keras3:
        config = {k: v for k, v in config.items() if k not in _ONLY_KERAS3 or v not in _SAYS_NOTHING}
        if config.get("score_mode") == "dot":
            config.pop("score_mode")  # Keras 3 takes it for the function of that name
        if name == "LeakyReLU":
            config["alpha"] = config.pop("negative_slope", config.get("alpha", 0.3))
        if name == "BatchNormalization" and "renorm" not in config:
            config.pop("renorm_momentum", None)
        if name in _NO_SEED and config.get("seed") is None:
            config.pop("seed", None)
        if name in _NO_FORMAT and config.get("data_format") in (None, "channels_last"):
            config.pop("data_format", None)
    return {key: _value(value, keras3, graphs) for key, value in config.items()}


def _input(config, keras3):
    made = {"batch_shape" if keras3 else "batch_input_shape": list(config["batch_shape"])}
    made |= {"dtype": config["dtype"], "sparse": bool(config.get("sparse")), "ragged": False}
    return {**made, "name": config["name"]}


def _lambda(config, keras3):
    function = config.pop("_function")
    config["function"] = lambdas.written(function, keras3)
    if not keras3:
        config["function_type"] = "function" if isinstance(config["function"], str) else "lambda"
        config |= {
            "module": "builtins",
            "output_shape": None,
            "output_shape_type": "raw",
            "output_shape_module": None,
        }
    return config


def _value(value, keras3, graphs):
    """A value inside a config: layers of wrappers are written with their module, without which Keras 3 fails."""
    if isinstance(value, dict) and "class_name" in value and "config" in value:
        if value.get("module") in (None, "keras.layers") and value["class_name"] in layer_module.BY_NAME:
            bare = {"class_name": value["class_name"], "config": value["config"]}
            return {"module": "keras.layers", "registered_name": None, **_entry(bare, keras3, graphs)}
        return value
    if isinstance(value, dict):
        return {key: _value(inner, keras3, graphs) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_value(inner, keras3, graphs) for inner in value]
    if isinstance(value, slice):
        return {
            "class_name": "__slice__",
            "config": {k: getattr(value, k) for k in ("start", "stop", "step")},
        }
    if value is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if hasattr(value, "tolist"):
        return value.tolist()
    return value


# --- models -------------------------------------------------------------------------------------------------------


def _model(config, model, keras3, graphs):
    layers = [_with_function(entry, layer) for entry, layer in zip(config["layers"], _layers_of(model))]
    config = {**config, "layers": [_entry(entry, keras3, graphs) for entry in layers]}
    if isinstance(model, Sequential):
        if layers and layers[0]["class_name"] != "InputLayer" and model._graph is not None:
            config["layers"].insert(0, _known_input(model, keras3, config["layers"]))
        if not keras3:
            config.pop("dtype", None)
            config.pop("trainable", None)
        return config
    symbols = _symbols(model)
    for written, entry in zip(config["layers"], layers):
        written["name"] = entry.get("name", entry["config"].get("name"))
        written["inbound_nodes"] = [_node(node, symbols, keras3) for node in entry.get("inbound_nodes", ())]
        if keras3 and entry["class_name"] in _SYMBOLIC and "module" not in entry:
            made = operations.written(entry, written["inbound_nodes"])
            written |= made | {k: _value(made[k], keras3, graphs) for k in ("config", "inbound_nodes")}
    if keras3:
        for key, structure in (
            ("input_layers", model._input_structure),
            ("output_layers", model._output_structure),
        ):
            if not isinstance(structure, (list, tuple, dict)):
                config[key] = list(config[key][0])
    else:
        config.pop("trainable", None)
    return config


def _layers_of(model):
    return model._stack if isinstance(model, Sequential) else model.layers


def _with_function(entry, layer):
    """A ``Lambda``'s entry with the function itself, which its config only names."""
    if entry["class_name"] == "Lambda" and "module" not in entry:
        return {**entry, "config": {**entry["config"], "_function": layer.function}}
    return entry


def _known_input(model, keras3, layers):
    """The ``InputLayer`` of a stack that learned its input's shape from data: the batch stays open."""
    symbol = model._graph.inputs[0]
    taken = {entry["config"].get("name") for entry in layers}
    name = next(n for n in ("input_layer", *(f"input_layer_{i}" for i in range(1, 99))) if n not in taken)
    config = {"batch_shape": [None, *symbol.shape[1:]], "dtype": symbol.dtype, "name": name}
    return _entry({"class_name": "InputLayer", "config": config}, keras3, {})


def _node(node, symbols, keras3):
    """A call: Keras 2's list, which Keras 3 reads as well, unless another argument than the first is a tensor.

    ``said`` tells an argument that the program gave from a default, which Keras 3 writes too; it reads over the key.
    """
    if isinstance(node, dict):
        return _value(node, keras3, {})
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
    return _counted_from_one(made) if isinstance(made.get("output_layers"), list) else made


def _counted_from_one(graph):
    """The config of a graph with the calls of models inside counted from 1: Keras 2 counts their making as number 0."""
    models = {entry["config"].get("name") for entry in graph["layers"] if "layers" in entry["config"]}

    def shifted(value):
        if is_place(value) and value[0] in models:
            return [value[0], value[1] + 1, *map(shifted, value[2:])]
        if isinstance(value, dict):
            return {key: shifted(inner) for key, inner in value.items()}
        return [shifted(inner) for inner in value] if isinstance(value, (list, tuple)) else value

    layers = [
        {**entry, "inbound_nodes": shifted(entry.get("inbound_nodes", []))} for entry in graph["layers"]
    ]
    return {**graph, "layers": layers, "output_layers": shifted(graph["output_layers"])}


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


def _symbols(model):
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
