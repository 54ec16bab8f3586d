"""Operations on symbolic tensors, ``x[:, 0]`` and ``ops.mean(x, axis=1)``, in Keras 3's form, to files and back."""

import inspect

import numpy as np

from minidl.keras.engine.naming import to_snake_case
from minidl.keras.ops.operation import FUNCTIONS

_OPERATORS = {
    **{"Add": "add", "Subtract": "sub", "Multiply": "mul", "Divide": "truediv", "TrueDivide": "truediv"},
    **{"FloorDivide": "floordiv", "Mod": "mod", "Power": "pow", "Matmul": "matmul", "Negative": "neg"},
    **{"Absolute": "abs", "Less": "lt", "LessEqual": "le", "Greater": "gt", "GreaterEqual": "ge"},
    **{"GetItem": "getitem"},
}
_CLASSES = {function: name for name, function in _OPERATORS.items() if name != "Divide"}
_TENSORS = {"x", "x1", "x2", "xs", "inputs", "condition", "indices", "a", "b", "query", "key", "value"}
_PLACES = {  # where Keras defines them, of those that are not in its ops.numpy
    **dict.fromkeys(("cast", "slice", "slice_update", "scatter", "scatter_update", "stop_gradient"), "core"),
    **dict.fromkeys(("saturate_cast", "unstack"), "core"),
    **dict.fromkeys(("logsumexp", "erf", "erfinv", "rsqrt", "logdet", "top_k", "in_top_k"), "math"),
    **dict.fromkeys(("segment_sum", "segment_max"), "math"),
    **dict.fromkeys(
        ("norm", "det", "inv", "cholesky", "qr", "svd", "solve", "solve_triangular", "lstsq"), "linalg"
    ),
    **dict.fromkeys(("eigh",), "linalg"),
    **dict.fromkeys(("resize", "rgb_to_grayscale", "extract_patches"), "image"),
}


def is_operation(entry, layers):
    """Whether a dict of a file is one of Keras 3's operations: ``Add`` of two arguments, not the layer, of a list."""
    name, nodes = entry["class_name"], entry.get("inbound_nodes", ())
    if name not in _OPERATORS and to_snake_case(name) not in FUNCTIONS:
        return False
    if "module" in entry:
        return str(entry["module"]).startswith("keras.src.ops")
    nodes = [node for node in nodes if isinstance(node, dict) and node.get("args")]
    if name not in layers or (name == "Reshape" and "newshape" in entry["config"]):
        return bool(nodes)
    return any(len(node["args"]) > 1 or not isinstance(node["args"][0], list) for node in nodes) and (
        name in _OPERATORS
    )


def read(entry):
    """The dict of a file as that of a layer here: an ``Operator``, which shows its operand, or an ``Operation``."""
    name, config = entry["class_name"], dict(entry["config"])
    layer_name = config.pop("name", None)
    if name in _OPERATORS:
        return _operator(entry, _OPERATORS[name], layer_name)
    function = to_snake_case(name)
    known = list(inspect.signature(FUNCTIONS[function]).parameters)
    settings = {key: plain(value) for key, value in config.items() if value is not None}
    strange = [key for key, value in settings.items() if key not in known and value is not False]
    settings = {key: value for key, value in settings.items() if key in known}
    if set(strange) - {"trainable", "dtype"}:
        raise ValueError(
            f"keras.ops.{function} here takes no {', '.join(strange)}, as {layer_name!r} of the file"
        )
    first = [settings.pop(known[0])] if known[0] in settings else []  # the equation of an einsum
    nodes = [{**node, "args": [*first, *map(plain, node["args"])]} for node in entry.get("inbound_nodes", ())]
    config = {"function": function, "settings": settings, "name": layer_name}
    return {"class_name": "Operation", "config": config, "name": entry.get("name"), "inbound_nodes": nodes}


def _operator(entry, operation, layer_name):
    config = {"operation": operation, "name": layer_name}
    nodes = []
    for node in entry.get("inbound_nodes", ()):
        args = list(node["args"]) + list(node.get("kwargs", {}).values())
        symbols = [arg for arg in args if _is_symbol(arg)]
        others = [plain(arg) for arg in args if not _is_symbol(arg)]
        if others and isinstance(others[0], list):
            others = [tuple(others[0]) if operation == "getitem" else np.array(others[0], "float32")]
        if others:
            config |= {"constant": others[0], "constant_first": not _is_symbol(args[0])}
        nodes.append({"args": [symbols[0] if len(symbols) == 1 else symbols], "kwargs": {}})
    return {"class_name": "Operator", "config": config, "name": entry.get("name"), "inbound_nodes": nodes}


def _is_symbol(value):
    return isinstance(value, dict) and value.get("class_name") == "__keras_tensor__"


def plain(value):
    """A value of a file with slices, tuples and arrays as what they are; tensors of the graph are left."""
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if not isinstance(value, dict) or _is_symbol(value):
        return value
    name, inner = value.get("class_name"), value.get("config")
    if name == "__slice__":
        inner = inner or {}
        return slice(*value.get("items", (inner.get("start"), inner.get("stop"), inner.get("step"))))
    if name == "__ellipsis__":
        return Ellipsis
    if name == "__tuple__":
        return tuple(plain(item) for item in value.get("items", ()))
    if name in ("__numpy__", "__tensor__"):
        return np.array(inner["value"], inner.get("dtype"))
    return {key: plain(item) for key, item in value.items()}


def written(entry, nodes):
    """What Keras 3 writes for an ``Operator`` or an ``Operation`` called at ``nodes``: module, class, config, calls."""
    config = entry["config"]
    if entry["class_name"] == "Operator":
        return _written_operator(config, nodes)
    function, settings, calls = config["function"], {}, []
    for node in nodes:
        given = inspect.signature(FUNCTIONS[function]).bind(
            *node["args"], **{**config["settings"], **node["kwargs"]}
        )
        tensors, named = [], {}
        for name, value in given.arguments.items():
            if name in ("weights", "constant_values"):
                named[name] = value
            elif name in _TENSORS or _is_symbol(value):
                tensors.append(_array(value))
            elif given.signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL:
                tensors += value
            elif value is not None:
                settings[name] = value
        calls.append({"args": tensors, "kwargs": named})
    name = "Absolute" if function == "abs" else "".join(part.capitalize() for part in function.split("_"))
    return _entry(name, function, {"name": config["name"], **settings}, calls)


def _array(value):
    """An array, or a list of numbers, among the arguments as Keras 3 writes it."""
    numbers = isinstance(value, list) and not _holds_dict(value)
    if not hasattr(value, "tolist") and not numbers:
        return value
    array = np.asarray(value)
    array = array.astype("float32") if numbers and array.dtype == np.float64 else array
    return {"class_name": "__numpy__", "config": {"value": array.tolist(), "dtype": array.dtype.name}}


def _holds_dict(value):
    return isinstance(value, dict) or (isinstance(value, list) and any(map(_holds_dict, value)))


def _written_operator(config, nodes):
    operation, constant = config["operation"], config.get("constant")
    calls = []
    for node in nodes:
        args = node["args"][0] if isinstance(node["args"][0], list) else node["args"]
        if constant is not None and operation != "reshape":
            constant = _array(constant)
            args = [constant, *args] if config.get("constant_first") else [*args, constant]
        calls.append({"args": args, "kwargs": {}})
    if operation == "reshape":
        return _entry("Reshape", "reshape", {"name": config["name"], "newshape": list(constant)}, calls)
    return _entry(_CLASSES[operation], operation, {"name": config["name"]}, calls)


def _entry(name, function, config, calls):
    room = FUNCTIONS[function].__module__.rpartition(".")[2] if function in FUNCTIONS else "elementwise"
    place = _PLACES.get(function, "nn" if room in ("nn", "activations") else "numpy")
    made = {"module": f"keras.src.ops.{place}", "class_name": name, "config": config, "registered_name": name}
    return {**made, "name": config["name"], "inbound_nodes": calls}
