"""``RNNBase``: parameters, options and checks that the layers RNN, LSTM and GRU share."""

import math
import numbers
import warnings

from minidl.autograd import autocast
from minidl.nn import init
from minidl.nn.module import Module
from minidl.nn.parameter import Parameter
from minidl.nn.utils.rnn import PackedSequence
from minidl.ops.create import empty, zeros
from minidl.ops.indexing import index_select

__all__ = ["RNNBase"]

_GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}


class RNNBase(Module):
    """What RNN, LSTM and GRU share: their parameters, checks and options. Not used by itself.

    Layer k has ``weight_ih_lk`` (G H, features in), ``weight_hh_lk`` (G H, H) and, with ``bias``,
    ``bias_ih_lk`` and ``bias_hh_lk`` (G H), with G gates: 1 for RNN, 4 for LSTM (i f g o), 3 for GRU (r z n).
    The backward direction's names end in ``_reverse``. An LSTM with ``proj_size`` P has ``weight_hr_lk`` (P,
    H) and P in the place of H in ``weight_hh_lk``. All start from U(-1/sqrt(H), 1/sqrt(H)).

    Raises ``ValueError`` or ``TypeError`` for sizes and options outside their range. Source: PyTorch's
    ``torch.nn.RNNBase``.
    """

    def __init__(
        self,
        mode,
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
        super().__init__()
        _check_options(input_size, hidden_size, num_layers, bias, batch_first, dropout, proj_size)
        if mode not in _GATES:
            raise ValueError(f"Unrecognized RNN mode: {mode}. Hint: one of {', '.join(_GATES)}.")
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._all_weights = []
        for layer in range(num_layers):
            for suffix in ("", "_reverse") if bidirectional else ("",):
                shapes = self._layer_shapes(layer)
                names = [f"{name}_l{layer}{suffix}" for name in shapes]
                for name, shape in zip(names, shapes.values(), strict=True):
                    setattr(self, name, Parameter(empty(shape, device=device, dtype=dtype)))
                self._all_weights.append(names)
        self.reset_parameters()

    def _layer_shapes(self, layer):
        """Shapes of a layer's parameters by the first part of their names, in PyTorch's order."""
        state = self.proj_size or self.hidden_size
        rows = _GATES[self.mode] * self.hidden_size
        features = self.input_size if layer == 0 else state * (2 if self.bidirectional else 1)
        shapes = {"weight_ih": (rows, features), "weight_hh": (rows, state)}
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        return shapes

    @property
    def all_weights(self):
        """The parameters, one list a layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    @property
    def _flat_weights_names(self):  # programs that initialise all matrices go over these
        return [name for names in self._all_weights for name in names]

    @property
    def _flat_weights(self):
        return [getattr(self, name) for name in self._flat_weights_names]

    def flatten_parameters(self):
        """Does nothing, since kernels take the parameters where they lie; PyTorch code may call it."""

    def reset_parameters(self):
        """Fills all parameters from U(-1/sqrt(H), 1/sqrt(H))."""
        bound = 1 / math.sqrt(self.hidden_size)
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self):
        shown = f"{self.input_size}, {self.hidden_size}"
        defaults = {
            "proj_size": 0,
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0.0,
            "bidirectional": False,
        }
        for name, default in defaults.items():
            if getattr(self, name) != default:
                shown += f", {name}={getattr(self, name)}"
        return shown

    def check_input(self, input, batch_sizes=None):
        """Raises where an input has another rank, dtype or number of features than the layer takes.

        An input is (T, N, I), or the rows (sum of lengths, I) of a packed sequence with its ``batch_sizes``.
        """
        weight = getattr(self, self._all_weights[0][0])
        if input.dtype != weight.dtype and not autocast.state.on:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({weight.dtype}). "
                f"Convert input: input.to({weight.dtype}), or convert model: model.to({input.dtype})"
            )
        rank = 3 if batch_sizes is None else 2
        if input.dim() != rank:
            raise RuntimeError(f"input must have {rank} dimensions, got {input.dim()}")
        if input.size(-1) != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.size(-1)}"
            )

    def _sequences(self, input, batch_sizes):
        """N, the number of sequences of a batched or packed input."""
        if batch_sizes is not None:
            return int(batch_sizes[0])
        return input.size(0) if self.batch_first else input.size(1)

    def get_expected_hidden_size(self, input, batch_sizes=None):
        """Shape (layers x directions, N, H or P) of the hidden state for a batched or packed input."""
        return len(self._all_weights), self._sequences(input, batch_sizes), self.proj_size or self.hidden_size

    def check_hidden_size(self, hx, expected_hidden_size, msg="Expected hidden size {}, got {}"):
        """Raises ``RuntimeError`` where a state has another shape than expected."""
        if tuple(hx.shape) != expected_hidden_size:
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.shape)))

    def check_forward_args(self, input, hidden, batch_sizes=None):
        """Raises where input or hidden state do not fit the layer."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx, permutation):
        """The states of the sequences in another order; None leaves them as they are."""
        return hx if permutation is None else index_select(hx, 1, permutation)

    def _zero_state(self, input, features, batch_sizes=None):
        shape = len(self._all_weights), self._sequences(input, batch_sizes), features
        return zeros(shape, dtype=input.dtype, device=input.device)

    def _forward_one_state(self, function, input, hx, noun=""):
        """The forward of a layer whose state is one tensor (RNN, GRU): batched, not batched, or packed."""
        if isinstance(input, PackedSequence):
            return self._forward_packed(function, input, hx)
        input, batched = self._batched(input, noun)
        if hx is None:
            hx = self._zero_state(input, self.hidden_size)
        elif hx.dim() != (3 if batched else 2):
            kind, rank = ("batched 3-D", 3) if batched else ("unbatched 2-D", 2)
            raise RuntimeError(f"For {kind} input, hx should also be {rank}-D but got {hx.dim()}-D tensor")
        elif not batched:
            hx = hx.unsqueeze(1)
        self.check_forward_args(input, hx)
        output, h_n = self._run(function, input, hx)
        if batched:
            return output, h_n
        return output.squeeze(0 if self.batch_first else 1), h_n.squeeze(1)

    def _forward_packed(self, function, input, hx):
        data, batch_sizes, order, back = input
        if hx is None:
            hx = self._zero_state(data, self.hidden_size, batch_sizes)
        else:
            hx = self.permute_hidden(hx, order)
        self.check_forward_args(data, hx, batch_sizes)
        output, h_n = self._run(function, data, hx, batch_sizes)
        return PackedSequence(output, batch_sizes, order, back), self.permute_hidden(h_n, back)

    def _batched(self, input, noun=""):
        """The input with its axis of samples, and whether it had one."""
        if input.dim() not in (2, 3):
            name = self.mode.split("_")[0]
            raise ValueError(f"{name}: Expected input to be 2D or 3D, got {input.dim()}D {noun}instead")
        if input.dim() == 3:
            return input, True
        return input.unsqueeze(0 if self.batch_first else 1), False

    def _run(self, function, input, hx, batch_sizes=None):
        """``function`` of ops with this layer's parameters and options."""
        options = self.num_layers, self.dropout, self.training, self.bidirectional
        if batch_sizes is not None:
            return function(input, batch_sizes, hx, self._flat_weights, self.bias, *options)
        return function(input, hx, self._flat_weights, self.bias, *options, self.batch_first)


def _check_options(input_size, hidden_size, num_layers, bias, batch_first, dropout, proj_size):
    if not isinstance(dropout, numbers.Number) or not 0 <= dropout <= 1 or isinstance(dropout, bool):
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability of an element being zeroed, "
            f"got {dropout!r}"
        )
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers "
            f"greater than 1, but got dropout={dropout} and num_layers={num_layers}",
            stacklevel=4,
        )
    for name, value, kind in (
        ("bias", bias, bool),
        ("batch_first", batch_first, bool),
        ("input_size", input_size, int),
        ("hidden_size", hidden_size, int),
    ):
        if not isinstance(value, kind):
            raise TypeError(f"{name} should be of type {kind.__name__}, got: {type(value).__name__}")
    for name, value in (("input_size", input_size), ("hidden_size", hidden_size), ("num_layers", num_layers)):
        if value <= 0:
            raise ValueError(f"{name} must be greater than zero, got {value}")
    if proj_size < 0:
        raise ValueError(
            f"proj_size should be a positive integer or zero to disable projections, got {proj_size}"
        )
    if proj_size >= hidden_size:
        raise ValueError(
            f"proj_size has to be smaller than hidden_size, got proj_size={proj_size} and hidden_size={hidden_size}"
        )
