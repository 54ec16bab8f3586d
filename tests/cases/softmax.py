"""Softmax, log-softmax, softmin, logsumexp and logaddexp."""

import numpy as np

from .case import Case, dtype, integers, normal, values


def softmax(input, dim, dtype=None):
    powers = np.exp(input - input.max(dim, keepdims=True))
    return powers / powers.sum(dim, keepdims=True)


def log_softmax(input, dim, dtype=None):
    return np.log(softmax(input, dim))


def logsumexp(input, dim, keepdim=False):
    dim = tuple(dim) if isinstance(dim, (tuple, list)) else dim
    return np.log(np.exp(input).sum(dim, keepdims=keepdim))


def softmax_backward(grad_output, output, dim):
    return output * (grad_output - (grad_output * output).sum(dim, keepdims=True))


def log_softmax_backward(grad_output, output, dim):
    return grad_output - np.exp(output) * grad_output.sum(dim, keepdims=True)


def _torch_backward(torch, grad_output, output, dim):
    return torch._softmax_backward_data(grad_output, output, dim, output.dtype)


def _torch_log_backward(torch, grad_output, output, dim):
    return torch._log_softmax_backward_data(grad_output, output, dim, output.dtype)


CASES = [
    Case("softmax", (normal(3, 5), 1), numpy=softmax),
    Case("softmax", (normal(3, 5), 0), numpy=softmax, id="first-dim"),
    Case("softmax", (normal(2, 4, 3), -2), numpy=softmax, id="middle-dim"),
    Case("softmax", (normal(7), 0), numpy=softmax, id="vector"),
    Case("softmax", (values(1.5), 0), numpy=lambda x, dim: np.ones(()), id="scalar"),
    Case("softmax", (normal(2, 0), 1), numpy=lambda x, dim: x, id="empty", grad=False),
    Case("softmax", (values([[1e4, 1e4 - 1, -1e4], [-np.inf, 0, 1]]), 1), numpy=softmax, id="extreme", grad=False),
    Case("softmax", (normal(3, 5), 1), kwargs={"dtype": dtype("float64")}, numpy=softmax, id="dtype", tolerance=4),
    Case("log_softmax", (normal(3, 5), 1), numpy=log_softmax),
    Case("log_softmax", (normal(2, 4, 3), 1), numpy=log_softmax, id="middle-dim"),
    Case("log_softmax", (normal(40, 3), 0), numpy=log_softmax, id="first-dim"),
    Case("softmin", (normal(3, 5), 1), numpy=lambda x, dim: softmax(-x, dim)),
    Case("softmax_backward", (normal(3, 5), normal(3, 5), 1), numpy=softmax_backward, torch=_torch_backward),
    Case(
        "softmax_backward", (normal(2, 4, 3), normal(2, 4, 3), -2), numpy=softmax_backward, torch=_torch_backward,
        id="middle-dim",
    ),
    Case(
        "log_softmax_backward", (normal(3, 5), normal(3, 5), 1), numpy=log_softmax_backward,
        torch=_torch_log_backward,
    ),
    Case("logsumexp", (normal(3, 5), 1), numpy=logsumexp),
    Case("logsumexp", (normal(3, 5), 0), kwargs={"keepdim": True}, numpy=logsumexp, id="keepdim"),
    Case("logsumexp", (normal(3, 5, 2), (0, -1)), numpy=logsumexp, id="two-dims"),
    Case("logsumexp", (values([[-np.inf, -np.inf]]), 1), numpy=lambda x, dim: x[:, 0], id="nothing", grad=False),
    Case("logaddexp", (normal(3, 1), normal(4)), numpy=np.logaddexp),
    Case("logaddexp", (normal(3), integers(-3, 3, 2, 1)), numpy=np.logaddexp, id="mixed"),
    Case(
        "logaddexp",
        (values([1e3, -1e3, np.inf, -np.inf, -np.inf, np.nan]), values([1e3, 1e3, np.inf, 0.0, -np.inf, 1.0])),
        numpy=np.errstate(invalid="ignore")(np.logaddexp), id="extremes", grad=False,
    ),
]  # fmt: skip
