"""Bad arguments: minidl raises what PyTorch raises, with most of its opening words."""

import pytest
import torch

import minidl


def _written(lib, index, value):
    x = lib.zeros(3, 4)
    x[index] = value
    return x.tolist()


CALLS = {
    "add of shapes": lambda lib: lib.ones(2, 3) + lib.ones(4),
    "matmul of shapes": lambda lib: lib.ones(2, 3) @ lib.ones(4, 2),
    "matmul of a vector": lambda lib: lib.ones(2, 3) @ lib.ones(2),
    "matmul of 0-d": lambda lib: lib.ones(()) @ lib.ones(2),
    "matmul of dtypes": lambda lib: lib.ones(2, 2) @ lib.ones(2, 2, dtype=lib.float64),
    "mm of ranks": lambda lib: lib.mm(lib.ones(2), lib.ones(2, 2)),
    "bmm of ranks": lambda lib: lib.bmm(lib.ones(2, 2), lib.ones(2, 2)),
    "matmul of batches": lambda lib: lib.ones(2, 3, 2, 2) @ lib.ones(4, 2, 4),
    "matmul of batches inside": lambda lib: lib.ones(2, 3, 2, 2) @ lib.ones(3, 5, 4),
    "matmul of a batch and a matrix": lambda lib: lib.ones(3, 2, 2) @ lib.ones(5, 4),
    "matmul of a batch and a vector": lambda lib: lib.ones(3, 2, 2) @ lib.ones(5),
    "bmm inside": lambda lib: lib.bmm(lib.ones(3, 2, 2), lib.ones(3, 4, 2)),
    "masked_select by integers": lambda lib: lib.masked_select(lib.ones(3), lib.tensor([1, 0, 1])),
    "masked_select of shapes": lambda lib: lib.masked_select(lib.ones(2, 3), lib.ones(2) > 0),
    "broadcast_shapes": lambda lib: lib.broadcast_shapes((2, 31), (8,)),
    "broadcast_tensors": lambda lib: lib.broadcast_tensors(lib.ones(2, 3), lib.ones(2)),
    "linear of shapes": lambda lib: lib.nn.functional.linear(lib.ones(2, 3), lib.ones(4, 5)),
    "sum dim": lambda lib: lib.ones(2, 3).sum(2),
    "sum dim twice": lambda lib: lib.ones(2, 3).sum((0, 0)),
    "softmax dim": lambda lib: lib.softmax(lib.ones(2, 3), -3),
    "mean of integers": lambda lib: lib.arange(3).mean(),
    "max of nothing": lambda lib: lib.zeros(0).max(),
    "argmax of nothing": lambda lib: lib.zeros(0).argmax(),
    "reshape": lambda lib: lib.ones(2, 3).reshape(4, 2),
    "reshape of two -1": lambda lib: lib.ones(2, 3).reshape(-1, -1),
    "reshape of nothing": lambda lib: lib.ones(0, 3).reshape(-1, 0),
    "view of strides": lambda lib: lib.ones(2, 3).t().view(6),
    "permute of too few": lambda lib: lib.ones(2, 3).permute(0),
    "permute twice": lambda lib: lib.ones(2, 3).permute(0, 0),
    "transpose dim": lambda lib: lib.ones(2, 3).transpose(0, 2),
    "t of three": lambda lib: lib.ones(2, 3, 4).t(),
    "expand": lambda lib: lib.ones(2, 3).expand(2, 4),
    "expand to fewer": lambda lib: lib.ones(2, 3).expand(3),
    "unsqueeze dim": lambda lib: lib.ones(2).unsqueeze(3),
    "cat of shapes": lambda lib: lib.cat([lib.ones(2, 3), lib.ones(2, 4)]),
    "cat of ranks": lambda lib: lib.cat([lib.ones(2, 3), lib.ones(2)]),
    "cat of nothing": lambda lib: lib.cat([]),
    "stack of shapes": lambda lib: lib.stack([lib.ones(2), lib.ones(3)]),
    "split sizes": lambda lib: lib.ones(5).split([2, 2]),
    "chunk": lambda lib: lib.ones(5).chunk(0),
    "index": lambda lib: lib.ones(3)[3],
    "index of dim 1": lambda lib: lib.ones(3, 2)[0, -3],
    "too many indices": lambda lib: lib.ones(3)[0, 0],
    "index of 0-d": lambda lib: lib.ones(())[0],
    "float index": lambda lib: lib.ones(3)[lib.tensor([0.5])],
    "index tensor": lambda lib: lib.ones(3)[lib.tensor([5])],
    "mask shape": lambda lib: lib.ones(3)[lib.tensor([True, False])],
    "negative step": lambda lib: lib.ones(3)[::-1],
    "gather index": lambda lib: lib.gather(lib.ones(2, 3), 1, lib.tensor([[3]])),
    "gather dtype": lambda lib: lib.gather(lib.ones(2, 3), 1, lib.tensor([[1.0]])),
    "index_select": lambda lib: lib.index_select(lib.ones(3), 0, lib.tensor([3])),
    "narrow": lambda lib: lib.ones(3).narrow(0, 2, 2),
    "topk": lambda lib: lib.topk(lib.ones(3), 4),
    "item of many": lambda lib: lib.ones(2).item(),
    "bool of many": lambda lib: bool(lib.ones(2)),
    "len of 0-d": lambda lib: len(lib.ones(())),
    "int division by zero": lambda lib: lib.tensor([1]) // lib.tensor([0]),
    "negative integer power": lambda lib: lib.tensor([2]) ** -1,
    "minus bool": lambda lib: -lib.tensor([True]),
    "bool minus bool": lambda lib: lib.tensor([True]) - lib.tensor([True]),
    "bool minus a number": lambda lib: lib.tensor([True]) - 1.0 * lib.tensor([True]) - lib.tensor([True]),
    "powers of two numbers": lambda lib: lib.pow(2, 3),
    "float_power_ of float32": lambda lib: lib.ones(2).float_power_(2),
    "cumsum dim of 0-d": lambda lib: lib.tensor(1.0).cumsum(1),
    "cummax dim of 0-d": lambda lib: lib.cummax(lib.tensor(1.0), 1),
    "linspace of bool": lambda lib: lib.linspace(0, 1, 3, dtype=lib.bool),
    "logspace of bool": lambda lib: lib.logspace(0, 1, 3, dtype=lib.bool),
    "arange of bool": lambda lib: lib.arange(0, 2, dtype=lib.bool),
    "einsum of two ellipses": lambda lib: lib.einsum("ij,i...j...->ij", lib.ones(2, 2), lib.ones(2, 2)),
    "einsum subscript": lambda lib: lib.einsum("a1->a", lib.ones(2, 2)),
    "cat into integers": lambda lib: lib.cat([lib.ones(2)], out=lib.zeros(2, dtype=lib.int64)),
    "topk into another dtype": lambda lib: lib.topk(
        lib.ones(2), 1, out=(lib.zeros(1, dtype=lib.float64), lib.zeros(1, dtype=lib.int64))
    ),
    "float target of another shape": lambda lib: lib.nn.functional.cross_entropy(
        lib.ones(4, 2), lib.ones(5, 2)
    ),
    "bitwise of floats": lambda lib: lib.ones(2) & lib.ones(2),
    "clamp of nothing": lambda lib: lib.clamp(lib.ones(2)),
    "ragged": lambda lib: lib.tensor([[1, 2], [3]]),
    "string": lambda lib: lib.tensor("text"),
    "huge integer": lambda lib: lib.tensor(2**70),
    "negative size": lambda lib: lib.ones(-1),
    "arange step": lambda lib: lib.arange(0, 3, -1),
    "arange zero step": lambda lib: lib.arange(0, 3, 0),
    "full of a list": lambda lib: lib.full((2,), [1, 2]),
    "conv2d channels": lambda lib: lib.nn.functional.conv2d(lib.ones(1, 2, 4, 4), lib.ones(1, 3, 2, 2)),
    "conv2d kernel": lambda lib: lib.nn.functional.conv2d(lib.ones(1, 1, 2, 2), lib.ones(1, 1, 3, 3)),
    "max_pool2d padding": lambda lib: lib.nn.functional.max_pool2d(lib.ones(1, 1, 4, 4), 2, padding=2),
    "max_pool2d too small": lambda lib: lib.nn.functional.max_pool2d(lib.ones(1, 1, 1, 1), 2),
    "embedding index": lambda lib: lib.nn.functional.embedding(lib.tensor([3]), lib.ones(3, 2)),
    "embedding negative": lambda lib: lib.nn.functional.embedding(lib.tensor([-1]), lib.ones(3, 2)),
    "nll target": lambda lib: lib.nn.functional.nll_loss(lib.ones(1, 3), lib.tensor([3])),
    "cross entropy shapes": lambda lib: lib.nn.functional.cross_entropy(lib.ones(2, 3), lib.tensor([1])),
    "dropout p": lambda lib: lib.nn.functional.dropout(lib.ones(2), 1.5),
    "bitwise_not of floats": lambda lib: lib.ones(2).bitwise_not(),
    "inversion of floats": lambda lib: ~lib.ones(2),
    "comparison with text": lambda lib: lib.ones(2) < "a",
    "matmul with a number": lambda lib: lib.ones(2) @ 2,
    "matmul of a number": lambda lib: 2 @ lib.ones(2),
    "split by the function's name": lambda lib: lib.ones(2).split(split_size_or_sections=1),
    "cross entropy of a bool target": lambda lib: lib.nn.functional.binary_cross_entropy(
        lib.ones(2), lib.ones(2) > 0
    ),
    "cross entropy of a wider target": lambda lib: lib.nn.BCELoss()(lib.ones(2), lib.ones(2).double()),
    "logits with a bool target": lambda lib: lib.nn.BCEWithLogitsLoss()(lib.ones(2), lib.ones(2) > 0),
    "logits with an integer target": lambda lib: lib.nn.BCEWithLogitsLoss()(lib.ones(2), lib.ones(2).long()),
    "hstack of numbers": lambda lib: lib.hstack([1.0, 2.0]),
    "promotion of no dtype": lambda lib: lib.promote_types(1, lib.float32),
    "write of another dtype at indices": lambda lib: _written(lib, lib.tensor([0, 1]), lib.ones(4).double()),
    "write of a wider number at indices": lambda lib: _written(lib, [0, 1], lib.tensor(1)),
    "write of another dtype at a mask": lambda lib: _written(lib, lib.ones(3) > 0, lib.ones(4).half()),
    "write of another dtype that wants a gradient": lambda lib: _written(
        lib, (0, lib.tensor([1])), lib.ones(1).double().requires_grad_()
    ),
    "seedless generator": lambda lib: lib.multinomial(lib.zeros(3), 1),
}


def test_writes_that_cast():
    def results(lib):
        mask, wide = lib.tensor([True, False, True]), lib.ones(4).double()
        columns = lib.tensor([True, False, True, True])
        pairs = [
            (slice(0, 2), wide), (lib.tensor(1), wide), (True, wide), (mask, lib.tensor(2.0).double()),
            ((slice(None), columns), lib.tensor(5)), (lib.tensor([0, 1]), 3), (lib.tensor([0, 1]), True),
        ]  # fmt: skip
        return [_written(lib, index, value) for index, value in pairs]

    assert results(minidl) == results(torch)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_class_and_words(call):
    errors = []
    for lib in (torch, minidl):
        with pytest.raises(Exception) as caught:
            call(lib)
        errors.append(caught.value)
    theirs, ours = errors
    assert isinstance(ours, type(theirs)), f"PyTorch: {type(theirs).__name__}: {theirs}\nminidl: {ours!r}"
    words, wanted = (
        str(ours).lower().replace(":", "").split(),
        str(theirs).lower().replace(":", "").split()[:12],
    )
    shared = sum(word in words for word in wanted)
    assert shared >= 0.5 * len(wanted), f"PyTorch: {theirs}\nminidl: {ours}"


# Results of float32, into a wider ``out`` and into an integer one.
WIDER = {
    "zeros": lambda m, x, out: m.zeros(3, dtype=m.float32, out=out()),
    "linspace": lambda m, x, out: m.linspace(0, 1, 3, dtype=m.float32, out=out()),
    "cumsum": lambda m, x, out: m.cumsum(x, 0, dtype=m.float32, out=out()),
    "frexp": lambda m, x, out: m.frexp(x, out=(out(), m.zeros(0, dtype=m.int32))),
    "frexp, its exponent": lambda m, x, out: m.frexp(x, out=(m.zeros(0), out())),
    "max": lambda m, x, out: m.max(x, 0, out=(out(), m.zeros(0, dtype=m.int64))),
    "kthvalue": lambda m, x, out: m.kthvalue(x, 1, out=(m.zeros(0, 3), out())),
    "diag": lambda m, x, out: m.diag(x, out=out()),
    "svd": lambda m, x, out: m.linalg.svd(x, out=(out(), out(), out())),
    "inv": lambda m, x, out: m.linalg.inv(x, out=out()),
    "norm": lambda m, x, out: m.linalg.norm(x, out=out()),
    "histogram": lambda m, x, out: m.histogram(x[0], 3, out=(out(), out())),
    "vecdot": lambda m, x, out: m.linalg.vecdot(x, x, out=out()),
    "gelu": lambda m, x, out: (m._C._nn if m is torch else m.nn.functional).softplus(x, out=out()),
}
INTEGERS = {
    "logsumexp": lambda m, x, out: m.logsumexp(x, 0, out=out()),
    "geqrf": lambda m, x, out: m.geqrf(x, out=(out(), out())),
    "lstsq": lambda m, x, out: m.linalg.lstsq(x, x, out=(out(), out(), out(), out())),
    "pinv": lambda m, x, out: m.linalg.pinv(x, out=out()),
    "cond": lambda m, x, out: m.linalg.cond(x, out=out()),
    "ldexp": lambda m, x, out: m.ldexp(x, m.ones(3), out=out()),
    "diag of a vector": lambda m, x, out: m.diag(x[0], out=out()),
}


@pytest.mark.parametrize(
    ("call", "dtype"),
    [(call, dtype) for dtype, calls in (("float64", WIDER), ("int32", INTEGERS)) for call in calls.values()],
    ids=[*WIDER, *INTEGERS],
)
def test_out_of_another_dtype(call, dtype):
    said = []
    for m in (torch, minidl):
        with pytest.raises(RuntimeError) as caught:
            call(m, 2 * m.eye(3), lambda m=m: m.zeros(0, dtype=getattr(m, dtype)))
        said.append(str(caught.value).split(". Hint")[0])
    assert said[1] == said[0]


@pytest.mark.parametrize("dtype", ["int64", "float64", "bool"])
def test_what_is_made_takes_the_dtype_of_out(dtype):
    calls = {
        "zeros": (3,), "ones": (3,), "full": ((3,), 2.5), "eye": (3,), "linspace": (0, 7, 8), "logspace": (0, 2, 3),
        "arange": (5,),
    }  # fmt: skip
    for name, args in calls.items():
        if dtype == "bool" and name.endswith(("space", "range")):
            continue
        theirs, ours = (
            getattr(m, name)(*args, out=m.zeros(0, dtype=getattr(m, dtype))) for m in (torch, minidl)
        )
        assert ours.dtype is getattr(minidl, dtype) and ours.tolist() == theirs.tolist(), name
    x = [0.6, 0.6, 0.6]
    theirs, ours = (m.cumsum(m.tensor(x), 0, out=m.zeros(3, dtype=m.int64)) for m in (torch, minidl))
    assert ours.tolist() == theirs.tolist()
