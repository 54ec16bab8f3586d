"""Which forms beside the plain one PyTorch gives a function: in place, and writing into ``out=``.

The decorators ``op`` and ``function`` look a name up here, so no op says it by itself.
"""

import functools
import inspect
import linecache
import warnings

from minidl import backends
from minidl.autograd import autocast, modes, node
from minidl.autograd.boxing import not_a_tensor
from minidl.autograd.inplace import bump
from minidl.autograd.out import AS_OUT, check_cast, check_out, warns_of_resizing
from minidl.autograd.tensor import TENSORS


def _names(text):
    return frozenset(text.split())


# Functions with a Tensor method ``name_`` that writes the result into its tensor.
INPLACE = _names("""
    abs absolute acos acosh add addbmm addcdiv addcmul addmm addmv addr arccos arccosh arcsin arcsinh arctan arctan2
    arctanh asin asinh atan atan2 atanh baddbmm bitwise_and bitwise_left_shift bitwise_not bitwise_or
    bitwise_right_shift bitwise_xor ceil clamp_max clamp_min conj_physical copysign cos cosh cumprod cumsum deg2rad
    digamma div divide eq erf erfc erfinv exp exp2 expm1 fix float_power floor floor_divide fmod frac gcd ge greater
    greater_equal gt heaviside hypot i0 igamma igammac index_add index_copy index_fill index_reduce lcm ldexp le
    lerp less less_equal lgamma log log10 log1p log2 logical_and logical_not logical_or logical_xor logit lt mul
    multiply mvlgamma nan_to_num ne neg negative nextafter not_equal polygamma pow rad2deg reciprocal relu remainder
    renorm round rsqrt scatter scatter_add scatter_reduce sgn sigmoid sign sin sinc sinh sqrt square sub subtract
    tan tanh tril triu true_divide trunc xlogy
""")

# The in-place forms that stand beside the functions, as ``torch.exp_``.
TOP_INPLACE = _names("""
    abs_ acos_ acosh_ addmv_ alpha_dropout_ arccos_ arccosh_ arcsin_ arcsinh_ arctan_ arctanh_ as_strided_ asin_
    asinh_ atan_ atanh_ ceil_ celu_ clamp_ clamp_max_ clamp_min_ clip_ conj_physical_ cos_ cosh_ deg2rad_ detach_
    dropout_ erf_ erfc_ exp2_ exp_ expm1_ feature_alpha_dropout_ fill_ fix_ floor_ frac_ gcd_ i0_ index_put_ lcm_
    ldexp_ log10_ log1p_ log2_ log_ logit_ nan_to_num_ neg_ negative_ rad2deg_ reciprocal_ relu_ resize_as_ round_
    rrelu_ rsqrt_ selu_ sigmoid_ sin_ sinc_ sinh_ sqrt_ square_ tan_ tanh_ threshold_ trunc_ xlogy_ zero_
""")

# Those of nn.functional alone, as ``torch.nn.functional.elu_``.
FUNCTIONAL_INPLACE = _names("elu_ hardtanh_ leaky_relu_")

# Functions that take ``out=``.
OUT = _names("""
    abs absolute acos acosh add addbmm addcdiv addcmul addmm addmv addr airy_ai alias_copy all amax amin aminmax
    angle any arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin argsort as_strided_copy asin
    asinh atan atan2 atanh avg_pool2d avg_pool3d baddbmm bernoulli bessel_j0 bessel_j1 bessel_y0 bessel_y1
    bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor bmm bucketize cat ceil
    chebyshev_polynomial_t chebyshev_polynomial_u chebyshev_polynomial_v chebyshev_polynomial_w cholesky
    cholesky_ex cholesky_inverse cholesky_solve clamp clamp_max clamp_min clip column_stack concat concatenate
    cond conj_physical copysign cos cosh cross cummax cummin cumprod cumsum deg2rad det diag diagonal_copy diff
    digamma div divide dot dstack eigh eigvalsh empty entr eq erf erfc erfcx erfinv exp exp2 expand_copy expm1
    eye fix float_power floor floor_divide fmax fmin fmod frac frexp frobenius_norm full gather gcd ge gelu
    geqrf ger greater greater_equal gt hardshrink heaviside hermite_polynomial_h hermite_polynomial_he histc
    histogram householder_product hstack hypot i0 i0e i1 i1e igamma igammac index_add index_copy index_reduce
    index_select inner inv inv_ex inverse isin isneginf isposinf kron kthvalue laguerre_polynomial_l lcm ldexp
    ldl_factor ldl_factor_ex ldl_solve le legendre_polynomial_p lerp less less_equal lgamma linear linspace log
    log10 log1p log2 log_ndtr log_softmax logaddexp logaddexp2 logcumsumexp logical_and logical_not logical_or
    logical_xor logit logsigmoid logspace logsumexp lstsq lt lu lu_factor lu_factor_ex lu_solve lu_unpack
    masked_select matmul matrix_norm matrix_power matrix_rank max maximum mean median min minimum mm mode
    modified_bessel_i0 modified_bessel_i1 modified_bessel_k0 modified_bessel_k1 msort mul multi_dot multinomial
    multiply mv mvlgamma nan_to_num nanmean nanmedian nanquantile nansum narrow_copy native_batch_norm ndtr
    ndtri ne neg negative nextafter nonzero nonzero_static norm normal not_equal nuclear_norm ones ormqr outer
    permute_copy pinv polygamma pow prod qr quantile rad2deg rand randint randn randperm range reciprocal
    remainder renorm round row_stack rsqrt scaled_modified_bessel_k0 scaled_modified_bessel_k1 scatter
    scatter_add scatter_reduce searchsorted sgn shifted_chebyshev_polynomial_t shifted_chebyshev_polynomial_u
    shifted_chebyshev_polynomial_v shifted_chebyshev_polynomial_w sigmoid sign signbit sin sinc sinh
    slice_scatter slogdet softmax softplus softshrink solve solve_ex solve_triangular sort spherical_bessel_j0
    sqrt square squeeze_copy stack std sub subtract sum svd svdvals t_copy take take_along_dim tan tanh
    tensordot tensorinv tensorsolve threshold topk transpose_copy triangular_solve tril triu true_divide trunc
    unfold_copy unsqueeze_copy var vdot vecdot vector_norm view_copy vstack where xlog1py xlogy zeros zeta
""")


# The names of NumPy that PyTorch takes for parameters too, as keywords.
NUMPY_NAMES = {"dim": "axis", "keepdim": "keepdims"}
ABSENT = object()


def with_numpy_names(parameters):
    """Parameters that may be given by NumPy's names too, and the lines of source that settle what was given."""
    starred = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    names = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY or not starred}
    other_names = {n: o for n, o in NUMPY_NAMES.items() if n in names and o not in names}
    lines = [
        line
        for name, other in other_names.items()
        for line in (
            f"if {other} is not ABSENT:",
            f"    {name} = one_name(name, {name!r}, {name}, {other}, defaults[{name!r}])",
        )
    ]
    declared, open_from_here = [], False
    for p in parameters:
        open_from_here = open_from_here or (p.name in other_names and p.default is p.empty)
        if open_from_here and p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD:
            p = p.replace(default=ABSENT)
            lines += [f"if {p.name} is ABSENT:", f"    raise missing(name, {p.name!r})"]
        declared.append(p)
    added = [
        inspect.Parameter(o, inspect.Parameter.KEYWORD_ONLY, default=ABSENT) for o in other_names.values()
    ]
    rest = [p for p in declared if p.kind is p.VAR_KEYWORD]
    return [*(p for p in declared if p not in rest), *added, *rest], lines


def one_name(function, name, value, other, default):
    """What came by NumPy's name. Raises ``TypeError`` where PyTorch's name was given a value as well."""
    if value is not default:
        raise TypeError(f"{function}() got multiple values for argument '{name}', as {NUMPY_NAMES[name]} too")
    return other


def missing(function, name):
    """PyTorch's error for an argument that must be given."""
    return TypeError(f'{function}() missing 1 required positional arguments: "{name}"')


def write_out(out, result, name, inputs=(), part=None):
    """Writes ``result`` (a Tensor or a tuple of them), computed from ``inputs``, into ``out``, and gives ``out``."""
    if isinstance(out, (tuple, list)) and isinstance(result, tuple):
        if len(out) != len(result):
            raise TypeError(f"{name}(): argument 'out' must hold {len(result)} tensors, but holds {len(out)}")
        written = [write_out(o, r, name, inputs, i) for i, (o, r) in enumerate(zip(out, result, strict=True))]
        return type(result)(*written) if hasattr(result, "_fields") else tuple(written)
    if out.__class__ not in TENSORS:
        raise TypeError(f"{name}(): argument 'out' must be Tensor, not {out.__class__.__name__}")
    if modes.is_grad_enabled() and (result.requires_grad or out.requires_grad):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad. Hint: call it under minidl.no_grad(), or without out=."
        )
    array, value = out._array, result._array
    check_out(out, result, name, inputs, part)
    check_cast(value, array, name)
    if array.shape != value.shape:
        if array.size and warns_of_resizing(name, value):
            warnings.warn(
                f"An output with one or more elements was resized since it had shape {list(array.shape)}, which does "
                f"not match the required output shape {list(value.shape)}. This behavior is deprecated, and in a "
                "future PyTorch release outputs will not be resized unless they have zero elements.",
                stacklevel=4,
            )
        out._array, out._view = backends.of(value).astype(value, array.dtype), None
    else:
        backends.of(array).assign(array, value)
    bump(out)
    return out


def compile_function(fn, tensors, shown_as=None):
    """``fn`` behind a check that the parameters ``tensors`` are Tensors, with ``out=`` where PyTorch has it, and with a
    result whose node is called ``shown_as``.
    """
    takes_out, shown = fn.__name__ in OUT, inspect.signature(fn)
    signature = inspect.signature(fn, follow_wrapped=False)  # a decorator may take more calls than it shows
    declared, named = with_numpy_names(
        _with_out(signature) if takes_out else list(signature.parameters.values())
    )
    lines = [f"def public({_declared(declared)}):", *(f"    {line}" for line in named)]
    for position, parameter in enumerate(signature.parameters.values()):
        if parameter.name in tensors:
            absent = f" and {parameter.name} is not None" if parameter.default is None else ""
            lines += [
                f"    if {parameter.name}.__class__ not in TENSORS{absent}:",
                f"        raise not_a_tensor(name, {parameter.name!r}, {position + 1}, {parameter.name})",
            ]
    call = f"fn({', '.join(_passed(p) for p in signature.parameters.values())})"
    listed = fn.__name__ in autocast.LISTED
    if takes_out:
        read = "".join(f"{p}, " for p in signature.parameters)
        plain = call.replace("fn(", "outside(fn, ", 1) if listed else call
        lines += ["    if out is not None:"]
        if fn.__name__ in AS_OUT:
            lines += ["        dtype = getattr(out, 'dtype', None) if dtype is None else dtype"]
        lines += [f"        return write_out(out, {plain}, name, ({read}))"]
    if listed:
        lines += ["    if autocasting:", f"        return {call.replace('fn(', 'cast_fn(', 1)}"]
    if shown_as:
        read = "".join(f"{p.name}, " for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD)
        call = f"named({call}, shown_as, ({read}))"
    lines.append(f"    return {call}")
    source = "\n".join(lines) + "\n"
    space = {
        "TENSORS": TENSORS, "fn": fn, "name": fn.__name__, "not_a_tensor": not_a_tensor, "write_out": write_out,
        "defaults": {p.name: p.default for p in declared}, "ABSENT": ABSENT, "one_name": one_name, "missing": missing,
        "named": node.named, "shown_as": shown_as,
    }  # fmt: skip
    if listed:
        autocast.flag(space)
        space["cast_fn"] = autocast.composed(fn, fn.__name__)
    exec(_compiled(source), space)
    public = space["public"]
    public.__name__, public.__qualname__, public.__module__ = fn.__name__, fn.__qualname__, fn.__module__
    public.__doc__, public.__wrapped__ = fn.__doc__, fn
    public.__annotations__ = getattr(fn, "__annotations__", {})
    public.__signature__ = shown.replace(parameters=_with_out(shown)) if takes_out else shown
    return public


def _with_out(signature):
    parameters = list(signature.parameters.values())
    added = inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, default=None)
    rest = [p for p in parameters if p.kind is p.VAR_KEYWORD]
    return [*(p for p in parameters if p not in rest), added, *rest]


@functools.cache
def _compiled(source):
    """The code of a source; functions of one signature share it."""
    filename = f"<minidl function {_compiled.cache_info().misses}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    return compile(source, filename, "exec")


def _declared(parameters):
    parts, starred = [], False
    for p in parameters:
        if p.kind is p.VAR_POSITIONAL:
            parts.append(f"*{p.name}")
            starred = True
            continue
        if p.kind is p.VAR_KEYWORD:
            parts.append(f"**{p.name}")
            continue
        if p.kind is p.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        parts.append(p.name if p.default is p.empty else f"{p.name}=defaults[{p.name!r}]")
    return ", ".join(parts)


def _passed(p):
    if p.kind is p.VAR_POSITIONAL:
        return f"*{p.name}"
    if p.kind is p.VAR_KEYWORD:
        return f"**{p.name}"
    return f"{p.name}={p.name}" if p.kind is p.KEYWORD_ONLY else p.name
