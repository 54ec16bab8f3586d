"""In which order a graph's calls are made, and its layers are listed."""


def graph_of(inputs, outputs):
    """The calls from ``inputs`` to ``outputs``, each after those it needs, and the layers in Keras' order.

    ``ValueError`` where a call leads outside.
    """
    known = {id(symbol) for symbol in inputs}
    ordered, done, met = [], set(), {}
    for output in outputs:
        stack = [(output, False)]
        while stack:
            symbol, ready = stack.pop()
            if id(symbol) not in known and symbol.history is None:
                raise ValueError(
                    f"The tensor {symbol} was made by no layer: it cannot be an output of a model."
                )
            node = symbol.history[0]
            if id(node) in done:
                continue
            if ready:
                done.add(id(node))
                ordered.append(node)
                continue
            met.setdefault(id(node.layer), len(met))
            if id(symbol) in known:
                continue
            if node.is_input:
                raise ValueError(
                    f"`inputs` not connected to `outputs`: the graph needs {symbol}, which is not among `inputs`. "
                    f"Hint: add {symbol.name!r} to the model's inputs."
                )
            stack.append((symbol, True))
            stack.extend((parent, False) for parent in reversed(node.parents))
    return ordered, _layers(inputs, ordered, met)


def _layers(inputs, ordered, met):
    """The layers, that furthest from the outputs first; of several as far, as they are met from the outputs backwards.

    The order of Keras 2 and 3, in which their files list weights. A layer is as far as the furthest of its calls.
    """
    ends = [symbol.history[0] for symbol in inputs]
    layers = {id(node.layer): node.layer for node in [*ends, *ordered]}
    far, of_layer = {}, {}
    for node in [*reversed(ordered), *ends]:
        distance = max(far.get(id(node), 0), of_layer.get(id(node.layer), 0))
        of_layer[id(node.layer)] = distance
        for parent in node.parents:
            above = id(parent.history[0])
            far[above] = max(far.get(above, 0), distance + 1)
    return sorted(layers.values(), key=lambda layer: (-of_layer[id(layer)], met.get(id(layer), -1)))
