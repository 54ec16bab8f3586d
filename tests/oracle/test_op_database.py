"""PyTorch's own op database: each op's samples and error inputs, for minidl and PyTorch alike."""

import functools
import warnings

import pytest

import minidl

torch = pytest.importorskip("torch")
torch_databases = pytest.importorskip("torch_databases")
from torch_databases import Converter, Unsupported, difference, flat, gradients_differ, look_up, raised  # noqa: E402

OPS = torch_databases.database("common_methods_invocations", "op_db")
F = minidl.nn.functional


def _names(text):
    return frozenset(text.split())


# Families that are no part of minidl.
LEFT_OUT = ("fft.", "_ref", "sparse.", "torch.ops", "masked.", "signal.", "ops.aten", "stft", "istft")
COMPLEX = {
    "angle",
    "cdouble",
    "cfloat",
    "chalf",
    "complex",
    "polar",
    "imag",
    "view_as_complex",
    "view_as_real",
    "linalg.eig",
    "linalg.eigvals",
}

# Random results: shapes and dtypes only.
RANDOM = _names("""
    bernoulli multinomial normal rand_like randn_like randint_like randint randn rand empty empty_like empty_strided
    empty_permuted new_empty new_empty_strided cauchy exponential geometric log_normal uniform nn.functional.dropout
    nn.functional.dropout2d nn.functional.dropout3d nn.functional.alpha_dropout nn.functional.feature_alpha_dropout
    nn.functional.rrelu nn.functional.gumbel_softmax poisson randperm nn.functional.fractional_max_pool2d
    nn.functional.fractional_max_pool3d
""")

# Indices among equal values are the library's choice, where the values are not all different: compare the values.
TIES = _names("kthvalue topk mode sort argsort msort median nanmedian aminmax min max cummax cummin")

# The lambdas of the database that call PyTorch itself.
ADAPTED = {
    "einsum": lambda operands, equation: minidl.einsum(equation, *operands),
    "polygamma": lambda x, n, **k: minidl.polygamma(n, x, **k),
    "special.polygamma": lambda x, n, **k: minidl.special.polygamma(n, x, **k),
    "svd_lowrank": lambda a, b, **k: minidl.svd_lowrank(a @ b.mT, **k),
    "pca_lowrank": lambda a, b, **k: minidl.pca_lowrank(a @ b.mT, **k),
    "where": lambda x, condition, other: minidl.where(condition, x, other),
    "nn.functional.embedding": lambda weight, indices, **k: F.embedding(indices, weight, **k),
    "nn.functional.embedding_bag": lambda weight, indices, **k: F.embedding_bag(indices, weight, **k),
    "_segment_reduce": minidl.segment_reduce,
    "zero_": lambda x: x.clone().zero_(),
    "linalg.pinv.singular": lambda a, b: minidl.linalg.pinv(a @ b.mT),
    "linalg.lstsq.grad_oriented": lambda a, b, driver=None: minidl.linalg.lstsq(a, b, driver=driver)[:2],
    "normal.in_place": lambda x, *a, **k: x.clone().normal_(*a, **k),
    "nn.functional.scaled_dot_product_attention": F.scaled_dot_product_attention,
    **{n: functools.partial(lambda n, x: getattr(x, n), n) for n in ("T", "H", "mT", "mH")},
    **{n: functools.partial(lambda n, x, *a, **k: getattr(x.clone(), n + "_")(*a, **k), n)
       for n in ("cauchy", "exponential", "geometric", "log_normal", "uniform")},
    **{n: getattr(minidl.Tensor, n) for n in (
        "bfloat16", "bool", "double", "float", "half", "int", "long", "short", "char", "byte")},
}  # fmt: skip

# What differs, and why: (op, a part of what the failure says) -> reason.
KNOWN = {
    ("as_strided_scatter", "gradient"): "PyTorch's is 0 where the input is kept, ours where it is replaced",
    ("nn.functional.ctc_loss", "gradient"): "PyTorch's is that of log_softmax and the loss together",
    ("nn.functional.multi_head_attention_forward", "bfloat16"): "PyTorch rounds each step, ours the result",
    ("nn.functional.grid_sample", "bfloat16"): "PyTorch rounds each step, ours the result",
    ("nn.functional.embedding", "sparse"): "sparse gradients are not supported",
    ("nn.functional.embedding_bag", "sparse"): "sparse gradients are not supported",
    ("special.airy_ai", "values"): "PyTorch's are off by up to 3e-6 near -2, beside SciPy's",
    ("special.bessel_j0", "values"): "PyTorch's are off by up to 9e-7 near 5, beside SciPy's",
    ("special.bessel_j1", "values"): "PyTorch's are off by up to 9e-7 near 5, beside SciPy's",
    ("special.bessel_y0", "values"): "PyTorch's are off by up to 9e-7 near 5, beside SciPy's",
    ("special.bessel_y1", "values"): "PyTorch's are off by up to 9e-7 near 5, beside SciPy's",
    ("matrix_exp", "bfloat16"): "PyTorch's are NaN",
    ("matrix_exp", "float32"): "PyTorch's lose digits as they square; ours are those of float64",
    ("svd_lowrank", "'M'"): "random where the rank is not low",
    ("pca_lowrank", "'M'"): "random where the rank is not low",
}


def key(op):
    return f"{op.name}.{op.variant_test_name}" if op.variant_test_name else op.name


def ours(op):
    return ADAPTED.get(key(op)) or ADAPTED.get(op.name) or look_up(op.name)


def _dropout_off(op, sample):
    """Attention without dropout, whose masks are each library's own."""
    if op.name.endswith("scaled_dot_product_attention"):
        sample.kwargs["dropout_p"] = 0.0
    if op.name.endswith("multi_head_attention_forward"):
        sample.args = (*sample.args[:9], 0.0, *sample.args[10:])


def sample_differs(op, sample, exact, differentiable):
    """What differs for a sample, or None."""
    convert = Converter()
    _dropout_off(op, sample)
    args, kwargs = convert((sample.input, *sample.args)), convert(sample.kwargs)
    try:
        theirs = op(sample.input, *sample.args, **sample.kwargs)
    except Exception:
        raise Unsupported("PyTorch refuses it") from None
    mine = ours(op)(*args, **kwargs)
    if op.name in RANDOM:
        pairs = zip(flat(mine), flat(theirs), strict=True)
        kinds = [
            (tuple(a.shape), str(a.dtype)[7:], tuple(b.shape), str(b.dtype)[6:])
            for a, b in pairs
            if hasattr(b, "shape")
        ]
        return next((f"{kind}" for kind in kinds if kind[:2] != kind[2:]), None)
    if sample.output_process_fn_grad is not None:
        mine, theirs = sample.output_process_fn_grad(mine), sample.output_process_fn_grad(theirs)
    mine, theirs = flat(mine), flat(theirs)
    if len(mine) != len(theirs):
        return f"{len(mine)} results, wanted {len(theirs)}"
    for a, b in zip(mine, theirs, strict=True):
        tie = (
            op.name in TIES
            and not exact
            and b.dtype == torch.int64
            and (len(theirs) > 1 or op.name == "argsort")
        )
        if tie and b is not theirs[0]:
            continue
        if tie and op.name == "argsort":
            continue
        bad = difference(a, b)
        if bad:
            return bad
        if differentiable and isinstance(b, torch.Tensor) and a.requires_grad != b.requires_grad:
            return f"requires_grad {a.requires_grad}, wanted {b.requires_grad}"
    return gradients_differ(mine, theirs, convert.pairs) if differentiable else None


def _samples(op, dtype, differentiable, limit):
    try:
        found = list(op.sample_inputs("cpu", dtype, requires_grad=differentiable))
    except Exception:
        return []
    return found[:: max(1, len(found) // limit)]


def sample_failures(op, limit=40):
    """(sample, what differs) of samples in five dtypes."""
    for dtype in (torch.float64, torch.float32, torch.int64, torch.bool, torch.bfloat16):
        if not op.supports_dtype(dtype, "cpu"):
            continue
        differentiable = dtype == torch.float64 and op.supports_autograd
        for sample in _samples(op, dtype, differentiable, limit if dtype == torch.float64 else limit // 3):
            try:
                bad = sample_differs(op, sample, dtype == torch.float64, differentiable)
            except Unsupported:
                continue
            except Exception as error:
                bad = raised(error)
            if bad:
                yield f"{str(dtype)[6:]} {sample.summary()[:300]}", bad


def error_failures(op):
    """(error input, what differs) of the inputs that PyTorch refuses."""
    if op.error_inputs_func is None:
        return
    for entry in op.error_inputs("cpu"):
        sample, convert = entry.sample_input, Converter()
        try:
            args, kwargs = convert((sample.input, *sample.args)), convert(sample.kwargs)
        except Unsupported:
            continue
        if not _refused(op, sample):
            continue
        call = functools.partial(ours(op), *args, **kwargs)
        bad = torch_databases.refusal_differs(call, entry.error_type, entry.error_regex)
        if bad:
            yield f"error {sample.summary()[:200]}", bad


def _refused(op, sample):
    """Whether PyTorch itself refuses: some entries of the database are there for other libraries."""
    try:
        op(sample.input, *sample.args, **sample.kwargs)
    except Exception:
        return True
    return False


def known(op, what):
    """Why a difference is as it should be, or None."""
    return next(
        (why for (name, part), why in KNOWN.items() if name in (op.name, key(op)) and part in what), None
    )


def failures(op, limit=40):
    """What differs for an op, known differences left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for found in (sample_failures(op, limit), error_failures(op)):
            yield from ((w, bad) for w, bad in found if known(op, f"{w} {bad}") is None)


def taken(op):
    return not op.name.startswith(LEFT_OUT) and op.name not in COMPLEX


@pytest.mark.parametrize("op", torch_databases.marked([(key(op), op) for op in OPS if taken(op)], 0.04))
def test_op_of_the_database(op):
    if ours(op) is None:
        pytest.skip(f"minidl has no {op.name}: {minidl.absent.reason('torch', op.name)}")
    found = list(failures(op, limit=9))
    assert not found, "\n".join(f"{sample}\n    {bad}" for sample, bad in found[:10])
