"""Mixed precision: which ops compute in a lower one within ``amp.autocast``, and the state that says when.

The ops named here look at one flag of their own before they take their arguments apart, false while no thread is
within ``autocast``; others look at nothing. The names and what becomes of them are PyTorch's, see "Autocast Op
Reference" in its documentation. ``low``: floating-point arguments in the low precision. ``full``: in float32.
``widest``: in float32 if one of them is, else in the low one. ``unsafe``: an error. float64 stays.
"""

import functools
import threading
import warnings

from minidl import dtypes


def _table(**names):
    return {name: rule for rule, text in names.items() for name in text.split()}


_CPU = _table(
    low="""
        conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d bmm mm baddbmm addmm addbmm linear
        matmul vecdot scaled_dot_product_attention einsum tensordot inner chain_matmul multi_dot matrix_power
        lstm rnn_tanh rnn_relu
    """,
    full="""
        avg_pool3d binary_cross_entropy grid_sample prod quantile nanquantile cdist trace cholesky cholesky_inverse
        cholesky_solve inverse lu_solve orgqr ormqr pinverse max_unpool2d max_unpool3d adaptive_avg_pool3d mse_loss
        cosine_embedding_loss nll_loss hinge_embedding_loss poisson_nll_loss smooth_l1_loss cross_entropy l1_loss
        huber_loss margin_ranking_loss soft_margin_loss triplet_margin_loss multi_margin_loss ctc_loss kl_div
        multilabel_margin_loss binary_cross_entropy_with_logits cond matrix_rank solve svdvals eigvalsh inv
        householder_product tensorinv tensorsolve geqrf lstsq qr svd triangular_solve adaptive_max_pool3d cholesky_ex
        eigh inv_ex
    """,
    widest="stack cat concat concatenate index_copy gru lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell",
)
_GPU = _table(
    low="""
        conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d prelu addmm addmv addr matmul einsum mm
        mv vecdot linear addbmm baddbmm bmm chain_matmul multi_dot lstm gru rnn_tanh rnn_relu lstm_cell gru_cell
        rnn_tanh_cell rnn_relu_cell scaled_dot_product_attention inner matrix_power
    """,
    full="""
        acos asin cosh erfinv exp expm1 log log10 log2 log1p reciprocal rsqrt sinh tan pow softplus layer_norm
        group_norm frobenius_norm nuclear_norm cosine_similarity poisson_nll_loss cosine_embedding_loss nll_loss
        hinge_embedding_loss kl_div l1_loss smooth_l1_loss huber_loss mse_loss margin_ranking_loss
        multilabel_margin_loss soft_margin_loss triplet_margin_loss multi_margin_loss binary_cross_entropy_with_logits
        cross_entropy ctc_loss dist pdist cdist renorm logsumexp prod softmax log_softmax softmin cumprod cumsum
        vector_norm matrix_norm norm sum arccos arcsin cosine_embedding_loss
    """,
    widest="""
        addcdiv addcmul atan2 arctan2 bilinear cross dot vdot grid_sample index_put tensordot scatter_add cat stack
        concat concatenate
    """,
    unsafe="binary_cross_entropy",
)
RULES = {"cpu": _CPU, "cuda": _GPU, "emulated": _GPU}
LISTED = frozenset(_CPU) | frozenset(_GPU)
_UNSAFE = (
    "minidl.nn.functional.binary_cross_entropy and minidl.nn.BCELoss are unsafe to autocast. Many models use a sigmoid "
    "layer right before the binary cross entropy layer. In this case, combine the two layers using "
    "minidl.nn.functional.binary_cross_entropy_with_logits or minidl.nn.BCEWithLogitsLoss, which are safe to autocast."
)
DEFAULTS = {"cpu": "bfloat16", "cuda": "float16", "emulated": "float16"}
LOW = ("bfloat16", "float16")

_flagged, _lock, _active = [], threading.Lock(), [0]


class _State(threading.local):
    """A thread's: device types that are on, dtype of each where it was set, the casts of parameters, how deep it is."""

    def __init__(self):
        self.on, self.dtypes, self.casts, self.cache, self.depth = frozenset(), {}, {}, True, 0


state = _State()


def flag(space):
    """Gives an op's namespace its flag, and what it calls where the flag is true."""
    space.update(autocasting=bool(_active[0]), autocast=autocast, outside=outside)
    _flagged.append(space)


def switch(on):
    """Makes ``on`` the device types for which this thread is within autocast; tells the ops if that is news."""
    change = bool(on) - bool(state.on)
    state.on = frozenset(on)
    if change:
        with _lock:
            _active[0] += change
            for space in _flagged:
                space["autocasting"] = _active[0] > 0


def lower(device_type):
    """The NumPy dtype of low precision of a device type."""
    chosen = state.dtypes.get(device_type)
    return dtypes.named(DEFAULTS[device_type]) if chosen is None else chosen


def autocast(name, values, dtype=None):
    """The arguments ``values`` (Tensors, lists of them, anything) as the op ``name`` takes them in this thread.

    ``dtype``: the op's own argument of that name; where the caller gave one, that decides.
    """
    if not state.on:
        return values
    tensors = [*_tensors(values)]
    place = next((p for t in tensors if (p := t.device.type) != "cpu"), "cpu") if tensors else None
    rule = RULES[place].get(name) if place in state.on else None
    if rule is None or dtype is not None:
        return values
    if rule == "unsafe":
        raise RuntimeError(_UNSAFE)
    low = lower(place)
    fit = [
        t
        for t in tensors
        if t.is_floating_point() and t.dtype is not dtypes.float64 and t.device.type == place
    ]
    wide = rule == "full" or (rule == "widest" and any(t.dtype is dtypes.float32 for t in fit))
    target = dtypes.float32 if wide else low
    return _cast(values, target, {id(t) for t in fit if t.dtype is not target})


def _tensors(values):
    for value in values:
        if hasattr(value, "_edge"):
            yield value
        elif value.__class__ is tuple or value.__class__ is list:
            yield from _tensors(value)


def _cast(value, target, chosen):
    if value.__class__ is tuple or value.__class__ is list:
        return value.__class__([_cast(item, target, chosen) for item in value])
    return _low(value, target) if id(value) in chosen else value


def _low(tensor, target):
    """``tensor`` in another dtype; the cast of a parameter is kept until the outermost ``autocast`` ends."""
    keeps = state.cache and tensor.is_leaf and tensor.requires_grad and tensor._view is None
    if not keeps or tensor.dtype is not dtypes.float32 or target is dtypes.float32:
        return tensor.to(target)
    known = state.casts.get((id(tensor), target))
    if known is None or known[1] != tensor._version or known[0] is not tensor:
        made = tensor.to(target)
        if not made.requires_grad:  # under no_grad: of no use to who records
            return made
        known = state.casts[id(tensor), target] = tensor, tensor._version, made
    return known[2]


def outside(fn, *args, **kwargs):
    """``fn(*args, **kwargs)`` as if there were no autocast."""
    before = state.on
    if not before:
        return fn(*args, **kwargs)
    state.on = frozenset()  # the flags of the ops stay: the count of threads does
    try:
        return fn(*args, **kwargs)
    finally:
        state.on = before


def uncast(fn):
    """``fn``, as if there were no autocast."""
    return functools.partial(outside, fn)


def composed(fn, name):
    """``fn``, a composed function of Tensors: its arguments are cast once, and nothing within it."""

    def run(*args, **kwargs):
        if not state.on:
            return fn(*args, **kwargs)
        names = list(kwargs)
        values = autocast(name, (*args, *kwargs.values()), kwargs.get("dtype"))
        rest = dict(zip(names, values[len(args) :], strict=True))
        return outside(fn, *values[: len(args)], **rest)

    return run


# --- what amp.autocast and the functions of the top call --------------------------------------------------------


def enter(device_type, enabled, dtype, cache):
    """Makes the state that of an ``autocast`` and gives what ``leave`` needs."""
    before = state.on, state.dtypes.get(device_type), state.cache
    state.dtypes[device_type], state.cache = dtype, cache
    state.depth += 1
    switch(state.on | {device_type} if enabled else state.on - {device_type})
    return before


def leave(device_type, before):
    """Undoes ``enter``."""
    state.depth -= 1
    if state.depth == 0:
        state.casts.clear()
    on, dtype, state.cache = before
    state.dtypes[device_type] = dtype
    switch(on)


def checked(device_type):
    """A device type that autocast knows. Raises ``RuntimeError`` for another, ``ValueError`` for no string."""
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    if device_type not in RULES:
        raise RuntimeError(
            f"User specified an unsupported autocast device_type '{device_type}'. "
            f"Hint: it is one of {', '.join(RULES)}."
        )
    return device_type


def refused(device_type, dtype, available):
    """Whether autocast turns itself off, with PyTorch's warning: no such device, or a dtype that is not low."""
    if not available:
        warnings.warn(
            f"User provided device_type of '{device_type}', but {device_type.upper()} is not available. Disabling",
            stacklevel=4,
        )
        return True
    if dtype.name in LOW:
        return False
    warnings.warn(
        f"In {device_type.upper()} autocast, but the target dtype is not supported. Disabling autocast.\n"
        f"{device_type.upper()} Autocast only supports dtype of minidl.bfloat16, minidl.float16 currently.",
        stacklevel=4,
    )
    return True
