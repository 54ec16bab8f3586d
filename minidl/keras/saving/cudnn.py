"""Weights of Keras 2's ``CuDNNLSTM`` and ``CuDNNGRU``, which keep them transposed, as those of ``LSTM``, ``GRU``."""

import numpy as np


def converted(weights, arrays):
    """``arrays``, one a weight, with every (kernel, recurrent kernel, bias) of cuDNN as Keras' layers keep them.

    cuDNN's are known by their bias: (2 * gates * units,), of the input and of the state. Kernels are transposed gate by
    gate. An LSTM here has the sum of both biases, (4 * units,), a GRU both, (2, 3 * units).
    """
    arrays = list(arrays)
    for i in range(2, min(len(weights), len(arrays))):
        gates = _gates(tuple(weights[i].shape), [np.shape(array) for array in arrays[i - 2 : i + 1]])
        if gates:
            kernel, recurrent, bias = (np.asarray(array) for array in arrays[i - 2 : i + 1])
            arrays[i - 2] = _by_gate(kernel, gates, lambda part: part.T.reshape(part.shape, order="F"))
            arrays[i - 1] = _by_gate(recurrent, gates, np.transpose)
            arrays[i] = bias.reshape(2, -1).sum(axis=0) if gates == 4 else bias.reshape(2, -1)
    return arrays


def _gates(expected, shapes):
    """4 for an LSTM's arrays of cuDNN, 3 for a GRU's, 0 for others."""
    kernel, recurrent, bias = shapes
    if not len(kernel) == len(recurrent) == 2 or len(bias) != 1 or kernel[1] != recurrent[1]:
        return 0
    gates, rest = divmod(recurrent[1], max(recurrent[0], 1))
    wanted = {4: (recurrent[1],), 3: (2, recurrent[1])}.get(gates)
    return gates if not rest and bias[0] == 2 * recurrent[1] and expected == wanted else 0


def _by_gate(kernel, gates, turn):
    return np.hstack([turn(part) for part in np.hsplit(kernel, gates)])
