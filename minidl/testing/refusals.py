"""Hypothesis strategies of geometries that cannot be run, each with the error that it has to give."""

import dataclasses

from hypothesis import strategies as st

from minidl.testing.geometries import conv_geometries, pool_geometries, recurrent_geometries


@dataclasses.dataclass(frozen=True)
class Refusal:
    """What is wrong, the arguments that are, and the class and text (a regular expression) of the error.

    ``shapes`` are those of the tensors, ``kwargs`` the other arguments.
    """

    why: str
    shapes: tuple[tuple[int, ...], ...]
    kwargs: dict
    error: type
    text: str


@st.composite
def invalid_conv_geometries(draw, dims=2):
    """``Refusal`` for ``nn.functional.conv*d(zeros(shapes[0]), zeros(shapes[1]), **kwargs)``: one thing made wrong.

    >>> import minidl, pytest
    >>> from hypothesis import given
    >>> @given(invalid_conv_geometries(dims=1))
    ... def check(wrong):
    ...     with pytest.raises(wrong.error, match=wrong.text):
    ...         minidl.nn.functional.conv1d(*map(minidl.zeros, wrong.shapes), **wrong.kwargs)
    >>> check()
    """
    good = draw(conv_geometries(dims=dims))
    sides, (k, per_group, *kernel), kwargs = good.input_shape[2:], good.weight_shape, dict(good.kwargs)
    place = draw(st.integers(0, dims - 1))

    def with_one(name, value):
        return {**kwargs, name: tuple(value if i == place else v for i, v in enumerate(kwargs[name]))}

    big = list(kernel)
    big[place] = (sides[place] + 2 * good.padding[place] + good.dilation[place]) // good.dilation[place] + 1
    x, w = good.input_shape, good.weight_shape
    wrong = [
        ("channels", (x, (k, per_group + 1, *kernel)), kwargs, "channels, but got"),
        (
            "groups",
            (x, (good.groups * 2 + 1, per_group, *kernel)),
            {**kwargs, "groups": 2},
            "groups=2|channels",
        ),
        ("kernel", (x, (k, per_group, *big)), kwargs, "Kernel size can't be greater than actual input size"),
        (
            "stride",
            (x, w),
            with_one("stride", draw(st.integers(-2, 0))),
            "non-positive stride is not supported",
        ),
        (
            "padding",
            (x, w),
            with_one("padding", draw(st.integers(-3, -1))),
            "negative padding is not supported",
        ),
        (
            "dilation",
            (x, w),
            with_one("dilation", draw(st.integers(-2, 0))),
            "dilation should be greater than zero",
        ),
        ("rank", (x[2:], w), kwargs, "batched|dimension|Expected"),
    ]
    if good.groups > 1:
        del wrong[1]
    why, shapes, given, text = draw(st.sampled_from(wrong))
    return Refusal(why, tuple(map(tuple, shapes)), given, RuntimeError, text)


@st.composite
def invalid_pool_geometries(draw, dims=2):
    """``Refusal`` for ``nn.functional.max_pool*d(zeros(shapes[0]), **kwargs)``: one thing made wrong.

    The texts are PyTorch's, which words those of ``max_pool1d`` its own way.

    >>> import minidl, pytest
    >>> from hypothesis import given
    >>> @given(invalid_pool_geometries())
    ... def check(wrong):
    ...     with pytest.raises(wrong.error, match=wrong.text):
    ...         minidl.nn.functional.max_pool2d(minidl.zeros(wrong.shapes[0]), **wrong.kwargs)
    >>> check()
    """
    good = draw(pool_geometries(dims=dims))
    kwargs, all_of = dict(good.kwargs), lambda value: (value,) * dims
    too_much = tuple(d * (k - 1) // 2 + 1 + k for k, d in zip(good.kernel_size, good.dilation))
    plain = {"padding": all_of(0), "ceil_mode": False}
    far = tuple(side + 1 for side in good.input_shape[2:])
    wrong = [
        ("kernel", {**kwargs, **plain, "kernel_size": far}, "Output size is too small"),
        ("stride", {**kwargs, "stride": all_of(0)}, "stride should not be zero"),
        ("padding", {**kwargs, "padding": too_much}, "at most half of effective kernel size"),
        ("negative", {**kwargs, "padding": all_of(-1)}, "pad must be non-negative"),
        ("dilation", {**kwargs, "dilation": all_of(0)}, "dilation should be greater than zero"),
    ]
    why, given, text = draw(st.sampled_from(wrong))
    return Refusal(why, (good.input_shape,), given, RuntimeError, _POOL_1D[why] if dims == 1 else text)


_POOL_1D = {
    "kernel": "Invalid computed output size", "stride": "stride must be greater than zero",
    "padding": "padding should be at most half of kernel size", "negative": "padding must be non-negative",
    "dilation": "dilation must be greater than zero",
}  # fmt: skip


@st.composite
def invalid_recurrent_geometries(draw):
    """``Refusal`` for a recurrent layer: ``kwargs['layer']`` and its other arguments, shapes of input and states.

    >>> import minidl, pytest
    >>> from hypothesis import given
    >>> @given(invalid_recurrent_geometries())
    ... def check(wrong):
    ...     options = dict(wrong.kwargs)
    ...     layer = getattr(minidl.nn, options.pop("layer"))(**options)
    ...     x, *states = map(minidl.zeros, wrong.shapes)
    ...     with pytest.raises(wrong.error, match=wrong.text):
    ...         layer(x, tuple(states) if len(states) > 1 else states[0])
    >>> check()
    """
    good = draw(recurrent_geometries())
    x, states = good.input_shape, good.state_shapes
    longer = tuple((*shape[:-1], shape[-1] + 1) for shape in states)
    wrong = [
        ("features", ((*x[:-1], x[-1] + 1), *states), RuntimeError, "must be equal to input_size"),
        ("state", (x, *longer), RuntimeError, r"Expected hidden(\[0\])? size"),
        ("rank", ((x[-1],), *states), ValueError, "Expected input to be 2D or 3D, got 1D"),
    ]
    why, shapes, error, text = draw(st.sampled_from(wrong))
    return Refusal(why, shapes, {"layer": good.layer, **good.kwargs}, error, text)
