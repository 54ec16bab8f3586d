"""One step of a recurrent layer: RNNCell, LSTMCell, GRUCell."""

import math

from minidl.autograd import Tensor
from minidl.nn import init
from minidl.nn.module import Module
from minidl.nn.parameter import Parameter
from minidl.ops import recurrent_cells as cells
from minidl.ops.create import empty, zeros

__all__ = ["GRUCell", "LSTMCell", "RNNCell", "RNNCellBase"]


class RNNCellBase(Module):
    """What the cells share. Parameters, for G gates: ``weight_ih`` (G H, I), ``weight_hh`` (G H, H), ``bias_ih`` and
    ``bias_hh`` (G H) or None; all start from U(-1/sqrt(H), 1/sqrt(H)). Source: PyTorch's ``torch.nn.RNNCellBase``."""

    def __init__(self, input_size, hidden_size, bias, num_chunks, device=None, dtype=None):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        self.weight_ih = Parameter(empty(rows, input_size, device=device, dtype=dtype))
        self.weight_hh = Parameter(empty(rows, hidden_size, device=device, dtype=dtype))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(
                name, Parameter(empty(rows, device=device, dtype=dtype)) if bias else None
            )
        self.reset_parameters()

    def extra_repr(self):
        shown = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            shown += f", bias={self.bias}"
        return shown

    def reset_parameters(self):
        """Fills all parameters from U(-1/sqrt(H), 1/sqrt(H))."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def _check_rank(self, what, tensor):
        if tensor.dim() not in (1, 2):
            raise ValueError(
                f"{type(self).__name__}: Expected {what} to be 1D or 2D, got {tensor.dim()}D instead"
            )

    def _parameters_in_order(self):
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh

    def _step(self, cell, input, hx):
        """One step of a cell whose state is one tensor, batched or not."""
        self._check_rank("input", input)
        if hx is not None:
            self._check_rank("hidden", hx)
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
            hx = None if hx is None else hx.unsqueeze(0)
        if hx is None:
            hx = zeros(input.size(0), self.hidden_size, dtype=input.dtype, device=input.device)
        out = cell(input, hx, *self._parameters_in_order())
        return out if batched else out.squeeze(0)


class RNNCell(RNNCellBase):
    """One step of an Elman network: ``h' = tanh(W_ih x + b_ih + W_hh h + b_hh)``, or relu for ``nonlinearity="relu"``.

    Shapes: input (N, I) or (I), hx (N, H) or (H), zeros where it is not given -> h' (N, H) or (H). Raises
    ``ValueError`` for another rank, ``RuntimeError`` for sizes that do not fit or an unknown nonlinearity.
    Source: Elman (1990), "Finding structure in time"; PyTorch's ``torch.nn.RNNCell``.

    >>> import minidl
    >>> from minidl import nn
    >>> cell = nn.RNNCell(10, 20)
    >>> h = None
    >>> for x in minidl.ones(6, 3, 10):
    ...     h = cell(x, h)
    >>> h.shape
    torch.Size([3, 20])
    """

    def __init__(self, input_size, hidden_size, bias=True, nonlinearity="tanh", device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def extra_repr(self):
        shown = super().extra_repr()
        return shown if self.nonlinearity == "tanh" else f"{shown}, nonlinearity={self.nonlinearity}"

    def forward(self, input, hx=None):
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}. Hint: 'tanh' or 'relu'.")
        return self._step(
            cells.rnn_tanh_cell if self.nonlinearity == "tanh" else cells.rnn_relu_cell, input, hx
        )


class LSTMCell(RNNCellBase):
    """One step of a long short-term memory::

        i, f, o = sigmoid(W_i. x + b_i. + W_h. h + b_h.)     each with its own rows of the parameters
        g = tanh(W_ig x + b_ig + W_hg h + b_hg)
        c' = f c + i g
        h' = o tanh(c')

    Shapes: input (N, I) or (I); hx = (h, c), each (N, H) or (H), zeros where it is not given -> (h', c') like hx.
    Raises ``ValueError`` for another rank, ``RuntimeError`` for sizes that do not fit, ``TypeError`` for an hx that
    is no tuple. Source: Hochreiter and Schmidhuber (1997), "Long short-term memory"; PyTorch's ``torch.nn.LSTMCell``.

    >>> import minidl
    >>> from minidl import nn
    >>> cell = nn.LSTMCell(10, 20)
    >>> state = None
    >>> for x in minidl.ones(6, 3, 10):
    ...     state = cell(x, state)
    >>> h, c = state
    >>> h.shape, c.shape
    (torch.Size([3, 20]), torch.Size([3, 20]))
    """

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input, hx=None):
        self._check_rank("input", input)
        if hx is not None and not isinstance(hx, Tensor):
            for i, state in enumerate(hx):
                self._check_rank(f"hx[{i}]", state)
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
        if hx is None:
            state = zeros(input.size(0), self.hidden_size, dtype=input.dtype, device=input.device)
            hx = state, state
        elif not batched and not isinstance(hx, Tensor):
            hx = tuple(state.unsqueeze(0) for state in hx)
        h, c = cells.lstm_cell(input, hx, *self._parameters_in_order())
        return (h, c) if batched else (h.squeeze(0), c.squeeze(0))


class GRUCell(RNNCellBase):
    """One step of a gated recurrent unit::

        r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)
        z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
        n = tanh(W_in x + b_in + r (W_hn h + b_hn))
        h' = (1 - z) n + z h

    Shapes: input (N, I) or (I), hx (N, H) or (H), zeros where it is not given -> h' (N, H) or (H).
    Raises ``ValueError`` for another rank, ``RuntimeError`` for sizes that do not fit.
    Source: Cho et al. (2014), arXiv:1406.1078; PyTorch's ``torch.nn.GRUCell``.

    >>> import minidl
    >>> from minidl import nn
    >>> nn.GRUCell(10, 20)(minidl.ones(3, 10)).shape
    torch.Size([3, 20])
    """

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input, hx=None):
        return self._step(cells.gru_cell, input, hx)
