"""Configs of files of any Keras since 2.0, as the layers here take them."""

import difflib

import numpy as np

from minidl.errors import FileFormatError
from minidl.keras import custom_objects as custom
from minidl.keras.engine import layer as layer_module
from minidl.keras.engine.graph_config import _is_place as is_place
from minidl.keras.engine.serialization import layer_class
from minidl.keras.engine.signature import Signature
from minidl.keras.saving import lambdas, operations, tf_operations

_DROPPED = {
    *(
        "implementation",
        "time_major",
        "input_length",
        "ragged",
        "optional",
        "quantization_config",
        "autocast",
    ),
    *("lora_rank", "lora_alpha", "use_cudnn", "fused", "virtual_batch_size", "adjustment", "batch_size"),
    *("build_input_shape", "zero_output_for_mask", "input_dtype", "flash_attention"),
    *("query_shape", "key_shape", "value_shape", "rng_type"),
}
_OF_PLAIN_CONV = {"groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint", "filters"}
_RECURRENT = {"RNN", "SimpleRNN", "LSTM", "GRU", "Bidirectional", "ConvLSTM2D"}
_SAYS_NOTHING = (None, False, "auto", [], {})
_CLASSES = {
    "GroupQueryAttention": "GroupedQueryAttention",
    **{"BatchNormalizationV1": "BatchNormalization", "BatchNormalizationV2": "BatchNormalization"},
    **{"CuDNNLSTM": "LSTM", "CuDNNGRU": "GRU"},
}
_ARGUMENTS = {  # of a class, arguments by the names of other versions
    "LeakyReLU": {"alpha": "negative_slope"},
    "RandomZoom": {"interpolation_order": "interpolation"},
}


def clean(entry, safe_mode=True):
    """A model's or layer's dict of a file as ``deserialize_layer`` takes it.

    ``ValueError`` for a layer that is not known here, with its class and its place, and for one with Python code while
    ``safe_mode`` holds; ``FileFormatError`` for what is no config.
    """
    try:
        return _entry(entry, safe_mode, "the model", _stateful(entry))
    except RecursionError:
        raise FileFormatError("the config is nested too deeply") from None


def from_keras2(value, key=""):
    """A config of Keras 2 that names what has another meaning since: the slope of its hard sigmoid is 0.2."""
    if isinstance(value, dict):
        return {name: from_keras2(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [from_keras2(inner) for inner in value]
    return "hard_sigmoid_keras2" if value == "hard_sigmoid" and key.endswith("activation") else value


def with_plain_names(value):
    """A config with ``_`` for the ``/`` in layers' names, which Keras 2 allows: ``conv1/bn`` becomes ``conv1_bn``."""
    if isinstance(value, dict):
        names = {k: plain_name(v) for k, v in value.items() if k == "name" and isinstance(v, str)}
        return {plain_name(k): names.get(k) or with_plain_names(v) for k, v in value.items()}
    if is_place(value):
        return [plain_name(value[0]), *map(with_plain_names, value[1:])]
    return [with_plain_names(inner) for inner in value] if isinstance(value, list) else value


def plain_name(name):
    """A layer's name as one here may be."""
    return name.replace("/", "_")


def _stateful(value):
    """Whether a layer inside keeps its state from batch to batch: only then a fixed batch size means something."""
    if isinstance(value, dict):
        return value.get("stateful") is True or any(_stateful(inner) for inner in value.values())
    return isinstance(value, list) and any(_stateful(inner) for inner in value)


def _entry(entry, safe_mode, place, fixed):
    if not isinstance(entry, dict) or not isinstance(entry.get("class_name"), str) or "config" not in entry:
        raise FileFormatError(
            f"{place}: expected a dict with 'class_name' and 'config', got {str(entry)[:200]}"
        )
    name, config = entry["class_name"], entry["config"]
    if name == "Sequential" and isinstance(config, list):  # before Keras 2.2
        config = {"layers": config}
    if not isinstance(config, dict):
        raise FileFormatError(f"{place}: the config of {name!r} is {str(config)[:200]}, not a dict")
    if name in tf_operations.LAYERS and custom.lookup(name) is None:
        return tf_operations.read(entry)
    if operations.is_operation(entry, layer_module.BY_NAME):
        return operations.read(entry)
    if name == "Model" and "layers" in config:
        name = "Functional"
    name = _CLASSES.get(name, name)
    cls = _class(name, entry, place)
    own = cls.__module__.startswith("minidl.keras")
    if isinstance(config.get("layers"), list):
        config = {**config, "layers": _layers(config, safe_mode, fixed)}
        config.pop("dtype", None)
        config.pop("build_input_shape", None)
    else:
        config = {key: _value(value, safe_mode, f"{place}, {key}", fixed) for key, value in config.items()}
        config = _arguments(name, cls, config, safe_mode, fixed) if own else config
    made = {"class_name": name, "config": config}
    for key in ("name", "registered_name") if own else ("name", "registered_name", "module"):
        if isinstance(entry.get(key), str):
            made[key] = entry[key]
    if "inbound_nodes" in entry:
        made["inbound_nodes"] = [_node(node, name in _RECURRENT) for node in entry["inbound_nodes"]]
    return made


def _layers(config, safe_mode, fixed):
    model = config.get("name", "the model")
    return [
        _entry(entry, safe_mode, f"layer {i} of model {model!r}", fixed)
        for i, entry in enumerate(config["layers"])
    ]


def _class(name, entry, place):
    try:
        return layer_class(name, entry.get("registered_name"), module=entry.get("module"))
    except ValueError:
        close = difflib.get_close_matches(name, layer_module.BY_NAME, n=1)
        inner = entry["config"].get("name") if isinstance(entry["config"], dict) else None
        raise ValueError(
            f"Unknown layer '{name}' at {place}" + (f", named {inner!r}" if inner else "") + "."
            f"{f' Did you mean {close[0]!r}?' if close else ''} Hint: for a class of your own pass "
            f"custom_objects={{{name!r}: {name.rpartition('>')[2]}}}, or decorate it with "
            "@keras.utils.register_keras_serializable()."
        ) from None


# --- arguments ----------------------------------------------------------------------------------------------------


def _arguments(name, cls, config, safe_mode, fixed):
    renamed = _ARGUMENTS.get(name, {})
    renamed = {"batch_input_shape": "batch_shape", **renamed}
    config = {renamed.get(key, key): value for key, value in config.items()}
    if config.get("time_major"):
        raise ValueError(f"{name} '{config.get('name')}' has time_major=True, which is not supported")
    known = _known_arguments(cls)
    made = {}
    for key, value in config.items():
        if key not in known and (key in _DROPPED or value in _SAYS_NOTHING):
            continue
        if key not in known and "Conv" in name and key in _OF_PLAIN_CONV:
            continue  # Keras 2 writes it for every kind of convolution
        made[key] = value
    if isinstance(made.get("batch_shape"), (list, tuple)) and made["batch_shape"] and not fixed:
        made["batch_shape"] = [None, *made["batch_shape"][1:]]
    if isinstance(made.get("axis"), list) and len(made["axis"]) == 1:
        made["axis"] = int(made["axis"][0])
    if "renorm_momentum" in made and not made.get("renorm") and "renorm" not in known:
        del made["renorm_momentum"]
    if name == "MultiHeadAttention" and made.get("attention_axes") == [1]:
        del made["attention_axes"]  # all of (N, T, D), as where nothing is said
    if name == "Operator" and isinstance(made.get("constant"), list):
        indices = made["operation"] in ("getitem", "reshape")
        made["constant"] = tuple(made["constant"]) if indices else np.array(made["constant"], "float32")
    if name == "Lambda":
        made = {
            k: v for k, v in made.items() if k not in ("module", "function_type") and "output_shape_" not in k
        }
        made["function"] = lambdas.read(made.get("function"), made.get("name"), safe_mode)
    return made


def _known_arguments(cls):
    return {
        *layer_module._SHAPE_ARGUMENTS,
        *(n for base in cls.__mro__ if "__init__" in base.__dict__ for n in Signature(base.__init__).names),
    }


def _value(value, safe_mode, place, fixed):
    """A value of a config: policies by their name, functions by theirs, tuples, layers inside wrappers."""
    if isinstance(value, list):
        return [_value(inner, safe_mode, place, fixed) for inner in value]
    if not isinstance(value, dict):
        return value
    name, inner = value.get("class_name"), value.get("config")
    if name == "__tuple__":
        return tuple(_value(item, safe_mode, place, fixed) for item in value.get("items", ()))
    if name in ("DTypePolicy", "Policy", "PolicyV1", "FloatDTypePolicy") and isinstance(inner, dict):
        return inner.get("name")
    if name in ("__slice__", "__ellipsis__"):
        return operations.plain(value)
    if name == "__numpy__" or (name is None and value.get("type") == "TensorShape"):
        return value.get("config", {}).get("value") if name else value.get("items")
    if name == "function" and isinstance(inner, str):
        return value.get("registered_name") or inner if custom.lookup(value.get("registered_name")) else inner
    if isinstance(name, str) and isinstance(inner, dict) and _is_layer(value):
        return _entry(value, safe_mode, place, fixed)
    return {key: _value(item, safe_mode, place, fixed) for key, item in value.items()}


def _is_layer(value):
    module = value.get("module")
    name = value["class_name"].rpartition(">")[2]
    if module is None:  # Keras 2: initializers and regularizers look the same, but have no name of their own
        return name in layer_module.BY_NAME and "name" in value["config"]
    return module in ("keras", "keras.layers") or module.startswith(("keras.src.models", "keras.src.layers"))


def _node(node, recurrent=False):
    """A call without arguments that say nothing. Keras 2 lists a recurrent layer's states after its input.

    Keras 3 writes every argument, ``training=False`` for a Dropout too: its model says which mode it is.
    """
    if isinstance(node, dict):
        kwargs = {k: v for k, v in (node.get("kwargs") or {}).items() if v is not None}
        if "training" not in (node.get("said") or ()):
            kwargs.pop("training", None)
        return {"args": [_argument(arg) for arg in node.get("args", ())], "kwargs": _argument(kwargs)}
    made = []
    for entry in node:
        kwargs = entry[3] if len(entry) > 3 and isinstance(entry[3], dict) else {}
        made.append([*entry[:3], {k: v for k, v in kwargs.items() if v is not None}])
    if recurrent and len(made) > 1:
        symbols = [{"class_name": "__keras_tensor__", "config": {"keras_history": call[:3]}} for call in made]
        return {"args": symbols[:1], "kwargs": {**made[0][3], "initial_state": symbols[1:]}}
    return made


def _argument(value):
    if isinstance(value, dict) and str(value.get("class_name")).startswith("__"):
        return operations.plain(value)
    if isinstance(value, dict):
        return {key: _argument(item) for key, item in value.items()}
    return [_argument(item) for item in value] if isinstance(value, list) else value
