"""``assert_close``: comparisons that NaN cannot pass."""

from collections.abc import Mapping, Sequence

import numpy as np

from minidl import dtypes
from minidl.autograd.tensor import Tensor
from minidl.backends import to_numpy

# rtol, atol by dtype: PyTorch's defaults (https://docs.pytorch.org/docs/stable/testing.html)
_DEFAULTS = {
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
}


def assert_close(
    actual,
    expected,
    *,
    allow_subclasses=True,
    rtol=None,
    atol=None,
    equal_nan=False,
    check_device=True,
    check_dtype=True,
    check_layout=True,
    check_stride=False,
    msg=None,
):
    """Asserts that every element agrees: ``|actual - expected| <= atol + rtol * |expected|``.

    Takes tensors, NumPy arrays, Python numbers, and sequences and mappings of them. The comparison is written so
    that a NaN fails it (unless both are NaN and ``equal_nan``), and infinities agree only with themselves.

    Args:
        rtol, atol: tolerances, given together; by default those of the wider of the two dtypes' errors:
            float16 1e-3, bfloat16 1.6e-2, float32 1.3e-6, float64 1e-7 (rtol) and 1e-5, 1e-5, 1e-5, 1e-7 (atol);
            0 for integers and booleans.
        check_dtype, check_device: whether dtypes and devices have to be the same.
        check_stride: whether strides have to be the same.
        allow_subclasses, check_layout: accepted as PyTorch's are; every tensor is dense here, and with
            ``allow_subclasses=False`` both sides must be of one type.
        msg: replaces the message; a function gets the message and returns the new one.

    Raises:
        AssertionError: names the worst element, both values, shapes and dtypes.
        ValueError: if only one of ``rtol`` and ``atol`` is given.
        TypeError: for something that is no number, tensor, None or container of them.

    >>> import minidl
    >>> assert_close(minidl.tensor([1.0, 2.0]), minidl.tensor([1.0, 2.0000001]))
    >>> assert_close(minidl.tensor([1.0, float("nan")]), minidl.tensor([1.0, 2.0]))
    Traceback (most recent call last):
    AssertionError: Tensor-likes are not close!
    ...
    """
    if (rtol is None) != (atol is None):
        raise ValueError(
            f"rtol and atol must both be specified or both be unspecified, but got rtol={rtol} and atol={atol}."
        )
    options = {
        "rtol": rtol,
        "atol": atol,
        "equal_nan": equal_nan,
        "check_device": check_device,
        "check_dtype": check_dtype,
        "check_stride": check_stride,
        "allow_subclasses": allow_subclasses,
    }
    problem = _difference(actual, expected, "", options)
    if problem is not None:
        message = msg(problem) if callable(msg) else problem if msg is None else msg
        raise AssertionError(message)


def _difference(actual, expected, where, options):
    """None where both agree, otherwise the message that says how they differ."""
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        missing, additional = set(expected) - set(actual), set(actual) - set(expected)
        if missing or additional:
            return _located(
                "The keys of the mappings do not match:\n"
                f"Missing keys in the actual mapping: {sorted(missing, key=str)}\n"
                f"Additional keys in the actual mapping: {sorted(additional, key=str)}",
                where,
            )
        return _walk([(actual[key], expected[key], f"{where}[{key!r}]") for key in actual], options)
    if _is_sequence(actual) and _is_sequence(expected):
        if len(actual) != len(expected):
            return _located(f"The length of the sequences mismatch: {len(actual)} != {len(expected)}", where)
        pairs = enumerate(zip(actual, expected, strict=True))
        return _walk([(a, e, f"{where}[{i}]") for i, (a, e) in pairs], options)
    if actual is None or expected is None:
        problem = None if actual is expected else f"None mismatch: {actual} is not {expected}"
        return None if problem is None else _located(problem, where)
    if not options["allow_subclasses"] and type(actual) is not type(expected):
        return _located(f"The types do not match: {type(actual)} != {type(expected)}.", where)
    problem = _attribute_difference(actual, expected, options)
    if problem is None:
        scalars = not isinstance(actual, (Tensor, np.ndarray))
        problem = _value_difference(_host(actual), _host(expected), scalars, options)
    return None if problem is None else _located(problem, where)


def _is_sequence(value):
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _walk(triples, options):
    for actual, expected, where in triples:
        problem = _difference(actual, expected, where, options)
        if problem is not None:
            return problem
    return None


def _located(problem, where):
    return f"{problem}\n\nThe failure occurred for item {where}" if where else problem


def _host(value):
    """The array on the host. Raises ``TypeError`` for what is neither a tensor, nor an array, nor a number."""
    if isinstance(value, Tensor):
        return to_numpy(value._array)
    if isinstance(value, (np.ndarray, np.generic, bool, int, float)):
        return np.asarray(value)
    raise TypeError(
        f"assert_close compares tensors, NumPy arrays, Python numbers and containers of them, but got {type(value)}."
    )


def _attribute_difference(actual, expected, options):
    a, e = _host(actual), _host(expected)
    if a.shape != e.shape:
        return f"The values for attribute 'shape' do not match: {a.shape} != {e.shape}."
    both = isinstance(actual, Tensor) and isinstance(expected, Tensor)
    if options["check_device"] and both and actual.device != expected.device:
        return f"The values for attribute 'device' do not match: {actual.device} != {expected.device}."
    if options["check_dtype"] and a.dtype != e.dtype:
        return f"The values for attribute 'dtype' do not match: {dtypes.of(a.dtype)} != {dtypes.of(e.dtype)}."
    if options["check_stride"] and a.strides != e.strides:
        return f"The values for attribute 'strides' (in bytes) do not match: {a.strides} != {e.strides}."
    return None


def _tolerances(actual, expected, options):
    if options["rtol"] is not None:
        return options["rtol"], options["atol"]
    pairs = [_DEFAULTS.get(array.dtype.name, (0.0, 0.0)) for array in (actual, expected)]
    return max(rtol for rtol, _ in pairs), max(atol for _, atol in pairs)


def _value_difference(actual, expected, scalars, options):
    rtol, atol = _tolerances(actual, expected, options)
    close = np.asarray(actual == expected)  # the only test that is exact for 64-bit integers
    a, e = actual.astype(np.float64), expected.astype(np.float64)
    with np.errstate(all="ignore"):
        absolute = np.abs(a - e)
        if actual.dtype.kind in "iu" and expected.dtype.kind in "iu":
            absolute = np.abs(actual.astype(object) - expected.astype(object)).astype(np.float64)
        relative = absolute / np.abs(e)
        if rtol or atol:
            close = close | (np.isfinite(e) & (absolute <= atol + rtol * np.abs(e)))
    if options["equal_nan"]:
        close = close | (np.isnan(a) & np.isnan(e))
    if close.all():
        return None
    return _report(actual, expected, close, (absolute, atol), (relative, rtol), scalars)


def _report(actual, expected, close, absolute, relative, scalars):
    kind = "Scalars" if scalars else "Tensor-likes"
    exact = absolute[1] == 0 and relative[1] == 0
    lines = [f"{kind} are not {'equal' if exact else 'close'}!", ""]
    if not scalars:
        wrong = int((~close).sum())
        lines.append(f"Mismatched elements: {wrong} / {close.size} ({wrong / close.size:.1%})")
    for name, (error, allowed) in (("absolute", absolute), ("relative", relative)):
        # A NaN is the greatest error of all, and an element that passes is no error.
        ranked = np.where(close, -1.0, np.where(np.isnan(error), np.inf, error))
        index = tuple(int(i) for i in np.unravel_index(int(ranked.argmax()), close.shape))
        limit = "" if exact else f" (up to {allowed:g} allowed)"
        place = "" if scalars else f" at index {index}"
        lines.append(f"Greatest {name} difference: {float(error[index])}{place}{limit}")
        lines.append(f"  there: expected {expected[index]} but got {actual[index]}")
    if not scalars:
        lines.append(f"Shape {tuple(close.shape)}, dtype {actual.dtype} against {expected.dtype}")
    return "\n".join(lines)
