"""Anomaly mode's watch over backward: the first rule that raises or makes a NaN is named, with the user's line."""

import warnings

import numpy as np

from minidl import backends
from minidl.autograd import modes


def watched(node, g, boxed, run):
    """Runs a node's rules; raises ``RuntimeError`` naming the node where a gradient is NaN, warns with the
    forward call's stack.
    """
    try:
        grads = node.op.pull_boxed(node, g, run) if boxed else node.op.pull(node, g)
    except Exception:
        _tell(node)
        raise
    if modes.is_anomaly_enabled() == "nan":
        for i, value in enumerate(grads):
            array = getattr(value, "_array", value)
            if array is not None and np.isnan(np.asarray(backends.to_numpy(array), np.float64)).any():
                _tell(node)
                raise RuntimeError(
                    f"Function '{node.name()}' returned nan values in its {i}th output.{_where(node)}"
                )
    return grads


def _where(node):
    if not node.trace:
        return ""
    return f" Its forward call: {node.trace.strip().splitlines()[-2].strip()}"


def _tell(node):
    if node.trace:
        text = (
            f"Error detected in {node.name()}. Traceback of forward call that caused the error:\n{node.trace}"
        )
    else:
        text = (
            f"Error detected in {node.name()}. No forward pass information available. Enable detect anomaly during "
            "forward pass for more information."
        )
    warnings.warn(text, stacklevel=4)
