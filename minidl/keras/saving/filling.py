"""From a file's arrays into a model's weights: by order, name or place. All is checked before anything is changed."""

import warnings

from minidl.keras.saving.cudnn import converted
from minidl.keras.saving.names import parts
from minidl.keras.saving.store import places
from minidl.keras.saving.tolerant import plain_name


def ordered_weights(layer):
    """A layer's weights in the order of ``.h5`` files: those that are trained first."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def top_level_weights(model):
    """The weights that a model owns itself, outside its layers."""
    trained, others = model._own_by_kind()
    return [*trained, *others]


def fill(model, contents, by_name=False, skip_mismatch=False):
    """Overwrites the weights. ``ValueError`` that lists both sides where they do not fit; then nothing was changed."""
    if not model.weights and not model.built and contents.arrays:
        raise ValueError(
            f"You are loading weights into the model '{model.name}', which has not been built yet: it has none to "
            "fill. Hint: build it first, by model.build((None, features)) or a call on data."
        )
    pair = {"layers": _by_name if by_name else _by_order, "store": _by_place, "names": _by_path}[
        contents.layout
    ]
    if by_name and contents.layout == "store":
        raise ValueError(
            f"{contents.where!r} keeps weights by their place in the model, without names of layers. Hint: leave "
            "by_name out, or save as .h5."
        )
    pairs = pair(model, contents, skip_mismatch)
    for weight, array in pairs:
        weight.assign(array)


def _fitting(pairs, title, skip):
    """The (weight, array) whose shapes agree. ``ValueError`` for others, or a warning where they are to be skipped."""
    found = []
    for weight, array in pairs:
        expected, received = tuple(weight.shape), tuple(array.shape)
        if expected == received:
            found.append((weight, array))
            continue
        message = (
            f"Shape mismatch in {title} for weight {weight.path}. Weight expects shape {expected}. Received saved "
            f"weight with shape {received}."
        )
        if not skip:
            raise ValueError(message)
        warnings.warn(f"Skipping: {message}", stacklevel=2)
    return found


def _told(rows):
    return "\n".join(
        f"  {name}: {', '.join(str(shape) for shape in shapes) or 'none'}" for name, shapes in rows
    )


def _both(own, saved):
    return f"\nThe model has\n{_told(own)}\nand the file\n{_told(saved)}"


def _by_order(model, contents, skip):
    own = [(layer.name, ordered_weights(layer)) for layer in model.layers]
    own = [row for row in own if row[1]]
    saved = [(name, [contents.arrays[path] for path in paths]) for name, paths in contents.layers if paths]
    top = [row for row in saved if row[0] == "top_level_model_weights"]
    saved = [row for row in saved if row[0] != "top_level_model_weights"]
    shapes = (
        [(name, [tuple(w.shape) for w in weights]) for name, weights in own],
        [(name, [array.shape for array in arrays]) for name, arrays in saved],
    )
    if len(own) != len(saved):
        raise ValueError(
            f"Layer count mismatch when loading weights from file {contents.where!r}. Model expected {len(own)} "
            f"layers, found {len(saved)} saved layers.{_both(*shapes)}"
        )
    if top or top_level_weights(model):
        own.append(("top-level model", top_level_weights(model)))
        saved.append(top[0] if top else ("top-level model", []))
    pairs = []
    for k, ((name, weights), (saved_name, arrays)) in enumerate(zip(own, saved, strict=True)):
        title = f"layer #{k} (named {name})"
        if len(weights) != len(arrays):
            raise ValueError(
                f"Weight count mismatch for layer #{k} (named {name} in the current model, {saved_name} in the save "
                f"file). Layer expects {len(weights)} weight(s). Received {len(arrays)} saved weight(s)."
                + _both(*shapes)
            )
        pairs += _fitting(zip(weights, converted(weights, arrays), strict=True), title, skip)
    return pairs


def _by_name(model, contents, skip):
    pairs = []
    saved = {plain_name(name): paths for name, paths in contents.layers}
    for k, layer in enumerate(model.layers):
        if layer.name not in saved:
            continue
        weights, arrays = ordered_weights(layer), [contents.arrays[path] for path in saved[layer.name]]
        if len(weights) != len(arrays):
            message = (
                f"Weight count mismatch for layer #{k} (named {layer.name}). Layer expects {len(weights)} weight(s). "
                f"Received {len(arrays)} saved weight(s)"
            )
            if not skip:
                raise ValueError(message)
            warnings.warn(f"Skipping: {message}", stacklevel=2)
            continue
        arrays = converted(weights, arrays)
        pairs += _fitting(zip(weights, arrays, strict=True), f"layer #{k} (named {layer.name})", skip)
    return pairs


def _by_place(model, contents, skip):
    own = places(model)
    saved = {path: array for path, array in contents.arrays.items() if not _is_state(path)}
    for path in sorted(saved.keys() - own.keys()):  # Keras 2's names of attention's projections
        plain = path.replace("/_", "/")
        if plain in own and plain not in saved:
            saved[plain] = saved.pop(path)
    if saved.keys() != own.keys():
        older = places(model, keras2=True)
        own = older if older.keys() == saved.keys() else own
    return _by_key(own, saved, contents, skip)


def _is_state(path):
    """Whether a path of a store belongs to the optimizer or a metric, not to a layer."""
    return path.startswith(("optimizer/", "_")) or "/seed_generator/" in path or path.startswith("metrics/")


def _by_path(model, contents, skip):
    return _by_key(parts(model), contents.arrays, contents, skip)


def _by_key(own, saved, contents, skip):
    missing, unknown = sorted(own.keys() - saved.keys()), sorted(saved.keys() - own.keys())
    if missing or unknown:
        message = (
            f"The weights of {contents.where!r} are not those of the model."
            f" In the file are missing: {missing[:12] or 'none'}; in the model: {unknown[:12] or 'none'}."
        )
        if not skip:
            rows = (
                [(k, [tuple(w.shape)]) for k, w in own.items()],
                [(k, [a.shape]) for k, a in saved.items()],
            )
            raise ValueError(message + _both(*rows))
        warnings.warn(message, stacklevel=2)
    common = [key for key in own if key in saved]
    found = []
    for key in common:
        found += _fitting([(own[key], saved[key])], key, skip)
    return found
