"""What was given for the outputs of a model, a loss, a weight, targets, found for each: by place, by name, nested."""

from minidl.keras.engine.nest import flatten, is_nested


def paths(outputs, at=()):
    """The keys and places that lead to each output, in the order of ``flatten``.

    >>> paths({"x": 0, "y": [0, 0]})
    [('x',), ('y', 0), ('y', 1)]
    """
    return (
        [path for key, part in _parts(outputs) for path in paths(part, (*at, key))]
        if is_nested(outputs)
        else [at]
    )


def spread(given, outputs, names, what):
    """``{place: entry}`` of every output that ``given`` has an entry for, in the order of ``given``.

    ``given`` is one entry for all, a list by place, a dict by key or by the outputs' ``names``, or nested as the
    outputs are. ``ValueError`` where it does not fit.

    >>> spread({"y": ["b", "c"], "x": "a"}, {"x": 0, "y": [0, 0]}, None, "loss")
    {1: 'b', 2: 'c', 0: 'a'}
    """
    return dict(_spread(given, outputs, names, what, 0))


def _spread(given, outputs, names, what, first):
    count = len(flatten(outputs))
    places = range(first, first + count)
    if given is None:
        return []
    if not is_nested(outputs):
        return [(first, _only_one(given, names, what))]
    if isinstance(given, dict) and "class_name" not in given:
        return _by_key(given, outputs, names, what, first)
    if not isinstance(given, (list, tuple)):
        return [(place, given) for place in places]
    parts = list(_parts(outputs))
    if len(given) == len(parts):
        return _in_parts(zip(given, (part for _, part in parts)), what, first)
    if len(given) == count:
        return list(zip(places, given))
    raise ValueError(
        f"For a model with multiple outputs, when providing the `{what}` argument as a list, it should have as many "
        f"entries as the model has outputs. Received: {what}={given} of length {len(given)} whereas the model has "
        f"{count} outputs."
    )


def _in_parts(pairs, what, first):
    found = []
    for given, part in pairs:
        found += _spread(given, part, None, what, first)
        first += len(flatten(part))
    return found


def _by_key(given, outputs, names, what, first):
    keyed, place = {}, first
    for key, part in _parts(outputs) if isinstance(outputs, dict) else ():
        keyed[key] = (place, part)
        place += len(flatten(part))
    if names and not set(given) <= set(keyed):
        leaves = flatten(outputs)
        keyed = {name: (first + i, leaf) for i, (name, leaf) in enumerate(zip(names, leaves))}
    found = []
    for key, entry in given.items():
        if key not in keyed:
            raise ValueError(
                f"In the dict argument `{what}`, key '{key}' does not correspond to any model output. Outputs are: "
                f"{list(keyed) or paths(outputs)}. Received: {what}={given}"
            )
        place, part = keyed[key]
        found += _spread(entry, part, None, what, place)
    return found if isinstance(outputs, dict) else sorted(found, key=lambda pair: pair[0])


def _only_one(given, names, what):
    """The entry of a single output: ``{'out': 'mse'}`` and ``['mse']`` are 'mse'; lists of metrics are one entry."""
    if isinstance(given, dict) and "class_name" not in given:
        if len(given) == 1 or (names and set(names) & set(given)):
            return given.get(names[0], next(iter(given.values()))) if names else next(iter(given.values()))
    elif what == "metrics" or not isinstance(given, (list, tuple)):
        return given
    elif len(given) == 1:
        return _only_one(given[0], None, what)
    raise ValueError(
        f"The argument `{what}` has {len(given)} entries for one output: {what}={given}. Give it one."
    )


def _parts(outputs):
    return (
        ((key, outputs[key]) for key in sorted(outputs)) if isinstance(outputs, dict) else enumerate(outputs)
    )


def leaves_like(outputs, data, names, what):
    """The leaves of ``data``, one an output, None where there is none; None if ``data`` fits in no way."""
    if data is None:
        return [None] * len(flatten(outputs))
    if not is_nested(outputs):
        return [data] if not is_nested(data) else None
    if isinstance(data, dict):
        return _leaves_by_key(outputs, data, names, what)
    if isinstance(data, (list, tuple)) and len(data) == len(outputs):
        found = [leaves_like(part, entry, None, what) for (_, part), entry in zip(_parts(outputs), data)]
        if None not in found:
            return [leaf for leaves in found for leaf in leaves]
    flat = flatten(data)
    return flat if len(flat) == len(flatten(outputs)) else None


def _leaves_by_key(outputs, data, names, what):
    known = list(outputs) if isinstance(outputs, dict) and set(data) <= set(outputs) else list(names or ())
    unknown = [key for key in data if key not in known]
    if unknown:
        raise ValueError(
            f"`{what}` names the outputs {unknown}, but the model's are {known or list(paths(outputs))}."
        )
    if not isinstance(outputs, dict) or not set(data) <= set(outputs):
        return [data.get(name) for name in known]
    found = [leaves_like(part, data.get(key), None, what) for key, part in _parts(outputs)]
    return None if None in found else [leaf for leaves in found for leaf in leaves]
