"""The node that a tensor prints, ``grad_fn=<...>``, is called what PyTorch calls it."""

import pytest
import torch

import minidl

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
    **{name: lambda m, x, name=name: getattr(m, name)(x, x, x) for name in ("addmm", "addcmul", "addcdiv")},
    **{
        name: lambda m, x, name=name: getattr(m, name)(x)
        for name in ("frac", "deg2rad", "block_diag", "max", "min")
    },
    "addmv": lambda m, x: m.addmv(x[0], x, x[1]),
    "addr": lambda m, x: m.addr(x, x[0], x[1]),
    "baddbmm": lambda m, x: m.baddbmm(x[None], x[None], x[None]),
    "bmm": lambda m, x: m.bmm(x[None], x[None]),
    "matmul of batches": lambda m, x: x[None] @ x[None],
    "cdist": lambda m, x: m.cdist(x, x * 2),
    "cross": lambda m, x: m.cross(x, x * 2, dim=1),
    "var": lambda m, x: x.var(),
    "std over dim": lambda m, x: x.std(0),
    "var_mean": lambda m, x: m.var_mean(x)[1],
    "clamp to tensors": lambda m, x: x.clamp(x.detach() - 1, x.detach() + 1),
    "clamp_min": lambda m, x: x.clamp_min(2),
    "clamp_max of tensors": lambda m, x: x.clamp_max(x.detach()),
    "masked_fill": lambda m, x: x.masked_fill(x > 3, 0),
    "masked_fill of a tensor": lambda m, x: x.masked_fill(x > 3, m.tensor(0.0)),
    "masked_select": lambda m, x: x.masked_select(x > 3),
    "median over dim": lambda m, x: x.median(0).values,
    "aminmax": lambda m, x: m.aminmax(x).max,
    "squeeze": lambda m, x: x[None].squeeze(),
    "squeeze of dim": lambda m, x: x[None].squeeze(0),
    "split": lambda m, x: x.split(2)[1],
    "split of sizes": lambda m, x: x.split([1, 2])[1],
    "chunk": lambda m, x: x.chunk(2, 1)[0],
    "diag_embed": lambda m, x: m.diag_embed(x),
    "interpolate": lambda m, x: m.nn.functional.interpolate(x[None, None], scale_factor=2, mode="bilinear"),
    "interpolate to the nearest": lambda m, x: m.nn.functional.interpolate(x[None], scale_factor=2),
    "reflected": lambda m, x: m.nn.functional.pad(x[None], (1, 1), mode="reflect"),
    "unfold": lambda m, x: m.nn.functional.unfold(x[None, None], 2),
    "max_pool1d": lambda m, x: m.nn.functional.max_pool1d(x, 2),
    "max_pool2d unbatched": lambda m, x: m.nn.functional.max_pool2d(x[None], 2, return_indices=True)[0],
    "conv1d unbatched": lambda m, x: m.nn.functional.conv1d(x, m.ones(1, 3, 2)),
    "conv_transpose2d with a bias": lambda m, x: m.nn.functional.conv_transpose2d(
        x.view(1, 1, 3, 3), m.ones(1, 1, 2, 2), m.ones(1)
    ),
    "expand_copy": lambda m, x: m.expand_copy(x[0], (2, 3)),
    **{
        name: lambda m, x, name=name: getattr(m, name)(x)
        for name in ("sgn", "trace", "nansum", "rot90", "round")
    },
    **{
        name: lambda m, x, name=name: getattr(m, name)(x, x)
        for name in ("rsub", "xlogy", "dist", "kron", "float_power")
    },
    "index_select": lambda m, x: x.index_select(0, m.tensor([0, 2])),
    "index_add": lambda m, x: x.index_add(0, m.tensor([0, 2]), x[:2]),
    "index_fill": lambda m, x: x.index_fill(0, m.tensor([0]), 1.0),
    "index_put": lambda m, x: x.index_put((m.tensor([0]),), m.tensor(1.0)),
    "take": lambda m, x: x.take(m.tensor([0])),
    "topk": lambda m, x: x.topk(1).values,
    "repeat": lambda m, x: x.repeat(2, 1),
    "tile": lambda m, x: x.tile((2, 1)),
    "windows": lambda m, x: x.unfold(0, 2, 1),
    "lerp": lambda m, x: x.lerp(x * 2, 0.5),
    "lerp by a tensor": lambda m, x: x.lerp(x * 2, x),
    "glu": lambda m, x: m.nn.functional.glu(x[:, :2]),
    "prelu": lambda m, x: m.nn.functional.prelu(x, m.ones(1)),
    "pixel_shuffle": lambda m, x: m.nn.functional.pixel_shuffle(x.reshape(9, 1, 1), 3),
    "power of a number": lambda m, x: 2**x,
    "power by a tensor": lambda m, x: m.ones(3) ** x,
    "number over a tensor": lambda m, x: 1 / x,
    "rounded quotient": lambda m, x: x.div(m.ones(3), rounding_mode="floor"),
    "rest by a tensor": lambda m, x: m.fmod(x, x + 1),
    **{name: lambda m, x, name=name: getattr(x, name) for name in ("T", "mT", "H")},
    "transpose": lambda m, x: x.transpose(0, 1),
    "movedim": lambda m, x: x.movedim(0, 1),
    "number less a tensor": lambda m, x: 1 - x,
    "rsub of a number": lambda m, x: m.rsub(x, 2),
    "reshape that copies": lambda m, x: x.t().reshape(-1),
    "flatten that copies": lambda m, x: x.t().flatten(),
    "copy by to": lambda m, x: x.to(x.dtype, copy=True),
    "tensor_split": lambda m, x: x.tensor_split(2)[1],
    "square": lambda m, x: x.square(),
    "float_power of a number": lambda m, x: x.float_power(2),
    "outer by einsum": lambda m, x: m.einsum("i,j->ij", x[0], x[1]),
    "smoothed cross_entropy": lambda m, x: m.nn.functional.cross_entropy(
        x, m.tensor([0, 1, 2]), label_smoothing=0.1
    ),
    "cross_entropy of probabilities": lambda m, x: m.nn.functional.cross_entropy(x, x.detach().softmax(1)),
    "attention": lambda m, x: m.nn.functional.scaled_dot_product_attention(*[x[None, None]] * 3),
    "attention unbatched": lambda m, x: m.nn.functional.scaled_dot_product_attention(x, x, x),
    "adaptive_avg_pool2d to one": lambda m, x: m.nn.functional.adaptive_avg_pool2d(x[None, None], 1),
    "instance_norm": lambda m, x: m.nn.functional.instance_norm(x[None]),
    "solve for a vector": lambda m, x: m.linalg.solve(x + 9 * m.eye(3), x[0]),
    "solve_triangular": lambda m, x: m.linalg.solve_triangular(x + 9 * m.eye(3), x, upper=True),
    "quantile": lambda m, x: x.quantile(0.5),
    "trapezoid": lambda m, x: m.trapezoid(x),
    "cumulative_trapezoid": lambda m, x: m.cumulative_trapezoid(x),
    "multi_dot": lambda m, x: m.linalg.multi_dot([x, x, x]),
    "gru": lambda m, x: m.nn.GRU(3, 2)(x)[0].sum(),
    "lstm cell": lambda m, x: m.nn.LSTMCell(3, 2)(x)[0],
    "gru cell": lambda m, x: m.nn.GRUCell(3, 2)(x),
    "scatter_reduce of numbers": lambda m, x: x[0, 0].scatter_reduce(0, m.tensor(0), x[1, 1], "sum"),
    "index in the middle": lambda m, x: x[None][:, [0, 1], :],
    **{
        name: lambda m, x, name=name: getattr(m.special, name)(x)
        for name in ("i0e", "i1", "i1e", "ndtr", "erfcx", "log_ndtr")
    },
    **{
        f"norm {order}": lambda m, x, order=order: m.linalg.norm(x, order)
        for order in ("nuc", float("inf"), -float("inf"), 1)
    },
    "t of a vector": lambda m, x: x[0].t(),
    "linear of rows of rows": lambda m, x: m.nn.functional.linear(x[None], x, x[0]),
    "linear without a bias": lambda m, x: m.nn.functional.linear(x, x),
    "linear of rows of rows without a bias": lambda m, x: m.nn.functional.linear(x[None], x),
    "linear of a vector": lambda m, x: m.nn.functional.linear(x[0], x, x[0]),
    "batches times a vector": lambda m, x: x[None] @ x[0],
    "vector times a matrix": lambda m, x: x[0] @ x,
    "nll_loss of positions": lambda m, x: m.nn.functional.nll_loss(x[None], m.tensor([[0, 1, 2]])),
    "cross_entropy of positions": lambda m, x: m.nn.functional.cross_entropy(x[None], m.tensor([[0, 1, 2]])),
    **{
        f"{name} {reduction}": lambda m, x, name=name, reduction=reduction: getattr(m.nn.functional, name)(
            x, m.ones(3, 3), reduction=reduction
        )
        for name in ("l1_loss", "kl_div", "smooth_l1_loss")
        for reduction in ("sum", "none")
    },
    "batchmean": lambda m, x: m.nn.functional.kl_div(x, x.detach(), reduction="batchmean"),
    "margin_ranking_loss": lambda m, x: m.nn.functional.margin_ranking_loss(
        x[0], x[1], m.ones(3), reduction="none"
    ),
    **{f"norm {p}": lambda m, x, p=p: x.norm(p, dim=0) for p in (0, 1, float("inf"), -float("inf"))},
    "stable sort": lambda m, x: x.sort(stable=True).values,
    "repeat_interleave": lambda m, x: x.repeat_interleave(2),
    "repeat_interleave by counts": lambda m, x: x.repeat_interleave(m.tensor([1, 2, 1]), dim=0),
    "zero_": lambda m, x: x.clone().zero_(),
    "fill_": lambda m, x: x.clone().fill_(2),
    "scatter of a number": lambda m, x: x.scatter(0, m.tensor([[0]]), 1.0),
    "embedding_bag": lambda m, x: m.nn.functional.embedding_bag(m.tensor([[0, 1]]), x),
    "dropout2d": lambda m, x: m.nn.functional.dropout2d(x[None, None]),
    "pairwise_distance": lambda m, x: m.nn.functional.pairwise_distance(x, x + 1),
    "rms_norm": lambda m, x: m.nn.functional.rms_norm(x, (3,)),
    "upper cholesky": lambda m, x: m.linalg.cholesky(x.detach() @ x.T + 9 * m.eye(3), upper=True),
    "lstsq": lambda m, x: m.linalg.lstsq(x + 9 * m.eye(3), x).solution,
    "linalg.cross": lambda m, x: m.linalg.cross(x, x + 1),
    "a leaf beside a new name": lambda m, x: x.clamp_min(m.zeros(())) + x,
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_nodes_are_named_as_in_pytorch(call):
    ours, theirs = (call(m, m.arange(1.0, 10.0).reshape(3, 3).requires_grad_()) for m in (minidl, torch))
    assert ours.grad_fn.name() == theirs.grad_fn.name()
    assert type(ours.grad_fn).__name__ in (
        theirs.grad_fn.name(),
        "Node",
    )  # where the name depends on the call
    assert f"grad_fn=<{theirs.grad_fn.name()}>" in repr(ours)


def test_graphs_are_walked_as_in_pytorch():
    def names(m):
        class Twice(m.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return 2 * x

            @staticmethod
            def backward(ctx, g):
                return 2 * g

        x = m.ones(2, 2).requires_grad_()
        loss = (1 + 2 * Twice.apply(x.sin()) @ x).exp().relu()
        nodes, seen = [loss.grad_fn], []
        while nodes:
            node = nodes.pop(0)
            seen.append(type(node).__name__)
            nodes += [following for following, _ in node.next_functions if following is not None]
        return seen

    assert names(minidl) == names(torch)
