"""Recurrent layers over whole sequences: RNN, LSTM and GRU, stacked and bidirectional."""

from minidl.nn.recurrent_base import RNNBase
from minidl.nn.utils.rnn import PackedSequence
from minidl.ops import recurrent

__all__ = ["GRU", "LSTM", "RNN"]

_NO_PROJECTION = "proj_size argument is only supported for LSTM, not RNN or GRU"


class RNN(RNNBase):
    """Elman recurrent network over a sequence::

        h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh)

    with relu in the place of tanh for ``nonlinearity="relu"``. Layer k > 0 takes the states of layer k - 1 as
    its input, with elements dropped with probability ``dropout`` in training.

    Shapes, for T steps, N samples, I = ``input_size``, H = ``hidden_size``, D = 2 if ``bidirectional`` else
    1, L = ``num_layers``: input (T, N, I), with ``batch_first`` (N, T, I), unbatched (T, I), or packed sequences of
    several lengths (``nn.utils.rnn.PackedSequence``); hx (D L, N, H)
    or (D L, H), zeros where it is not given -> output (T, N, D H) or in the input's layout, h_n (D L, N, H)
    or (D L, H).

    Raises ``ValueError`` for an input of another rank or dtype, ``RuntimeError`` for sizes that do not fit or
    T = 0. Parameters: see ``RNNBase``. Source: Elman (1990), "Finding structure in time"; PyTorch's
    ``torch.nn.RNN``.

    >>> import minidl
    >>> from minidl import nn
    >>> layer = nn.RNN(10, 20, num_layers=2)
    >>> output, h_n = layer(minidl.ones(5, 3, 10))
    >>> output.shape, h_n.shape
    (torch.Size([5, 3, 20]), torch.Size([2, 3, 20]))
    """

    def __init__(
        self,
        input_size,
        hidden_size,
        num_layers=1,
        nonlinearity="tanh",
        bias=True,
        batch_first=False,
        dropout=0.0,
        bidirectional=False,
        device=None,
        dtype=None,
        *,
        proj_size=None,
    ):
        if proj_size is not None:
            raise ValueError(_NO_PROJECTION)
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__(
            f"RNN_{nonlinearity.upper()}",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
        )
        self.nonlinearity = nonlinearity

    def forward(self, input, hx=None):
        function = recurrent.rnn_tanh if self.nonlinearity == "tanh" else recurrent.rnn_relu
        return self._forward_one_state(function, input, hx, noun="tensor ")


class LSTM(RNNBase):
    """Long short-term memory over a sequence::

        i, f, o = sigmoid(W_i. x_t + b_i. + W_h. h_(t-1) + b_h.)     each with its own rows of the parameters
        g = tanh(W_ig x_t + b_ig + W_hg h_(t-1) + b_hg)
        c_t = f c_(t-1) + i g
        h_t = o tanh(c_t)                                           times W_hr^T with proj_size

    Layer k > 0 takes the states of layer k - 1 as its input, with elements dropped with probability
    ``dropout`` in training.

    Shapes, for T steps, N samples, I = ``input_size``, H = ``hidden_size``, P = ``proj_size`` or H, D = 2 if
    ``bidirectional`` else 1, L = ``num_layers``: input (T, N, I), with ``batch_first`` (N, T, I), unbatched (T, I), or
    packed sequences of several lengths (``nn.utils.rnn.PackedSequence``);
    hx = (h_0, c_0) of shapes (D L, N, P) and (D L, N, H), without N if unbatched, zeros where it is not given ->
    output (T, N, D P) or in the input's layout, (h_n, c_n) in the shapes of hx.

    Raises ``ValueError`` for an input of another rank or dtype, ``RuntimeError`` for sizes that do not fit or
    T = 0, ``TypeError`` for an hx that is no pair. Parameters: see ``RNNBase``. Source: Hochreiter and
    Schmidhuber (1997); Sak et al. (2014), arXiv:1402.1128 (projection); PyTorch's ``torch.nn.LSTM``.

    >>> import minidl
    >>> from minidl import nn
    >>> layer = nn.LSTM(10, 20, batch_first=True)
    >>> output, (h_n, c_n) = layer(minidl.ones(3, 5, 10))
    >>> output.shape, h_n.shape, c_n.shape
    (torch.Size([3, 5, 20]), torch.Size([1, 3, 20]), torch.Size([1, 3, 20]))
    """

    def __init__(
        self,
        input_size,
        hidden_size,
        num_layers=1,
        bias=True,
        batch_first=False,
        dropout=0.0,
        bidirectional=False,
        proj_size=0,
        device=None,
        dtype=None,
    ):
        super().__init__(
            "LSTM",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
        )

    def get_expected_cell_size(self, input, batch_sizes=None):
        """Shape (layers x directions, N, H) of the cell state for a batched or packed input."""
        return (*self.get_expected_hidden_size(input, batch_sizes)[:2], self.hidden_size)

    def check_forward_args(self, input, hidden, batch_sizes=None):
        """Raises where input or states do not fit the layer."""
        self.check_input(input, batch_sizes)
        expected = self.get_expected_hidden_size(input, batch_sizes)
        self.check_hidden_size(hidden[0], expected, "Expected hidden[0] size {}, got {}")
        expected = self.get_expected_cell_size(input, batch_sizes)
        self.check_hidden_size(hidden[1], expected, "Expected hidden[1] size {}, got {}")

    def permute_hidden(self, hx, permutation):
        """Both states of the sequences in another order; None leaves them as they are."""
        return tuple(super(LSTM, self).permute_hidden(state, permutation) for state in hx)

    def _zero_states(self, input, batch_sizes=None):
        c = self._zero_state(input, self.hidden_size, batch_sizes)
        return (self._zero_state(input, self.proj_size, batch_sizes) if self.proj_size else c), c

    def forward(self, input, hx=None):
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        input, batched = self._batched(input)
        hx = self._zero_states(input) if hx is None else _pair(hx, batched)
        self.check_forward_args(input, hx)
        output, h_n, c_n = self._run(recurrent.lstm, input, hx)
        if batched:
            return output, (h_n, c_n)
        return output.squeeze(0 if self.batch_first else 1), (h_n.squeeze(1), c_n.squeeze(1))

    def _forward_packed(self, input, hx):
        data, batch_sizes, order, back = input
        if hx is None:
            hx = self._zero_states(data, batch_sizes)
        else:
            hx = self.permute_hidden(_two(hx), order)
        self.check_forward_args(data, hx, batch_sizes)
        output, *states = self._run(recurrent.lstm, data, hx, batch_sizes)
        return PackedSequence(output, batch_sizes, order, back), self.permute_hidden(states, back)


def _two(hx):
    """An LSTM's (h_0, c_0). Raises ``TypeError`` for what is no pair."""
    if not isinstance(hx, (tuple, list)) or len(hx) != 2:
        raise TypeError(
            f"LSTM: expected hx to be a tuple (h_0, c_0) of two tensors, got {type(hx).__name__}. "
            "Hint: layer(input, (h, c))."
        )
    return hx


def _pair(hx, batched):
    """An LSTM's (h_0, c_0), batched."""
    h, c = _two(hx)
    rank = 3 if batched else 2
    if h.dim() != rank or c.dim() != rank:
        kind = "batched 3-D" if batched else "unbatched 2-D"
        raise RuntimeError(
            f"For {kind} input, hx and cx should also be {rank}-D but got ({h.dim()}-D, {c.dim()}-D) tensors"
        )
    return (h, c) if batched else (h.unsqueeze(1), c.unsqueeze(1))


class GRU(RNNBase):
    """Gated recurrent unit over a sequence::

        r = sigmoid(W_ir x_t + b_ir + W_hr h_(t-1) + b_hr)
        z = sigmoid(W_iz x_t + b_iz + W_hz h_(t-1) + b_hz)
        n = tanh(W_in x_t + b_in + r (W_hn h_(t-1) + b_hn))
        h_t = (1 - z) n + z h_(t-1)

    Layer k > 0 takes the states of layer k - 1 as its input, with elements dropped with probability
    ``dropout`` in training.

    Shapes, for T steps, N samples, I = ``input_size``, H = ``hidden_size``, D = 2 if ``bidirectional`` else
    1, L = ``num_layers``: input (T, N, I), with ``batch_first`` (N, T, I), unbatched (T, I), or packed sequences of
    several lengths (``nn.utils.rnn.PackedSequence``); hx (D L, N, H)
    or (D L, H), zeros where it is not given -> output (T, N, D H) or in the input's layout, h_n (D L, N, H)
    or (D L, H).

    Raises ``ValueError`` for an input of another rank or dtype, ``RuntimeError`` for sizes that do not fit or
    T = 0. Parameters: see ``RNNBase``. Source: Cho et al. (2014), arXiv:1406.1078, with the reset gate after
    the product with W_hn; PyTorch's ``torch.nn.GRU``.

    >>> import minidl
    >>> from minidl import nn
    >>> layer = nn.GRU(10, 20, bidirectional=True)
    >>> output, h_n = layer(minidl.ones(5, 3, 10))
    >>> output.shape, h_n.shape
    (torch.Size([5, 3, 40]), torch.Size([2, 3, 20]))
    """

    def __init__(
        self,
        input_size,
        hidden_size,
        num_layers=1,
        bias=True,
        batch_first=False,
        dropout=0.0,
        bidirectional=False,
        device=None,
        dtype=None,
        *,
        proj_size=None,
    ):
        if proj_size is not None:
            raise ValueError(_NO_PROJECTION)
        super().__init__(
            "GRU",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
        )

    def forward(self, input, hx=None):
        return self._forward_one_state(recurrent.gru, input, hx)
