"""The node that a tensor prints, ``grad_fn=<...>``, is called what PyTorch calls it."""

import pytest

import minidl

torch = pytest.importorskip("torch")

CALLS = {
    "add": lambda m, x: x + 1,
    "mul": lambda m, x: x * x,
    "div": lambda m, x: x / 2,
    "pow": lambda m, x: x**2,
    "exp": lambda m, x: x.exp(),
    "relu": lambda m, x: m.relu(x),
    "tanh": lambda m, x: m.tanh(x),
    "sum": lambda m, x: x.sum(),
    "sum over dim": lambda m, x: x.sum(0),
    "mean": lambda m, x: x.mean(),
    "mean over dim": lambda m, x: x.mean(1),
    "matmul": lambda m, x: x @ x,
    "matrix-vector": lambda m, x: x @ x[0],
    "dot": lambda m, x: x[0] @ x[1],
    "view": lambda m, x: x.view(9),
    "reshape": lambda m, x: x.reshape(9),
    "t": lambda m, x: x.t(),
    "permute": lambda m, x: x.reshape(3, 3, 1).permute(2, 0, 1),
    "int index": lambda m, x: x[0],
    "slice": lambda m, x: x[:2],
    "None index": lambda m, x: x[:, None],
    "index tensor": lambda m, x: x[m.tensor([0, 1])],
    "unsqueeze": lambda m, x: x.unsqueeze(0),
    "expand": lambda m, x: x.unsqueeze(0).expand(2, 3, 3),
    "cat": lambda m, x: m.cat([x, x]),
    "stack": lambda m, x: m.stack([x, x]),
    "clone": lambda m, x: x.clone(),
    "cast": lambda m, x: x.double(),
    "softmax": lambda m, x: x.softmax(1),
    "log_softmax": lambda m, x: x.log_softmax(1),
    "linear": lambda m, x: m.nn.functional.linear(x, x, x[0]),
    "cross_entropy": lambda m, x: m.nn.functional.cross_entropy(x, m.tensor([0, 1, 2])),
    "mse_loss": lambda m, x: m.nn.functional.mse_loss(x, x * 2),
    "layer_norm": lambda m, x: m.nn.functional.layer_norm(x, (3,)),
    "embedding": lambda m, x: m.nn.functional.embedding(m.tensor([0]), x),
    "clamp": lambda m, x: x.clamp(2, 5),
    "log1p": lambda m, x: x.log1p(),
    "round": lambda m, x: x.round(),
    "round to decimals": lambda m, x: x.round(decimals=1),
    "prod": lambda m, x: x.prod(),
    "prod over dim": lambda m, x: x.prod(0),
    "max over dim": lambda m, x: x.max(0).values,
    "min over dim": lambda m, x: x.min(0).values,
    "kthvalue": lambda m, x: x.kthvalue(1).values,
    "median": lambda m, x: x.median(),
    "norm": lambda m, x: x.norm(),
    "inv": lambda m, x: m.linalg.inv(x + 9 * m.eye(3)),
    "det": lambda m, x: m.linalg.det(x),
    "solve": lambda m, x: m.linalg.solve(x + 9 * m.eye(3), x),
    "svd": lambda m, x: m.linalg.svd(x)[1],
    "eigh": lambda m, x: m.linalg.eigh(x)[0],
    "qr": lambda m, x: m.linalg.qr(x)[0],
    "selu": lambda m, x: m.nn.functional.selu(x),
    "logsigmoid": lambda m, x: m.nn.functional.logsigmoid(x),
    "pad": lambda m, x: m.nn.functional.pad(x, (1, 1)),
    "max_pool2d": lambda m, x: m.nn.functional.max_pool2d(x.view(1, 1, 3, 3), 2),
    "max_pool3d": lambda m, x: m.nn.functional.max_pool3d(x.view(1, 1, 1, 3, 3), 1),
    "avg_pool2d": lambda m, x: m.nn.functional.avg_pool2d(x.view(1, 1, 3, 3), 2),
    "adaptive_avg_pool2d": lambda m, x: m.nn.functional.adaptive_avg_pool2d(x.view(1, 1, 3, 3), 2),
    "conv_transpose2d": lambda m, x: m.nn.functional.conv_transpose2d(x.view(1, 1, 3, 3), m.ones(1, 1, 2, 2)),
    "where": lambda m, x: m.where(x > 0, x, x * 2),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_nodes_are_named_as_in_pytorch(call):
    ours, theirs = (call(m, m.arange(1.0, 10.0).reshape(3, 3).requires_grad_()) for m in (minidl, torch))
    assert ours.grad_fn.name() == theirs.grad_fn.name()
    assert f"grad_fn=<{theirs.grad_fn.name()}>" in repr(ours)
