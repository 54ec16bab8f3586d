"""The optimizer's state to files and back, in the orders of Keras 3 and of both kinds of optimizers of Keras 2."""

import warnings

import numpy as np

_KERAS2_SLOTS = {
    **{"m": "momentum", "v": "velocity", "vhat": "velocity_hat", "u": "norm", "momentum": "momentum"},
    **{"rms": "velocity", "mg": "average_gradient", "accumulator": "accumulator", "linear": "linear"},
    **{"accum_grad": "accumulated_grad", "accum_var": "accumulated_delta_var", "velocity": "velocity"},
    **{"accumulated_grad": "accumulated_grad", "accumulated_delta_var": "accumulated_delta_var"},
    **{
        "r": "r",
        "c": "c",
        "average_gradient": "average_gradient",
        "norm": "norm",
        "velocity_hat": "velocity_hat",
    },
}


def is_newer(optimizer):
    """Whether Keras 2 needs its second kind of optimizers (since 2.11), under a name that Keras 3 does not know."""
    newer = (
        "AdamW",
        "Lion",
        "Adafactor",
        "Ftrl",
        "Nadam",
    )  # of the last two, the first kind computes otherwise
    if type(optimizer).__name__ in newer or hasattr(optimizer, "inner_optimizer"):
        return True
    return bool(optimizer.weight_decay) or bool(optimizer.use_ema)


def optimizer_state(optimizer, keras_version=3):
    """``[(name, array)]`` in Keras 3's order, each name once; or as the optimizer that Keras 2 makes of a file has."""
    if keras_version == 2 and is_newer(optimizer):
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        states = [np.asarray(v.numpy()) for v in _as_keras2(optimizer)[1:]]
        if type(optimizer).__name__ == "SGD" and not optimizer._state:  # there it has momenta, of use or not
            states = [np.zeros(slot.shape, "float32") for slot in optimizer._slots] + states
        named = [(f"{optimizer.name}/{i}:0", state) for i, state in enumerate(states)]
        return [("iteration:0", np.int64(int(optimizer._iterations))), *named]
    if keras_version == 2:
        kinds = [
            (k, i, v) for k, kept in optimizer._state.items() for i, v in enumerate(kept) if v is not None
        ]
        states = [(f"{optimizer.name}/{i}/{kind}:0", np.asarray(v.numpy())) for kind, i, v in kinds]
        return [(f"{optimizer.name}/iter:0", np.int64(int(optimizer._iterations))), *states]
    found = {}
    for variable in optimizer.variables:
        path = base = getattr(variable, "path", variable.name)
        count = 0
        while path in found:
            count += 1
            path = f"{base}_{count}"
        found[path] = np.asarray(variable.numpy())
    return list(found.items())


def restore_optimizer(model, names, arrays):
    """Puts saved state into the optimizer: Keras 3's by order, Keras 2's by the names of its slots.

    A warning, and a fresh optimizer, where neither fits.
    """
    optimizer = model.optimizer
    if not arrays:
        return
    if not optimizer.built:
        optimizer.build(model.trainable_variables)
    own = optimizer.variables
    if any(name.split(":")[0].rpartition("/")[2] in _KERAS2_SLOTS for name in names) and _restore_keras2(
        optimizer, names, arrays
    ):
        return
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    for candidate in (own, _as_keras2(inner)):
        fits = len(candidate) == len(arrays)
        if fits and all(tuple(v.shape) == tuple(np.shape(a)) for v, a in zip(candidate, arrays)):
            for variable, array in zip(candidate, arrays):
                variable.assign(array)
            _restore_product(optimizer)
            return
    if not _restore_keras2(optimizer, names, arrays):
        warnings.warn(
            f"The saved state of the optimizer ({len(arrays)} arrays) is not that of {type(optimizer).__name__} for "
            f"this model ({len(own)} arrays): it starts afresh.",
            stacklevel=3,
        )


def _as_keras2(optimizer):
    """The state in Keras 2's order: without the learning rate; of RMSprop one kind after another."""
    if type(optimizer).__name__ == "RMSprop":
        return [optimizer._iterations, *(v for kept in optimizer._state.values() for v in kept)]
    if type(optimizer).__name__ == "Adafactor":
        means = [pair if tuple(pair[0].shape) else () for pair in optimizer._means]
        velocities = zip(means, optimizer._state["velocity"])
        return [optimizer._iterations, *(v for pair, velocity in velocities for v in (*pair, velocity))]
    left_out = ("learning_rate", "variable")
    return [
        v for v in optimizer.variables if str(getattr(v, "path", v.name)).rpartition("/")[2] not in left_out
    ]


def _factors(optimizer):
    """Adafactor's means by Keras 2's names: of rows and of columns, of weights with both."""
    pairs = [pair for pair in getattr(optimizer, "_means", ()) if tuple(pair[0].shape)]
    return {"r": [row for row, _ in pairs], "c": [column for _, column in pairs]} if pairs else {}


def _restore_product(optimizer):
    """Nadam's product of momenta, which Keras 2 does not save, of the number of steps."""
    product = getattr(optimizer, "_product", None)
    if product is not None and float(product) == 1.0:
        steps = np.arange(1, int(optimizer._iterations) + 1)
        product.assign(float(np.prod(optimizer.beta_1 * (1.0 - 0.5 * 0.96**steps))))


def _restore_keras2(optimizer, names, arrays):
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    slots, iteration = {}, None
    for name, array in zip(names, arrays):
        pieces = name.split(":")[0].split("/")
        if pieces[-1] in ("iter", "iteration", "iterations") and np.ndim(array) == 0:
            iteration = array
        elif pieces[-1] == "learning_rate":
            optimizer.learning_rate = float(array)
        elif len(pieces) > 2 and pieces[1] in _KERAS2_SLOTS:  # Adam/m/dense/kernel: since 2.11
            slots.setdefault(pieces[1], []).append(array)
        elif len(pieces) > 2 and pieces[0] in _KERAS2_SLOTS:  # m/dense/kernel: inside a loss scale
            slots.setdefault(pieces[0], []).append(array)
        elif pieces[-1] in _KERAS2_SLOTS:  # Adam/dense/kernel/m
            slots.setdefault(pieces[-1], []).append(array)
    own = {**optimizer._state, **_factors(optimizer)}
    pairs = []
    for slot, values in (
        slots.items() if own else ()
    ):  # SGD without momentum has slots in Keras 2, and none here
        kept = own.get(_KERAS2_SLOTS[slot]) or own.get({"v": "norm"}.get(slot, slot))
        fits = kept is not None and len(kept) == len(values)
        if not fits or any(tuple(k.shape) != tuple(np.shape(v)) for k, v in zip(kept, values)):
            return False
        pairs += zip(kept, values)
    if (
        iteration is None and not own and np.asarray(arrays[0]).dtype.kind in "iu"
    ):  # a .keras numbers the states
        iteration = arrays[0]
    if iteration is None or (own and not pairs):
        return False
    optimizer._iterations.assign(int(iteration))
    for variable, value in pairs:
        variable.assign(value)
    _restore_product(optimizer)
    return True
