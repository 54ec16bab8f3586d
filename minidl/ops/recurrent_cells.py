"""One step of an Elman RNN, an LSTM, a GRU: fused ops, and the same steps in terms of basic ops."""

from minidl import dtypes
from minidl.autograd import Saved, function, joint, op
from minidl.backends import of
from minidl.ops.arithmetic import add, mul, sub
from minidl.ops.joining import chunk
from minidl.ops.matmul import linear
from minidl.ops.pointwise import relu, sigmoid, tanh


def check_dtypes(name, weight, *others):
    """Raises ``RuntimeError`` unless all arrays (None aside) have the weight's dtype, a floating-point one."""
    if not dtypes.is_floating(weight.dtype):
        raise RuntimeError(
            f"\"{name}\" not implemented for '{dtypes.scalar_name(weight.dtype)}'. Hint: convert with .float()."
        )
    for other in others:
        if other is not None and other.dtype != weight.dtype:
            got = " and ".join(dtypes.scalar_name(array.dtype) for array in (other, weight))
            raise RuntimeError(
                f"mat1 and mat2 must have the same dtype, but got {got}. "
                f"Hint: {name} takes input, states and weights of one dtype; convert with .to(...)."
            )


def check_bias(bias, rows, batch):
    """Raises ``RuntimeError`` unless a bias is None or has one element a row of its weight."""
    if bias is not None and bias.shape != (rows,):
        raise RuntimeError(
            f"The expanded size of the tensor ({rows}) must match the existing size "
            f"({bias.shape[-1] if bias.ndim else 1}) at non-singleton dimension 1.  "
            f"Target sizes: {[batch, rows]}.  Tensor sizes: {list(bias.shape)}. "
            "Hint: a bias has one element a row of its weight."
        )


def _check_cell(name, gates, input, states, w_ih, w_hh, b_ih, b_hh):
    """PyTorch's checks of a cell's arguments, in its order: dtypes last, where the products are."""
    for what, array in (("input", input), ("weight_ih", w_ih), ("weight_hh", w_hh)):
        if array.ndim != 2:
            raise RuntimeError(
                f"{name}: expected {what} to have 2 dimensions, got {array.ndim}: {list(array.shape)}"
            )
    if input.shape[1] != w_ih.shape[1]:
        raise RuntimeError(
            f"input has inconsistent input_size: got {input.shape[1]} expected {w_ih.shape[1]}"
        )
    size = w_hh.shape[1]
    for i, state in enumerate(states):
        if state.ndim == 0 or state.shape[0] != input.shape[0]:
            got = state.shape[0] if state.ndim else "a number"
            raise RuntimeError(f"Input batch size {input.shape[0]} doesn't match hidden{i} batch size {got}")
        if state.ndim != 2 or state.shape[1] != size:
            got = list(state.shape) if state.ndim == 1 else state.shape[1]
            raise RuntimeError(
                f"hidden{i} has inconsistent hidden_size: got {got}, expected {size}. "
                f"Hint: hidden{i} is {list(state.shape)}, wanted is {[input.shape[0], size]}."
            )
    for what, weight in (("weight_ih", w_ih), ("weight_hh", w_hh)):
        if weight.shape[0] != gates * size:
            raise RuntimeError(
                f"{what} first dim must be {gates} * hidden_size = {gates * size}, but got {weight.shape[0]}"
            )
    check_bias(b_ih, gates * size, input.shape[0])
    check_bias(b_hh, gates * size, input.shape[0])
    check_dtypes(name, w_ih, input, *states, w_hh, b_ih, b_hh)


def rnn_step(x, h, activation):
    """``activation(x + h)`` for the two products x = W_ih input + b_ih, h = W_hh hidden + b_hh, in basic ops."""
    return activation(add(x, h))


def lstm_step(x, h, c):
    """(h before its projection, c) after a step, from the two products x and h [N, 4 H], in basic ops."""
    i, f, g, o = chunk(add(x, h), 4, 1)
    c = add(mul(sigmoid(f), c), mul(sigmoid(i), tanh(g)))
    return mul(sigmoid(o), tanh(c)), c


def gru_step(x, h, hx):
    """The state after a step, from the two products x and h [N, 3 H] and the state hx [N, H], in basic ops."""
    x_r, x_z, x_n = chunk(x, 3, 1)
    h_r, h_z, h_n = chunk(h, 3, 1)
    n = tanh(add(x_n, mul(sigmoid(add(x_r, h_r)), h_n)))
    return add(n, mul(sigmoid(add(x_z, h_z)), sub(hx, n)))


def _rnn_tanh_cell_rule(g, input, hx, w_ih, w_hh, result, needs):
    return of(input).rnn_cell_grad(g, input, hx, w_ih, w_hh, result, "tanh", needs)


def _rnn_tanh_cell_composed(input, hx, w_ih, w_hh, b_ih, b_hh):
    return rnn_step(linear(input, w_ih, b_ih), linear(hx, w_hh, b_hh), tanh)


@op(
    joint("input hx w_ih w_hh b_ih b_hh", _rnn_tanh_cell_rule), composed=_rnn_tanh_cell_composed, method=False
)
def rnn_tanh_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One step of an Elman network: ``tanh(W_ih x + b_ih + W_hh h + b_hh)``.

    Shapes: input (N, I), hx (N, H), w_ih (H, I), w_hh (H, H), b_ih and b_hh (H) or None -> (N, H); floating
    point, all of one dtype. Raises ``RuntimeError`` for sizes or dtypes that do not fit. Source: Elman
    (1990), "Finding structure in time".

    >>> import minidl
    >>> minidl.rnn_tanh_cell(
    ...     minidl.ones(2, 3), minidl.zeros(2, 4), minidl.zeros(4, 3), minidl.zeros(4, 4)
    ... ).shape
    torch.Size([2, 4])
    """
    _check_cell("rnn_tanh_cell", 1, input, (hx,), w_ih, w_hh, b_ih, b_hh)
    return of(input, hx, w_ih, w_hh, b_ih, b_hh).rnn_cell(input, hx, w_ih, w_hh, b_ih, b_hh, "tanh")


def _rnn_relu_cell_rule(g, input, hx, w_ih, w_hh, result, needs):
    return of(input).rnn_cell_grad(g, input, hx, w_ih, w_hh, result, "relu", needs)


def _rnn_relu_cell_composed(input, hx, w_ih, w_hh, b_ih, b_hh):
    return rnn_step(linear(input, w_ih, b_ih), linear(hx, w_hh, b_hh), relu)


@op(
    joint("input hx w_ih w_hh b_ih b_hh", _rnn_relu_cell_rule), composed=_rnn_relu_cell_composed, method=False
)
def rnn_relu_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One step of an Elman network with relu: ``max(W_ih x + b_ih + W_hh h + b_hh, 0)``.

    Shapes, dtypes and errors: see ``rnn_tanh_cell``. Source: Le et al. (2015), arXiv:1504.00941.

    >>> import minidl
    >>> minidl.rnn_relu_cell(
    ...     minidl.ones(2, 3), minidl.zeros(2, 4), minidl.zeros(4, 3), minidl.zeros(4, 4)
    ... ).shape
    torch.Size([2, 4])
    """
    _check_cell("rnn_relu_cell", 1, input, (hx,), w_ih, w_hh, b_ih, b_hh)
    return of(input, hx, w_ih, w_hh, b_ih, b_hh).rnn_cell(input, hx, w_ih, w_hh, b_ih, b_hh, "relu")


def _lstm_cell_rule(g0, g1, input, hx, cx, w_ih, w_hh, result0, result1, gates, needs):
    return of(input).lstm_cell_grad(g0, g1, input, hx, cx, w_ih, w_hh, result0, result1, gates, needs)


def _lstm_cell_composed(input, hx, cx, w_ih, w_hh, b_ih, b_hh):
    return lstm_step(linear(input, w_ih, b_ih), linear(hx, w_hh, b_hh), cx)


@op(
    joint("input hx cx w_ih w_hh b_ih b_hh", _lstm_cell_rule),
    composed=_lstm_cell_composed,
    shown="Mul",
    faces=(),
    method=False,
)
def _lstm_cell(input, hx, cx, w_ih, w_hh, b_ih=None, b_hh=None):
    """``lstm_cell`` with its two states apart."""
    _check_cell("lstm_cell", 4, input, (hx, cx), w_ih, w_hh, b_ih, b_hh)
    h, c, gates = of(input, hx, cx, w_ih, w_hh, b_ih, b_hh).lstm_cell(input, hx, cx, w_ih, w_hh, b_ih, b_hh)
    return (h, c), Saved(gates=gates)


@function(method=False)
def lstm_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One step of a long short-term memory::

        i, f, g, o = W_ih x + b_ih + W_hh h + b_hh, cut in four
        c' = sigmoid(f) c + sigmoid(i) tanh(g)
        h' = sigmoid(o) tanh(c')

    Shapes: input (N, I), hx = (h, c) both (N, H), w_ih (4 H, I), w_hh (4 H, H), b_ih and b_hh (4 H) or None ->
    (h', c') both (N, H); floating point, all of one dtype. Raises ``RuntimeError`` for sizes or dtypes that do not
    fit or a tuple of other length, ``TypeError`` where hx is no tuple.
    Source: Hochreiter and Schmidhuber (1997), "Long short-term memory".

    >>> import minidl
    >>> state = minidl.zeros(2, 4), minidl.zeros(2, 4)
    >>> h, c = minidl.lstm_cell(minidl.ones(2, 3), state, minidl.zeros(16, 3), minidl.zeros(16, 4))
    >>> h.shape
    torch.Size([2, 4])
    """
    if not isinstance(hx, (tuple, list)):
        raise TypeError(
            f"lstm_cell(): argument 'hx' (position 2) must be tuple of Tensors, not {type(hx).__name__}. "
            "Hint: pass (h, c)."
        )
    if len(hx) != 2:
        raise RuntimeError(f"lstm_cell expects two hidden states, got {len(hx)}")
    return _lstm_cell(input, hx[0], hx[1], w_ih, w_hh, b_ih, b_hh)


def _gru_cell_rule(g, input, hx, w_ih, w_hh, result, gates, hidden_n, needs):
    return of(input).gru_cell_grad(g, input, hx, w_ih, w_hh, result, gates, hidden_n, needs)


def _gru_cell_composed(input, hx, w_ih, w_hh, b_ih, b_hh):
    return gru_step(linear(input, w_ih, b_ih), linear(hx, w_hh, b_hh), hx)


@op(
    joint("input hx w_ih w_hh b_ih b_hh", _gru_cell_rule),
    composed=_gru_cell_composed,
    shown="Add",
    method=False,
)
def gru_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One step of a gated recurrent unit::

        r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)
        z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
        n = tanh(W_in x + b_in + r (W_hn h + b_hn))
        h' = (1 - z) n + z h

    Shapes: input (N, I), hx (N, H), w_ih (3 H, I), w_hh (3 H, H) with the rows of r, z, n in this order, b_ih
    and b_hh (3 H) or None -> (N, H); floating point, all of one dtype. Raises ``RuntimeError`` for sizes or
    dtypes that do not fit. Source: Cho et al. (2014), arXiv:1406.1078.

    >>> import minidl
    >>> minidl.gru_cell(minidl.ones(2, 3), minidl.zeros(2, 4), minidl.zeros(12, 3), minidl.zeros(12, 4)).shape
    torch.Size([2, 4])
    """
    _check_cell("gru_cell", 3, input, (hx,), w_ih, w_hh, b_ih, b_hh)
    h, gates, hidden_n = of(input, hx, w_ih, w_hh, b_ih, b_hh).gru_cell(input, hx, w_ih, w_hh, b_ih, b_hh)
    return h, Saved(gates=gates, hidden_n=hidden_n)
