"""Configs as files hold them: one form of a ``.h5`` that Keras 2 and 3 both open, and Keras 3's of a ``.keras``."""

import warnings

from minidl.keras.engine import layer as layer_module
from minidl.keras.engine.functional import Functional
from minidl.keras.engine.sequential import Sequential
from minidl.keras.engine.serialization import serialize_layer
from minidl.keras.saving import lambdas, operations
from minidl.keras.saving.calls import numbered, symbols_of, with_pairs_of_calls, written_node

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
_SAID_BY_DEFAULT = {  # the same of one class, by what says nothing
    "Resizing": {
        "pad_to_aspect_ratio": False,
        "fill_mode": "constant",
        "fill_value": 0.0,
        "antialias": False,
    },
    "RandomContrast": {"value_range": (0, 255)},
    "IntegerLookup": {"oov_method": "floormod", "salt": None},
    "StringLookup": {"oov_method": "farmhash", "salt": None},
}
_PUBLIC_NAMES = {"GroupedQueryAttention": "GroupQueryAttention"}  # in a .keras
_MODULES = {"Sequential": "keras", "Functional": "keras.src.models.functional"}
_WRAPPED = {  # models inside wrappers, by names that both know
    "Sequential": {"module": "keras"},
    "Functional": {"module": "keras", "class_name": "Model"},
}
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
    axes = config.get(
        "axis"
    )  # Keras 3 forgets several of them without a module; Keras 2 knows the other by it alone
    if name == "SpectralNormalization" or (isinstance(axes, (list, tuple)) and len(axes) > 1):
        return {"module": "keras.layers", **made, "registered_name": None}
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
        silent = _SAID_BY_DEFAULT.get(name, {})
        config = {k: v for k, v in config.items() if k not in _ONLY_KERAS3 or v not in _SAYS_NOTHING}
        config = {k: v for k, v in config.items() if k not in silent or v != silent[k]}
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
            made = {"module": "keras.layers", "registered_name": None, **_entry(bare, keras3, graphs)}
            return made if keras3 else {**made, **_WRAPPED.get(made["class_name"], {})}
        config = value["config"] if keras3 else _without_axes_of_fans(value["config"])
        return {**value, "config": config}
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


def _without_axes_of_fans(config):
    """An initializer's config without what Keras 2 does not know, where it says nothing."""
    if not isinstance(config, dict):
        return config
    axes = ("input_axes", "output_axes")
    return {key: value for key, value in config.items() if key not in axes or value is not None}


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
    symbols = symbols_of(model)
    for written, entry in zip(config["layers"], layers):
        written["name"] = entry.get("name", entry["config"].get("name"))
        written["inbound_nodes"] = [
            _value(node, keras3, {}) if isinstance(node, dict) else written_node(node, symbols, keras3)
            for node in entry.get("inbound_nodes", ())
        ]
        if keras3 and entry["class_name"] in _SYMBOLIC and "module" not in entry:
            made = operations.written(entry, written["inbound_nodes"])
            written |= made | {k: _value(made[k], keras3, graphs) for k in ("config", "inbound_nodes")}
    for key, structure in (
        ("input_layers", model._input_structure),
        ("output_layers", model._output_structure),
    ):
        if not isinstance(structure, (list, tuple, dict)):
            config[key] = list(config[key][0])
    if keras3:
        graphs_inside = {layer.name for layer in model.layers if isinstance(layer, Functional)}
        config["output_layers"] = numbered(config["output_layers"], graphs_inside, lambda number: number + 1)
        return config
    config.pop("trainable", None)
    return with_pairs_of_calls(config)


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
