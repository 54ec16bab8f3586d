"""Convolution beside the definition: any geometry, dtype and layout; what it refuses, and in which words."""

import driving
import hypothesis.strategies as st
import naive_windows
import numpy as np
import pytest
import thread_counts
from hypothesis import given

import minidl
from minidl import backends, nn
from minidl.testing import conv_geometries, strided

F = nn.functional
CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
LAYOUTS = ["contiguous", "transposed", "sliced", "negative"]
cpu_backends = pytest.mark.parametrize("name", ["reference", "native"])


def backend(name):
    if name == "native" and backends.cpu.name != "native":
        pytest.skip("no native backend here")
    return backends.cpu if name == "native" else backends.reference


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def settings_of(geometry):
    return geometry.stride, geometry.padding, geometry.dilation, geometry.groups


@cpu_backends
@given(data=st.data())
def test_every_geometry_agrees_with_the_definition(name, data):
    space = backend(name)
    geometry = data.draw(conv_geometries(dims=data.draw(st.integers(1, 3)), min_batch=0))
    layout = data.draw(st.sampled_from(LAYOUTS))
    input = strided(normal(*geometry.input_shape), layout)
    weight = strided(normal(*geometry.weight_shape, seed=1), layout)
    bias = data.draw(st.sampled_from([None, normal(geometry.weight_shape[0], seed=2)]))
    found = space.conv_forward(input, weight, bias, *settings_of(geometry))
    assert found.shape == geometry.output_shape
    driving.assert_near(
        found, naive_windows.convolve(input, weight, bias, *settings_of(geometry)), 1e-12, 1e-12
    )


@cpu_backends
@given(data=st.data())
def test_gradients_are_adjoints_of_the_convolution(name, data):
    space = backend(name)
    geometry = data.draw(conv_geometries(dims=data.draw(st.integers(1, 3)), min_batch=0))
    input, weight = normal(*geometry.input_shape), normal(*geometry.weight_shape, seed=1)
    g = strided(normal(*geometry.output_shape, seed=2), data.draw(st.sampled_from(LAYOUTS)))
    settings = settings_of(geometry)
    by_output = (g * naive_windows.convolve(input, weight, None, *settings)).sum()
    by_input = (space.conv_input_grad(g, weight, input.shape, *settings) * input).sum()
    by_weight = (space.conv_weight_grad(g, input, weight.shape, *settings) * weight).sum()
    np.testing.assert_allclose([by_input, by_weight], by_output, rtol=1e-11, atol=1e-11)


LARGE = {
    "many-tiles": ((3, 40, 40, 33), (24, 40, 3, 3), (1, 1), (1, 1), (1, 1), 1),
    "strided-tiles": ((2, 20, 61, 70), (7, 20, 3, 2), (2, 2), (2, 0), (1, 3), 1),
    "large-weight": ((3, 128, 6, 5), (70, 128, 3, 3), (1, 1), (1, 1), (1, 1), 1),
    "groups": ((9, 24, 20, 20), (36, 4, 3, 3), (1, 1), (0, 2), (2, 1), 6),
    "long": ((2, 3, 5000), (5, 3, 7), (1,), (3,), (1,), 1),
    "volume": ((2, 6, 9, 14, 15), (8, 3, 3, 3, 3), (1, 2, 1), (1, 1, 1), (1, 1, 1), 2),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("id", LARGE)
def test_large_problems_agree_with_reference(native, id, dtype):
    input_shape, weight_shape, *settings = LARGE[id]
    input, weight = normal(*input_shape).astype(dtype), normal(*weight_shape, seed=1).astype(dtype)
    exact = backends.reference.conv_forward(input.astype(float), weight.astype(float), None, *settings)
    g = normal(*exact.shape, seed=2).astype(dtype)
    expected = {
        "conv_forward": exact,
        "conv_input_grad": backends.reference.conv_input_grad(
            g.astype(float), weight.astype(float), input_shape, *settings
        ),
        "conv_weight_grad": backends.reference.conv_weight_grad(
            g.astype(float), input.astype(float), weight_shape, *settings
        ),
    }
    arguments = {
        "conv_forward": (input, weight, None),
        "conv_input_grad": (g, weight, input_shape),
        "conv_weight_grad": (g, input, weight_shape),
    }
    tolerance = 1e-12 if dtype is np.float64 else 2e-6
    for function, wanted in expected.items():
        for space in (native, backends.reference):
            found = getattr(space, function)(*arguments[function], *settings)
            assert found.dtype == dtype
            driving.assert_near(found, wanted, tolerance, tolerance, f"{function} of {space}")


def test_results_do_not_depend_on_the_number_of_threads(native):
    input_shape, weight_shape, *settings = LARGE["many-tiles"]
    input, weight = normal(*input_shape).astype("f"), normal(*weight_shape).astype("f")

    def everything():
        out = native.conv_forward(input, weight, None, *settings)
        return (
            out,
            native.conv_input_grad(out, weight, input_shape, *settings),
            native.conv_weight_grad(out, input, weight_shape, *settings),
        )

    thread_counts.assert_no_difference(everything)


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_half_precision_sums_in_float32(name):
    if not hasattr(minidl, name):
        pytest.skip("bfloat16 needs ml_dtypes")
    # 4096 ones: float16 stops counting at 2048, bfloat16 at 256.
    ones = minidl.ones(1, 4096, 1, dtype=getattr(minidl, name))
    out = F.conv1d(ones, ones)
    assert out.dtype is ones.dtype and out.item() == 4096
    ones.requires_grad_()
    spread = F.conv1d(ones.expand(1, 4096, 1).reshape(4096, 1, 1), ones[:, :1])
    assert spread.dtype is ones.dtype
    spread.sum().backward()
    assert ones.grad.dtype is ones.dtype


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_empty_batch_and_channels(rank):
    x = minidl.zeros(0, 2, *(4,) * rank, requires_grad=True)
    w = minidl.ones(3, 2, *(2,) * rank, requires_grad=True)
    out = CONV[rank](x, w)
    assert out.shape == (0, 3, *(3,) * rank)
    out.sum().backward()
    assert x.grad.shape == x.shape and not w.grad.any()
    assert TRANSPOSED[rank](x, minidl.ones(2, 3, *(2,) * rank)).shape == (0, 3, *(5,) * rank)
    without = CONV[rank](minidl.zeros(1, 0, *(4,) * rank), minidl.zeros(3, 0, *(2,) * rank), minidl.ones(3))
    assert without.shape == (1, 3, *(3,) * rank) and bool((without == 1).all())


def test_nan_reaches_the_windows_that_hold_it_only():
    x = minidl.ones(1, 1, 5, 5)
    x[0, 0, 2, 2] = float("nan")
    out = F.conv2d(x, minidl.ones(1, 1, 2, 2))[0, 0]
    expected = np.zeros((4, 4), bool)
    expected[1:3, 1:3] = True
    np.testing.assert_array_equal(out.isnan().numpy(), expected)


def test_the_input_may_be_an_integer():
    out = F.conv1d(minidl.tensor([[1, 2, 3]]), minidl.tensor([[[1, 1]]]))
    assert out.dtype is minidl.int64 and out.tolist() == [[3, 5]]


def test_the_three_gradients_have_gradients_of_every_order():
    x, w = (minidl.tensor(normal(1, 1, 3)[..., :n], requires_grad=True) for n in (3, 2))
    y = F.conv1d(x, w).pow(2).sum()
    (first,) = minidl.autograd.grad(y, x, create_graph=True)
    (second,) = minidl.autograd.grad(first.sum(), w, create_graph=True)
    (third,) = minidl.autograd.grad(second.sum(), w)
    # y = sum of o_i^2, o_i = w0 x_i + w1 x_i+1, so its gradient by x sums to 2 (w0 + w1) (o_0 + o_1), and so on.
    x0, x1, x2 = x.detach().numpy().ravel()
    expected = [4 * (x0 + x1) + 2 * (x0 + 2 * x1 + x2), 4 * (x1 + x2) + 2 * (x0 + 2 * x1 + x2)]
    np.testing.assert_allclose(third.numpy().ravel(), expected)


REFUSED = {
    "channels": (
        lambda: F.conv2d(minidl.zeros(1, 4, 8, 8), minidl.zeros(8, 3, 3, 3)),
        "Given groups=1, weight of size [8, 3, 3, 3], expected input[1, 4, 8, 8] to have 3 channels, but got 4",
    ),
    "rank": (
        lambda: F.conv2d(minidl.zeros(4, 4), minidl.zeros(8, 3, 3, 3)),
        "Expected 3D (unbatched) or 4D (batched) input to conv2d, but got input of size: [4, 4]",
    ),
    "weight-rank": (
        lambda: F.conv2d(minidl.zeros(3, 4, 4), minidl.zeros(8, 3, 3)),
        "Expected 3-dimensional input for 3-dimensional weight",
    ),
    "bias": (
        lambda: F.conv1d(minidl.zeros(1, 3, 8), minidl.zeros(8, 3, 3), minidl.zeros(5)),
        "Given weight of size [8, 3, 3], expected bias to be 1-dimensional with 8 elements, but got bias of size [5]",
    ),
    "groups": (
        lambda: F.conv1d(minidl.zeros(1, 9, 8), minidl.zeros(8, 3, 3), groups=3),
        "Given groups=3, expected weight to be divisible by 3 at dimension 0, but got weight of size [[8, 3, 3]]",
    ),
    "few-outputs": (
        lambda: F.conv1d(minidl.zeros(1, 9, 8), minidl.zeros(2, 3, 3), groups=3),
        "Given groups=3, expected weight to be at least 3 at dimension 0",
    ),
    "no-groups": (
        lambda: F.conv1d(minidl.zeros(1, 3, 8), minidl.zeros(8, 3, 3), groups=0),
        "non-positive groups is not supported",
    ),
    "stride": (
        lambda: F.conv1d(minidl.zeros(1, 3, 8), minidl.zeros(8, 3, 3), stride=0),
        "non-positive stride is not supported",
    ),
    "padding": (
        lambda: F.conv1d(minidl.zeros(1, 3, 8), minidl.zeros(8, 3, 3), padding=-1),
        "negative padding is not supported",
    ),
    "dilation": (
        lambda: F.conv1d(minidl.zeros(1, 3, 8), minidl.zeros(8, 3, 3), dilation=0),
        "dilation should be greater than zero",
    ),
    "stride-count": (
        lambda: F.conv2d(minidl.zeros(1, 3, 8, 8), minidl.zeros(8, 3, 3, 3), stride=(1, 2, 3)),
        "expected stride to be a single integer value or a list of 2 values to match the convolution dimensions, "
        "but got stride=[1, 2, 3]",
    ),
    "small": (
        lambda: F.conv2d(minidl.zeros(1, 3, 4, 4), minidl.zeros(8, 3, 3, 3), dilation=2, padding=(0, 1)),
        "Calculated padded input size per channel: (4 x 6). Kernel size: (5 x 5). Kernel size can't be greater than "
        "actual input size",
    ),
    "strided-same": (
        lambda: F.conv1d(minidl.zeros(1, 3, 8), minidl.zeros(8, 3, 3), padding="same", stride=2),
        "padding='same' is not supported for strided convolutions",
    ),
    "padding-word": (
        lambda: F.conv1d(minidl.zeros(1, 3, 8), minidl.zeros(8, 3, 3), padding="full"),
        "Invalid padding string: 'full'",
    ),
    "bias-dtype": (
        lambda: F.conv1d(minidl.zeros(1, 3, 8), minidl.zeros(8, 3, 3), minidl.zeros(8, dtype=minidl.float64)),
        "Input type (float) and bias type (double) should be the same",
    ),
    "weight-dtype": (
        lambda: F.conv1d(minidl.zeros(1, 3, 8, dtype=minidl.float64), minidl.zeros(8, 3, 3)),
        "Input type (double) and weight type (float) should be the same",
    ),
    "no-pixels": (
        lambda: F.conv2d(minidl.zeros(1, 3, 0, 8), minidl.zeros(8, 3, 3, 3), padding=2),
        "Only zero batch or zero channel inputs are supported, but got input shape: [1, 3, 0, 8]",
    ),
    "no-taps": (
        lambda: F.conv2d(minidl.zeros(1, 3, 8, 8), minidl.zeros(8, 3, 0, 3)),
        "kernel size should be greater than zero",
    ),
    "transposed-channels": (
        lambda: F.conv_transpose2d(minidl.zeros(1, 5, 8, 8), minidl.zeros(4, 3, 3, 3)),
        "Given transposed=1, weight of size [4, 3, 3, 3], expected input[1, 5, 8, 8] to have 4 channels, but got 5",
    ),
    "transposed-bias": (
        lambda: F.conv_transpose1d(minidl.zeros(1, 4, 8), minidl.zeros(4, 3, 3), minidl.zeros(5)),
        "Given transposed=1, weight of size [4, 3, 3], expected bias to be 1-dimensional with 3 elements, but got bias",
    ),
    "output-padding": (
        lambda: F.conv_transpose1d(minidl.zeros(1, 4, 8), minidl.zeros(4, 3, 3), output_padding=1),
        "output padding must be smaller than either stride or dilation, but got output_padding: [1]",
    ),
    "negative-output-padding": (
        lambda: F.conv_transpose1d(minidl.zeros(1, 4, 8), minidl.zeros(4, 3, 3), output_padding=-1),
        "negative output_padding is not supported",
    ),
    "transposed-small": (
        lambda: F.conv_transpose2d(minidl.zeros(1, 4, 1, 1), minidl.zeros(4, 3, 2, 2), padding=1),
        "Given input size per channel: (1 x 1). Calculated output size per channel: (0 x 0). Output size is too small",
    ),
    "odd-pad": (lambda: F.pad(minidl.zeros(2, 3), (1,)), "Padding length must be divisible by 2"),
    "long-pad": (
        lambda: F.pad(minidl.zeros(3), (1, 1, 1, 1)),
        "Padding length should be less than or equal to two times the input dimension",
    ),
    "reflect": (
        lambda: F.pad(minidl.zeros(1, 1, 3), (3, 0), "reflect"),
        "Padding size should be less than the corresponding input dimension",
    ),
    "circular": (
        lambda: F.pad(minidl.zeros(1, 1, 3), (4, 0), "circular"),
        "Padding value causes wrapping around more than once",
    ),
    "replicate": (
        lambda: F.pad(minidl.zeros(1, 1, 0), (1, 0), "replicate"),
        "Expected 2D or 3D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions",
    ),
    "cropped-away": (lambda: F.pad(minidl.zeros(3), (-2, -2)), "resulted in a negative output size"),
}  # fmt: skip


@pytest.mark.parametrize("id", REFUSED)
def test_refusals_name_the_values(id):
    call, text = REFUSED[id]
    with pytest.raises(RuntimeError) as raised:
        call()
    assert text in str(raised.value)


def test_arguments_of_the_wrong_kind():
    x, w = minidl.zeros(1, 3, 8), minidl.zeros(8, 3, 3)
    with pytest.raises(TypeError, match=r"conv1d.*'input'.*must be Tensor, not list"):
        F.conv1d([1.0], w)
    with pytest.raises(TypeError, match=r"conv1d.*'weight'.*must be Tensor, not int"):
        F.conv1d(x, 3)
    with pytest.raises(TypeError, match=r"'bias'.*must be Tensor, not float"):
        F.conv1d(x, w, 1.0)
    with pytest.raises(TypeError, match="'stride' must be tuple of ints, not float"):
        F.conv1d(x, w, stride=1.5)
    with pytest.raises(NotImplementedError, match="not implemented for 'Bool'"):
        F.conv1d(x.bool(), w.bool())
    with pytest.raises(NotImplementedError, match="Unrecognised padding mode mirror"):
        F.pad(x, (1, 1), "mirror")
    with pytest.raises(NotImplementedError, match="non-constant padding"):
        F.pad(x, (1, 1) * 3, "reflect")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"groups": 0}, "groups must be a positive integer"),
        ({"groups": 2}, "in_channels must be divisible by groups"),
        ({"groups": 3}, "out_channels must be divisible by groups"),
        ({"padding": "half"}, "Invalid padding string 'half'"),
        ({"padding": "same", "stride": 2}, "padding='same' is not supported for strided convolutions"),
        ({"padding_mode": "mirror"}, "padding_mode must be one of"),
    ],
)
def test_layers_refuse_arguments_that_do_not_fit_together(arguments, text):
    with pytest.raises(ValueError, match=text):
        nn.Conv2d(3, 4, 3, **arguments)


def test_transposed_layers_refuse_sizes_out_of_reach():
    layer = nn.ConvTranspose2d(1, 1, 3, stride=2)
    with pytest.raises(ValueError, match=r"requested an output size of .9, 9., but valid sizes range from"):
        layer(minidl.zeros(1, 1, 3, 3), output_size=(9, 9))
    with pytest.raises(ValueError, match="output_size must have 2 or 4 elements"):
        layer(minidl.zeros(1, 1, 3, 3), output_size=(9,))
    with pytest.raises(ValueError, match='Only "zeros" padding mode is supported for ConvTranspose1d'):
        nn.ConvTranspose1d(1, 1, 3, padding_mode="reflect")


def test_initial_values_are_uniform_within_pytorchs_bound():
    minidl.manual_seed(0)
    layer = nn.Conv2d(16, 64, 3, groups=2)
    bound = 1 / np.sqrt(8 * 9)
    for parameter in (layer.weight, layer.bias):
        assert abs(parameter.abs().max().item() / bound - 1) < 0.05 and parameter.abs().max().item() <= bound
    np.testing.assert_allclose(layer.weight.detach().numpy().std(), bound / np.sqrt(3), rtol=0.03)
    assert nn.Conv2d(0, 3, 2).weight.shape == (3, 0, 2, 2)
