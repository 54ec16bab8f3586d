"""PyTorch's own op database: each op's samples and error inputs, for minidl and PyTorch alike."""

import functools
import warnings

import pytest
import torch
import torch_databases
from torch_databases import Converter, Unsupported, difference, flat, gradients_differ, look_up, raised

import minidl

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
    ("grid_sampler_2d", "bfloat16"): "PyTorch rounds each step, ours the result",
    ("nn.functional.embedding", "sparse"): "sparse gradients are not supported",
    ("nn.functional.embedding_bag", "sparse"): "sparse gradients are not supported",
    ("special.airy_ai", "values"): "PyTorch's are off by up to 3e-6 near -2, beside SciPy's",
    ("special.bessel_j0", "values"): "PyTorch's are off by up to 9e-7 near 5, beside SciPy's",
    ("special.bessel_j1", "values"): "PyTorch's are off by up to 9e-7 near 5, beside SciPy's",
    ("special.bessel_y0", "values"): "PyTorch's are off by up to 9e-7 near 5, beside SciPy's",
    ("special.bessel_y1", "values"): "PyTorch's are off by up to 9e-7 near 5, beside SciPy's",
    ("matrix_exp", "bfloat16"): "PyTorch's are NaN",
    ("matrix_exp", "float16"): "PyTorch's are NaN",
    ("nn.functional.soft_margin_loss", "float16"): "PyTorch's overflow",
    (
        "nn.functional.interpolate",
        "uint8",
    ): "PyTorch has a second kernel of cubic sums, for four channels at most",
    (
        "nn.functional.linear_cross_entropy",
        "again gradient",
    ): "PyTorch's chunks have no gradient of second order",
    (
        "multinomial",
        "expects Long tensor out",
    ): "the sample's weights are uninitialised, and looked at before out",
    ("polygamma", "values"): "PyTorch's are large numbers at the poles",
    ("special.polygamma", "values"): "PyTorch's are large numbers at the poles",
    ("linalg.norm", "again gradient"): "PyTorch's is NaN at the origin",
    ("addbmm", "output with shape"): "PyTorch grows the tensor that it writes in place",
    ("matrix_exp", "float32"): "PyTorch's lose digits as they square; ours are those of float64",
    ("einsum", "wanted torch.int64"): "PyTorch's integers widen where a label of one operand alone is summed",
    ("nn.functional.grid_sample", "float16"): "PyTorch rounds each step, ours the result",
    ("grid_sampler_3d", "bfloat16"): "PyTorch rounds each step, ours the result",
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
    if sample.output_process_fn_grad is not None and op.name not in RANDOM:
        mine, theirs = sample.output_process_fn_grad(mine), sample.output_process_fn_grad(theirs)
    bad = _values_differ(op, mine, theirs, exact)
    if bad or op.name in RANDOM:
        return bad
    mine, theirs = flat(mine), flat(theirs)
    for a, b in zip(mine, theirs, strict=True):
        if differentiable and isinstance(b, torch.Tensor) and a.requires_grad != b.requires_grad:
            return f"requires_grad {a.requires_grad}, wanted {b.requires_grad}"
    return gradients_differ(mine, theirs, convert.pairs) if differentiable else None


def _values_differ(op, mine, theirs, exact):
    """What differs in two results of an op; of random ones in shape and dtype, of indices where no values are equal."""
    mine, theirs = flat(mine), flat(theirs)
    if len(mine) != len(theirs):
        return f"{len(mine)} results, wanted {len(theirs)}"
    if op.name in RANDOM:
        kinds = [
            (tuple(a.shape), str(a.dtype)[7:], tuple(b.shape), str(b.dtype)[6:])
            for a, b in zip(mine, theirs, strict=True)
            if hasattr(b, "shape")
        ]
        return next((f"{kind}" for kind in kinds if kind[:2] != kind[2:]), None)
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
    return None


def _samples(op, dtype, differentiable, limit):
    try:
        found = list(op.sample_inputs("cpu", dtype, requires_grad=differentiable))
    except Exception:
        return []
    return found[:: max(1, len(found) // limit)]


# How large a share of the samples each dtype takes.
SHARES = {
    **{torch.float64: 1.0, torch.float32: 0.33, torch.int64: 0.33, torch.bool: 0.33, torch.bfloat16: 0.33},
    **dict.fromkeys((torch.float16, torch.int32, torch.uint8, torch.int8), 0.12),
}


def sample_failures(op, limit=40):
    """(sample, what differs) of samples in nine dtypes."""
    for dtype, share in SHARES.items():
        if not op.supports_dtype(dtype, "cpu"):
            continue
        differentiable = dtype == torch.float64 and op.supports_autograd
        for sample in _samples(op, dtype, differentiable, max(1, int(limit * share))):
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


def failures(op, *kinds, limit=40):
    """What differs for an op, known differences left out, among ``kinds`` of failures (default: samples and errors)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for found in kinds or (sample_failures(op, limit), error_failures(op)):
            yield from ((w, bad) for w, bad in found if known(op, f"{w} {bad}") is None)


def taken(op):
    return not op.name.startswith(LEFT_OUT) and op.name not in COMPLEX


def second_failures(op, limit=9):
    """(sample, what differs) of gradients and of theirs in turn, in float64."""
    if not (op.supports_autograd and op.supports_gradgrad) or op.name in RANDOM:
        return
    for sample in _samples(op, torch.float64, True, limit):
        convert = Converter()
        _dropout_off(op, sample)
        try:
            mine, theirs = _results(op, ours(op), op, sample, convert)
            after = sample.output_process_fn_grad or (lambda result: result)
            bad = gradients_differ(flat(after(mine)), flat(after(theirs)), convert.pairs, orders=2)
        except Unsupported:
            continue
        except Exception as error:
            bad = raised(error)
        if bad:
            yield f"second order: {sample.summary()[:300]}", bad


def _results(op, mine, theirs, sample, convert):
    """What both functions give. Raises ``Unsupported`` where PyTorch refuses."""
    args, kwargs = convert((sample.input, *sample.args)), convert(sample.kwargs)
    try:
        wanted = theirs(sample.input, *sample.args, **sample.kwargs)
    except Exception:
        raise Unsupported("PyTorch refuses it") from None
    return mine(*args, **kwargs), wanted


def _forms(op):
    """(name, our function, PyTorch's, whether gradients are compared) of the method, in place, and of ``out=``."""
    method = getattr(op.method_variant, "__name__", None)
    if method is not None and method != "<lambda>":
        yield "method", getattr(minidl.Tensor, method, None), op.method_variant, True
    inplace = getattr(op.inplace_variant, "__name__", None)
    if inplace is not None:
        name = inplace if inplace != "<lambda>" else None
        form = getattr(minidl.Tensor, name) if name else functools.partial(ours(op), inplace=True)
        yield "in place", _on_a_clone(form), _on_a_clone(op.inplace_variant), True
    if op.supports_out and key(op) not in ADAPTED:
        yield "out", _into_out(ours(op), minidl), _into_out(op, torch), False


def _on_a_clone(form):
    return lambda x, *args, **kwargs: form(x.clone(), *args, **kwargs)


def _into_out(function, library):
    """The function with ``out=`` tensors of its result's shapes, whose identity is checked."""

    def called(*args, **kwargs):
        plain = function(*args, **kwargs)
        outs = [library.empty_like(x) for x in flat(plain)]
        given = function(*args, **kwargs, out=tuple(outs) if isinstance(plain, tuple) else outs[0])
        assert all(a is b for a, b in zip(flat(given), outs, strict=True))
        return given

    return called


def form_failures(op, limit=3):
    """(sample, what differs) of the method, of the form in place and of ``out=``, in six dtypes."""
    for form, mine, theirs, differentiable in _forms(op):
        for dtype in (torch.float64, torch.float32, torch.int64, torch.uint8, torch.bool, torch.bfloat16):
            if not op.supports_dtype(dtype, "cpu"):
                continue
            tape = differentiable and dtype == torch.float64 and op.supports_autograd
            for sample in _samples(op, dtype, tape, limit):
                bad = _form_differs(op, mine, theirs, sample, dtype == torch.float64, tape)
                if bad:
                    yield f"{form} {str(dtype)[6:]} {sample.summary()[:300]}", bad


def _form_differs(op, mine, theirs, sample, exact, tape):
    convert = Converter()
    _dropout_off(op, sample)
    try:
        after = sample.output_process_fn_grad if op.name not in RANDOM else None
        results = _results(op, mine, theirs, sample, convert)
        found, wanted = results if after is None else map(after, results)
        bad = _values_differ(op, found, wanted, exact)
        if bad or not tape or op.name in RANDOM:
            return bad
        return gradients_differ(flat(found), flat(wanted), convert.pairs)
    except Unsupported:
        return None
    except Exception as error:
        return raised(error)


@pytest.mark.parametrize("op", torch_databases.marked([(key(op), op) for op in OPS if taken(op)], 0.04))
def test_op_of_the_database(op):
    if ours(op) is None:
        pytest.skip(f"minidl has no {op.name}: {minidl.absent.reason('torch', op.name)}")
    found = list(failures(op, limit=9))
    assert not found, "\n".join(f"{sample}\n    {bad}" for sample, bad in found[:10])


@pytest.mark.parametrize("op", torch_databases.marked([(key(op), op) for op in OPS if taken(op)], 0.01))
def test_forms_and_second_gradients_of_the_database(op):
    if ours(op) is None:
        pytest.skip(f"minidl has no {op.name}: {minidl.absent.reason('torch', op.name)}")
    found = list(failures(op, form_failures(op), second_failures(op)))
    assert not found, "\n".join(f"{sample}\n    {bad}" for sample, bad in found[:10])
