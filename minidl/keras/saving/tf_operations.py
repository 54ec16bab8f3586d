"""TensorFlow's functions on symbolic tensors in files of Keras 2, ``TFOpLambda``, ``SlicingOpLambda``, as Keras 3's."""

import numpy as np

from minidl.keras.saving.operations import plain

LAYERS = ("TFOpLambda", "SlicingOpLambda")
_SAME = (  # of one name in keras.ops, with its only tensor first, as it is in TensorFlow
    "abs ceil cos cosh cumprod cumsum erf exp expm1 floor log log1p log_sigmoid log_softmax negative reciprocal relu "
    "relu6 round rsqrt selu sigmoid sign silu sin sinh softmax softplus softsign sqrt square tan tanh elu zeros_like "
    "ones_like squeeze expand_dims stop_gradient logical_not"
)
_BINARY = {  # two tensors, or a number and a tensor: x and y
    **{name: name for name in ("add", "subtract", "multiply", "maximum", "minimum", "mod")},
    **{name: name for name in ("greater", "greater_equal", "less", "less_equal", "not_equal", "equal")},
    **{name: name for name in ("logical_and", "logical_or", "logical_xor")},
    **{
        "truediv": "divide",
        "divide": "divide",
        "div": "divide",
        "realdiv": "divide",
        "floor_div": "floor_divide",
    },
    **{"floordiv": "floor_divide", "floormod": "mod", "pow": "power", "bias_add": "add", "sub": "subtract"},
    **{"div_no_nan": "divide_no_nan", "divide_no_nan": "divide_no_nan", "mul": "multiply"},
}
_REDUCED = {
    **{
        f"reduce_{name}": name
        for name in ("sum", "mean", "max", "min", "prod", "std", "any", "all", "logsumexp")
    },
    "reduce_variance": "var",
}
_FUNCTIONS = {name: (name, {}) for name in _SAME.split()} | {
    "is_nan": ("isnan", {}), "tile": ("tile", {"multiples": "repeats"}),
    "identity": ("copy", {}), "swish": ("silu", {}), "gelu": ("gelu", {}),
    "leaky_relu": ("leaky_relu", {"alpha": "negative_slope"}), "cast": ("cast", {"dtype": "dtype"}),
    "concat": ("concatenate", {}), "concatenate": ("concatenate", {}), "stack": ("stack", {}),
    "reshape": ("reshape", {"shape": "newshape"}), "transpose": ("transpose", {"perm": "axes"}),
    "clip_by_value": ("clip", {"clip_value_min": "x_min", "clip_value_max": "x_max"}),
    "pad": ("pad", {"paddings": "pad_width", "mode": "mode"}), "gather": ("take", {}),
    "one_hot": ("one_hot", {"depth": "num_classes"}), "split": ("split", {"num_or_size_splits": "cut"}),
    "where": ("where", {"x": "x1", "y": "x2"}), "argmax": ("argmax", {}), "argmin": ("argmin", {}),
    "l2_normalize": ("normalize", {"epsilon": "squared"}), "resize": ("resize", {"method": "interpolation"}),
}  # fmt: skip
_SAYS_NOTHING = {
    "name",
    "conjugate",
    "validate_indices",
    "batch_dims",
    "out_type",
    "output_type",
    "antialias",
}
_DEFAULTS = {  # where TensorFlow's and keras.ops' differ
    **{"argmax": {"axis": 0}, "argmin": {"axis": 0}, "gelu": {"approximate": False}, "gather": {"axis": 0}},
    **{"concat": {"axis": 0}, "leaky_relu": {"alpha": 0.2}},
}


def read(entry):
    """The dict of a file as that of an ``Operation``. ``ValueError`` for a function that has no counterpart here."""
    config = entry["config"]
    if entry["class_name"] == "SlicingOpLambda":
        return _slicing(entry)
    name = str(config.get("function")).rpartition(".")[2]
    calls = [_call(node) for node in entry.get("inbound_nodes", ())]
    nodes, function = [], None
    for first, others in calls:
        function, args, kwargs = _translated(name, first, others, config)
        nodes.append({"args": args, "kwargs": kwargs})
    made = {"function": function or "copy", "settings": {}, "name": config.get("name")}
    return {"class_name": "Operation", "config": made, "name": entry.get("name"), "inbound_nodes": nodes}


def _slicing(entry):
    spec, nodes = None, []
    for node in entry.get("inbound_nodes", ()):
        first, others = _call(node)
        spec = others.get("slice_spec")
        nodes.append({"args": [first], "kwargs": {}})
    index = tuple(_index(part) for part in spec) if isinstance(spec, list) else (_index(spec),)
    config = {"operation": "getitem", "constant": index, "name": entry["config"].get("name")}
    return {"class_name": "Operator", "config": config, "name": entry.get("name"), "inbound_nodes": nodes}


def _index(part):
    if isinstance(part, dict) and "start" in part:
        return slice(part["start"], part["stop"], part["step"])
    return plain(part)


def _translated(name, first, others, config):
    """(function of keras.ops, args, kwargs)."""
    given = {**_DEFAULTS.get(name, {}), **{k: v for k, v in others.items() if k not in _SAYS_NOTHING}}
    if name in _BINARY:
        second = given.pop("y", given.pop("bias", None))
        return _BINARY[name], [first, second], _known(name, given, (), config)
    if name in _REDUCED:
        return _REDUCED[name], [first], _known(name, given, ("axis", "keepdims"), config)
    if name == "matmul":
        turned = [bool(given.pop(f"transpose_{x}", False)) for x in "ab"]
        left, right = (("...ji", "...ij")[not turned[0]], ("...kj", "...jk")[not turned[1]])
        second = given.pop("b")
        args = [f"{left},{right}->...ik", first, second] if any(turned) else [first, second]
        given = {k: v for k, v in given.items() if v not in (None, False)}
        return ("einsum" if any(turned) else "matmul"), args, _known(name, given, (), config)
    if name not in _FUNCTIONS:
        raise ValueError(_unknown(config))
    function, renamed = _FUNCTIONS[name]
    kwargs = {renamed.get(k, k): v for k, v in given.items() if v is not None}
    if function == "take":
        return function, [first, kwargs.pop("indices")], kwargs
    if function == "where" and "x1" in kwargs:
        return function, [first, kwargs.pop("x1"), kwargs.pop("x2")], kwargs
    if function == "pad":
        kwargs["mode"] = str(kwargs.get("mode", "constant")).lower()
        if kwargs["mode"] != "constant":
            kwargs.pop("constant_values", None)
    if function == "split":
        cut = kwargs.pop("cut")
        kwargs["indices_or_sections"] = (
            [int(n) for n in np.cumsum(cut)[:-1]] if isinstance(cut, list) else cut
        )
        kwargs.setdefault("axis", 0)
    if function == "normalize" and "squared" in kwargs:
        kwargs["epsilon"] = kwargs.pop("squared") ** 0.5
    return function, [first], kwargs


def _known(name, given, known, config):
    strange = [key for key, value in given.items() if key not in known and value is not None]
    if strange:
        raise ValueError(f"{_unknown(config)} ({name} takes no {', '.join(strange)} here)")
    return {key: value for key, value in given.items() if value is not None}


def _unknown(config):
    return (
        f"The layer {config.get('name')!r} of the file is TensorFlow's function {config.get('function')!r} on symbolic "
        "tensors, which has no counterpart here. Hint: in Keras 2, write it as a Lambda layer or a layer of your own."
    )


def _call(node):
    """(first argument, the others by name) of a call as Keras 2 writes it: a tensor, a list of them, or a constant."""
    if node and isinstance(node[0], str):
        return _first(node), _tensors(_others(node))
    return [_first(call) for call in node], _tensors(_others(node[0]))


def _first(call):
    return _tensors(call[2]) if call[0] == "_CONSTANT_VALUE" else _symbol(call)


def _others(call):
    return call[3] if len(call) > 3 and isinstance(call[3], dict) else {}


def _tensors(value):
    """A value with symbols for the places ``[layer, call, tensor]`` in it, and arrays for lists of numbers."""
    if isinstance(value, dict) and "start" not in value and "class_name" not in value:
        return {key: _value(key, inner) for key, inner in value.items()}
    return np.array(value, "float32") if _is_array(value) else value


def _value(key, value):
    if (
        isinstance(value, list)
        and len(value) == 3
        and isinstance(value[0], str)
        and isinstance(value[1], int)
    ):
        return _symbol(value)
    if isinstance(value, list) and any(
        isinstance(inner, list) and inner and isinstance(inner[0], str) for inner in value
    ):
        return [_value(key, inner) for inner in value]
    return np.array(value, "float32") if key in ("x", "y", "b", "bias") and isinstance(value, list) else value


def _is_array(value):
    return isinstance(value, list) and bool(value) and not isinstance(value[0], str)


def _symbol(call):
    return {"class_name": "__keras_tensor__", "config": {"keras_history": list(call[:3])}}
