"""Creation and casts."""


def astype(xp, input, dtype):
    """Copy in another dtype."""
    return input.astype(dtype)


def asarray(xp, data, dtype):
    """Host data as an array of the device."""
    return xp.asarray(data, dtype=dtype)


def empty(xp, shape, dtype):
    return xp.empty(shape, dtype)


def zeros(xp, shape, dtype):
    return xp.zeros(shape, dtype)


def full(xp, shape, value, dtype):
    if shape == () and value.__class__ is float and dtype.kind == "f":
        return xp.array(value, dtype)  # np.full takes four times as long
    return xp.full(shape, value, dtype)


def arange(xp, start, end, step, dtype):
    return xp.arange(start, end, step, dtype=dtype)


def linspace(xp, start, end, steps, dtype):
    return xp.linspace(start, end, steps, dtype=dtype)


def eye(xp, n, m, dtype):
    return xp.eye(n, m, dtype=dtype)
