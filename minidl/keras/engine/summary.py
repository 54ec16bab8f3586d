"""``model.summary()``: a table of the layers, the shapes they give, and how many parameters they have."""

import itertools
import shutil
import sys

from minidl.keras.engine.nest import flatten, is_nested
from minidl.keras.engine.tensors import standardize_dtype

_SIZES = {"bool": 1, "int8": 1, "uint8": 1, "float16": 2, "bfloat16": 2, "int16": 2, "float64": 8, "int64": 8}


def print_summary(model, line_length, positions, print_fn, expand_nested, show_trainable, layer_range):
    """Prints the summary of ``model``, by ``print_fn`` where it is given, line by line to the standard output else."""
    text = summary_text(model, line_length, positions, expand_nested, show_trainable, layer_range)
    if print_fn is not None:
        print_fn(text)
        return
    stream = sys.stdout
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        text = text.translate(_ASCII)
    stream.write(text + "\n")


def summary_text(
    model, line_length=None, positions=None, expand_nested=False, show_trainable=False, layer_range=None
):
    """The summary as text."""
    graph = _is_graph(model)
    header, align, full = ["Layer (type)", "Output Shape", "Param #"], ["<", "<", ">"], 88
    positions = list(positions or ((0.3, 0.56, 0.74, 1.0) if graph else (0.45, 0.80, 1.0)))
    if graph:
        header, align, full = [*header, "Connected to"], [*align, "<"], 108
    if show_trainable:
        header, align, full = [*header, "Trainable"], [*align, "^"], full + 12
        positions = [position * 0.90 for position in positions] + [1.0]
    rows = [
        _row(layer, model, graph, show_trainable, depth)
        for layer, depth in _listed(model, expand_nested, layer_range)
    ]
    length = line_length or min(full, shutil.get_terminal_size().columns - 4)
    return "\n".join(
        [f'Model: "{model.name}"', *_table(header, rows, _widths(positions, length), align), *_footer(model)]
    )


def _widths(positions, length):
    """The columns' widths, their padding included, that fill ``length`` with the borders."""
    edges = [0, *(int(position * length) for position in positions)]
    widths = [high - low for low, high in itertools.pairwise(edges)]
    if min(widths) < 4:
        raise ValueError("Insufficient console width to print summary.")
    excess, found = len(widths) + 1, []  # the borders take it from the columns, in equal parts
    for place, width in enumerate(widths):
        part = round(excess / (len(widths) - place))
        excess -= part
        found.append(width - part)
    return found


def _is_graph(model):
    """Whether layers take several tensors, or one tensor goes to several: the connections are worth a column."""
    if not hasattr(model, "nodes"):
        return False
    used = [id(parent) for node in model.nodes for parent in node.parents]
    several = any(len(node.parents) > 1 for node in model.nodes)
    shared = len({id(node.layer) for node in model.nodes}) < len(model.nodes)
    return several or shared or len(model.inputs) > 1 or len(used) != len(set(used))


def _listed(model, expand, layer_range):
    layers = model.layers
    if layer_range is not None:
        layers = _range(layers, layer_range)
    for layer in layers:
        yield layer, 0
        if expand and hasattr(layer, "layers"):
            yield from ((inner, depth + 1) for inner, depth in _listed(layer, True, None))


def _range(layers, bounds):
    names = [layer.name for layer in layers]
    if len(bounds) != 2 or any(bound not in names for bound in bounds):
        raise ValueError(
            f"layer_range must be a list or tuple of two layer names of the model. Received: "
            f"{bounds}; the names are {names}"
        )
    first, last = sorted(names.index(bound) for bound in bounds)
    return layers[first : last + 1]


def _row(layer, model, graph, show_trainable, depth):
    name = f"{'   ' * depth}{'└ ' if depth else ''}{layer.name} ({type(layer).__name__})"
    cells = [name, shape_text(layer), _parameters_text(layer)]
    if graph:
        cells.append(_sources(layer, model) or "-")
    if show_trainable:
        cells.append(("Y" if layer.trainable else "N") if layer.weights else "-")
    return cells


def shape_text(layer):
    """``(None, 64)``; ``?`` where it is not known yet."""
    if layer._inbound_nodes:
        outputs = layer._inbound_nodes[0].outputs
    elif hasattr(layer, "output_shape") and layer.built:
        return _shapes_text(layer.output_shape)
    else:
        shape = _shape_by_build(layer)
        return "?" if shape is None else _shapes_text(shape)
    if not is_nested(outputs):
        return str(tuple(outputs.shape))
    return ", ".join(str(tuple(leaf.shape)) for leaf in flatten(outputs))


def _shapes_text(shape):
    if isinstance(shape, (list, dict)):
        leaves = shape.values() if isinstance(shape, dict) else shape
        return ", ".join(str(tuple(leaf)) for leaf in leaves)
    return str(tuple(shape))


def _shape_by_build(layer):
    config = layer.get_build_config()
    if not layer.built or not config or "input_shape" not in config:
        return None
    try:
        shape = config["input_shape"]
        return layer.compute_output_shape((None, *shape[1:]))
    except (NotImplementedError, RuntimeError, TypeError, ValueError):
        return None


def _parameters_text(layer):
    if not layer.built and not layer.weights:
        return "0 (unbuilt)"
    return f"{sum(weight.numel() for weight in layer.weights):,}"


def _sources(layer, model):
    found = []
    for node in layer._inbound_nodes:
        if node in model.nodes:
            for parent in node.parents:
                source, place = parent.history
                found.append(f"{source.layer.name}[{source.layer._inbound_nodes.index(source)}][{place}]")
    return ", ".join(found)


# --- drawing ------------------------------------------------------------------------------------------------------


def _wrapped(text, width):
    """The text in lines of at most ``width``, broken between words; a longer word ends in an ellipsis."""
    indent = text[: len(text) - len(text.lstrip(" "))]
    lines, line = [], indent
    for word in text.split():
        longer = f"{line} {word}" if line.strip() else line + word
        if len(longer) > width and line.strip():
            lines.append(line)
            longer = word
        line = longer
    return [part if len(part) <= width else part[: width - 1] + "…" for part in [*lines, line]]


def _table(header, rows, widths, align):
    def line(cells):
        return [f" {cell:{side}{width - 2}} " for cell, side, width in zip(cells, align, widths)]

    def block(row):
        columns = [_wrapped(cell, width - 2) for cell, width in zip(row, widths)]
        height = max(map(len, columns))
        return [line([c[i] if i < len(c) else "" for c in columns]) for i in range(height)]

    lines = ["┏" + "┳".join("━" * w for w in widths) + "┓"]
    lines += ["┃" + "┃".join(cells) + "┃" for cells in block(header)[:1]]
    lines.append("┡" + "╇".join("━" * w for w in widths) + "┩")
    for place, row in enumerate(rows):
        if place:
            lines.append("├" + "┼".join("─" * w for w in widths) + "┤")
        lines += ["│" + "│".join(cells) + "│" for cells in block(row)]
    lines.append("└" + "┴".join("─" * w for w in widths) + "┘")
    return lines


_ASCII = str.maketrans("┏┳┓┃┡╇┩━│├┼┤─└┴┘", "+++|+++-|+++-+++")


def _footer(model):
    trained, others = model.trainable_weights, model.non_trainable_weights
    optimizer = getattr(model, "optimizer", None)
    state = list(getattr(optimizer, "variables", None) or ()) if getattr(optimizer, "built", False) else []
    parts = [("Trainable params", trained), ("Non-trainable params", others)]
    if state:
        parts.append(("Optimizer params", state))
    lines = [
        (" Total params", [*trained, *others, *state]),
        *((f" {name}", values) for name, values in parts),
    ]
    return [f"{name}: {_count(values):,} ({memory_text(_bytes(values))})" for name, values in lines]


def _numel(value):
    return value.numel() if hasattr(value, "numel") else getattr(value, "size", 1)


def _count(values):
    return sum(_numel(value) for value in values)


def _bytes(values):
    return sum(_numel(v) * _SIZES.get(standardize_dtype(getattr(v, "dtype", "float32")), 4) for v in values)


def memory_text(size):
    """``31.52 KB``.

    >>> memory_text(0), memory_text(32276)
    ('0.00 B', '31.52 KB')
    """
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            return f"{size:.2f} {unit}"
        size /= 1024
    return ""
