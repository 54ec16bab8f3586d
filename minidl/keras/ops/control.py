"""Loops and choices: minidl runs them in Python, on the tape."""

import minidl
from minidl.keras.engine.nest import flatten, map_structure, pack_like
from minidl.keras.ops.operation import operation, tensor


@operation
def cond(pred, true_fn, false_fn):
    """``true_fn()`` where the condition holds, else ``false_fn()``.

    >>> from minidl.keras import ops
    >>> ops.cond(ops.max([1, 2]) > 1, lambda: "large", lambda: "small")
    'large'
    """
    return true_fn() if bool(pred) else false_fn()


def switch(index, branches, *operands):
    """The result of the branch of that number."""
    return branches[min(max(int(index), 0), len(branches) - 1)](*operands)


def while_loop(cond, body, loop_vars, maximum_iterations=None):
    """``body(*loop_vars)`` gives the next ones, as long as ``cond(*loop_vars)`` holds."""
    structured = isinstance(loop_vars, (list, tuple))
    state, count = tuple(loop_vars) if structured else (loop_vars,), 0
    while bool(cond(*state)) and (maximum_iterations is None or count < maximum_iterations):
        found = body(*state)
        state = tuple(found) if isinstance(found, (list, tuple)) else (found,)
        count += 1
    return type(loop_vars)(state) if structured else state[0]


def fori_loop(lower, upper, body_fun, init_val):
    """``value = body_fun(i, value)`` for i from ``lower`` up to ``upper``."""
    value = init_val
    for i in range(int(lower), int(upper)):
        value = body_fun(i, value)
    return value


def scan(f, init, xs=None, length=None, reverse=False, unroll=1):
    """``carry, y = f(carry, x)`` over the slices of ``xs``: the last carry, and the y's stacked."""
    leaves = [tensor(x) for x in flatten(xs)] if xs is not None else []
    count = length if not leaves else leaves[0].shape[0]
    carry, results = init, []
    for i in reversed(range(count)) if reverse else range(count):
        x = None if not leaves else pack_like(xs, [leaf[i] for leaf in leaves])
        carry, y = f(carry, x)
        results.append(y)
    return carry, _stacked(results[::-1] if reverse else results)


def _stacked(results):
    if not results or results[0] is None:
        return None
    parts = [
        minidl.stack([tensor(leaf) for leaf in leaves])
        for leaves in zip(*(flatten(result) for result in results))
    ]
    return pack_like(results[0], parts)


@operation
def map(f, xs):
    """f of every slice of ``xs`` along the first dimension, stacked."""
    leaves = [tensor(x) for x in flatten(xs)]
    return _stacked([f(pack_like(xs, [leaf[i] for leaf in leaves])) for i in range(leaves[0].shape[0])])


def vectorized_map(function, elements):
    """f of every slice, stacked."""
    return map(function, elements)


def associative_scan(f, elems, reverse=False, axis=0):
    """The results of ``f(a, b)`` over all first entries: 1, 2, 3, ... of them."""
    leaves = [tensor(x).movedim(axis, 0) for x in flatten(elems)]
    leaves = [leaf.flip(0) for leaf in leaves] if reverse else leaves
    state = pack_like(elems, [leaf[0] for leaf in leaves])
    results = [state]
    for i in range(1, leaves[0].shape[0]):
        state = f(state, pack_like(elems, [leaf[i] for leaf in leaves]))
        results.append(state)
    found = _stacked(results)
    return map_structure(lambda leaf: (leaf.flip(0) if reverse else leaf).movedim(0, axis), found)
