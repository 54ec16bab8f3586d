"""Hypothesis strategies for the geometry of convolutions and pools, valid by construction."""

import dataclasses

from hypothesis import strategies as st


@dataclasses.dataclass(frozen=True)
class ConvGeometry:
    """A convolution that can be run: shapes of its input (N, C, *spatial), weight (K, C / groups, *kernel) and output.

    ``kwargs`` are the arguments of ``nn.functional.conv*d``.
    """

    input_shape: tuple[int, ...]
    weight_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int

    @property
    def kwargs(self):
        return {
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            "groups": self.groups,
        }


@dataclasses.dataclass(frozen=True)
class PoolGeometry:
    """A pool that can be run: its input's shape (N, C, *spatial) and the arguments of ``nn.functional.*_pool*d``."""

    input_shape: tuple[int, ...]
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    ceil_mode: bool

    @property
    def kwargs(self):
        return {
            name: getattr(self, name)
            for name in ("kernel_size", "stride", "padding", "dilation", "ceil_mode")
        }


def _input_side(draw, out, kernel, stride, padding, dilation):
    """A side from which a window yields ``out`` positions: the inverse of the output formula, plus unused elements.

    ``out = floor((side + 2 padding - dilation (kernel - 1) - 1) / stride) + 1``.
    """
    exact = (out - 1) * stride + dilation * (kernel - 1) + 1 - 2 * padding
    return exact + draw(st.integers(0, stride - 1))


@st.composite
def conv_geometries(draw, dims=2, max_side=3, max_channels=3, max_batch=2, min_batch=1):
    """``ConvGeometry`` for ``dims`` spatial dimensions; strides, padding, dilation and groups vary in each.

    ``max_side``: of the output, where padding alone does not make it larger; ``max_channels``: groups, and channels of
    each; ``min_batch=0`` draws empty batches too.

    >>> from hypothesis import given
    >>> @given(conv_geometries(dims=1))
    ... def check(geometry):
    ...     (n, c, side), (k, per_group, kernel) = geometry.input_shape, geometry.weight_shape
    ...     assert c == per_group * geometry.groups and k % geometry.groups == 0
    >>> check()
    """
    groups = draw(st.integers(1, max_channels))
    per_group, multiplier = draw(st.integers(1, max_channels)), draw(st.integers(1, 2))
    sides, outs, windows = [], [], []
    for _ in range(dims):
        kernel, stride, dilation = (draw(st.integers(1, high)) for high in (3, 3, 2))
        padding = draw(st.integers(0, 2))
        # Where padding alone would cover the window, one element is left to convolve.
        side = max(1, _input_side(draw, draw(st.integers(1, max_side)), kernel, stride, padding, dilation))
        sides.append(side)
        outs.append((side + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1)
        windows.append((kernel, stride, padding, dilation))
    kernel, stride, padding, dilation = zip(*windows, strict=True)
    batch = draw(st.integers(min_batch, max_batch))
    return ConvGeometry(
        (batch, groups * per_group, *sides),
        (groups * multiplier, per_group, *kernel),
        (batch, groups * multiplier, *outs),
        stride,
        padding,
        dilation,
        groups,
    )


@st.composite
def pool_geometries(draw, dims=2, max_side=3, max_channels=2, max_batch=2, dilated=True, min_batch=1):
    """``PoolGeometry`` for ``dims`` spatial dimensions; padding is at most half the kernel, as pools demand.

    ``dilated=False`` for average pools, whose windows have no dilation: leave that key of ``kwargs`` out.

    >>> from hypothesis import given
    >>> @given(pool_geometries(dims=2))
    ... def check(geometry):
    ...     assert all(2 * p <= k for p, k in zip(geometry.padding, geometry.kernel_size))
    >>> check()
    """
    sides, windows = [], []
    for _ in range(dims):
        kernel, stride = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        dilation = draw(st.integers(1, 2)) if dilated else 1
        padding = draw(st.integers(0, kernel // 2))
        out = draw(st.integers(1, max_side))
        sides.append(max(1, _input_side(draw, out, kernel, stride, padding, dilation)))
        windows.append((kernel, stride, padding, dilation))
    kernel, stride, padding, dilation = zip(*windows, strict=True)
    lead = (draw(st.integers(min_batch, max_batch)), draw(st.integers(1, max_channels)))
    return PoolGeometry((*lead, *sides), kernel, stride, padding, dilation, draw(st.booleans()))


@dataclasses.dataclass(frozen=True)
class RecurrentGeometry:
    """A recurrent layer that can be run: arguments of its constructor, the shape of its input and of its states.

    ``layer`` is ``'RNN'``, ``'LSTM'`` or ``'GRU'``; ``state_shapes`` has two entries for an LSTM.
    """

    layer: str
    kwargs: dict
    input_shape: tuple[int, ...]
    state_shapes: tuple[tuple[int, ...], ...]


@st.composite
def recurrent_geometries(draw, max_size=3, max_length=3, max_batch=2):
    """``RecurrentGeometry``: layers, directions, bias, batch first or not, without a batch, with an LSTM's projection.

    >>> import minidl
    >>> from hypothesis import given
    >>> @given(recurrent_geometries())
    ... def check(geometry):
    ...     layer = getattr(minidl.nn, geometry.layer)(**geometry.kwargs)
    ...     states = tuple(minidl.zeros(shape) for shape in geometry.state_shapes)
    ...     layer(minidl.zeros(geometry.input_shape), states if len(states) > 1 else states[0])
    >>> check()
    """
    layer = draw(st.sampled_from(["RNN", "GRU", "LSTM"]))
    inputs, hidden, length = (draw(st.integers(1, high)) for high in (max_size, max_size, max_length))
    layers, both = draw(st.integers(1, 2)), draw(st.booleans())
    kwargs = {"input_size": inputs, "hidden_size": hidden, "num_layers": layers, "bidirectional": both}
    kwargs |= {"bias": draw(st.booleans()), "batch_first": draw(st.booleans())}
    projected = (
        draw(st.integers(1, hidden - 1)) if layer == "LSTM" and hidden > 1 and draw(st.booleans()) else 0
    )
    if projected:
        kwargs["proj_size"] = projected
    batch = draw(st.none() | st.integers(1, max_batch))
    lead = (length,) if batch is None else (batch, length) if kwargs["batch_first"] else (length, batch)
    rows = (layers * (1 + both), *(() if batch is None else (batch,)))
    state = (*rows, projected or hidden)
    return RecurrentGeometry(
        layer, kwargs, (*lead, inputs), (state, (*rows, hidden)) if layer == "LSTM" else (state,)
    )
