"""Recurrent layers: what the rows of ``tests/cases`` do not say (defaults, dropout, small dtypes, refusals)."""

import math

import driving
import numpy as np
import pytest
from cases import recurrent as oracle

import minidl
from minidl import autograd, backends, nn
from minidl.autograd import registry
from minidl.autograd.tensor import leaf

LAYERS = ["RNN", "LSTM", "GRU"]
layers = pytest.mark.parametrize("name", LAYERS)
cells = pytest.mark.parametrize("name", [f"{name}Cell" for name in LAYERS])


def states(name, *shape):
    """The state argument of a layer or cell: zeros, in a pair for the LSTM."""
    return tuple(minidl.zeros(shape) for _ in range(2)) if name.startswith("LSTM") else minidl.zeros(shape)


def one(state):
    return state[0] if isinstance(state, tuple) else state


# --- parameters ---------------------------------------------------------------------------------------------------


@layers
def test_parameters_are_drawn_between_plus_and_minus_one_over_root_h(name):
    layer = getattr(nn, name)(50, 25, num_layers=2)
    for label, parameter in layer.named_parameters():
        values = parameter.detach().numpy()
        assert np.abs(values).max() <= 1 / math.sqrt(25), label
        assert values.std() > 0.8 / math.sqrt(25) / math.sqrt(3), label


def test_all_weights_lists_each_layer_and_direction():
    layer = nn.LSTM(2, 3, num_layers=2, bidirectional=True, proj_size=1)
    assert [len(group) for group in layer.all_weights] == [5] * 4
    assert layer.all_weights[1][0] is layer.weight_ih_l0_reverse
    layer.weight_ih_l0_reverse = nn.Parameter(minidl.zeros(12, 2))
    assert layer.all_weights[1][0] is layer.weight_ih_l0_reverse
    assert layer._flat_weights_names[5] == "weight_ih_l0_reverse" and len(layer._flat_weights_names) == 20
    assert layer.flatten_parameters() is None


# --- forward ------------------------------------------------------------------------------------------------------


@layers
def test_missing_state_is_zero(name):
    layer = getattr(nn, name)(2, 3, num_layers=2, bidirectional=True)
    x = minidl.randn(4, 5, 2)
    for found, wanted in zip(
        driving.flat(layer(x)), driving.flat(layer(x, states(name, 4, 5, 3))), strict=True
    ):
        np.testing.assert_array_equal(found.detach().numpy(), wanted.detach().numpy())


@layers
def test_a_sequence_equals_its_cell_step_by_step(name):
    layer, cell = getattr(nn, name)(2, 3), getattr(nn, f"{name}Cell")(2, 3)
    cell.load_state_dict({key.removesuffix("_l0"): value for key, value in layer.state_dict().items()})
    x, state = minidl.randn(6, 4, 2), None
    output, last = layer(x)
    for t in range(6):
        state = cell(x[t], state)
        np.testing.assert_allclose(
            one(state).detach().numpy(), output[t].detach().numpy(), rtol=1e-5, atol=1e-6
        )
    for found, wanted in zip(driving.flat(last), driving.flat(state), strict=True):
        np.testing.assert_allclose(found[0].detach().numpy(), wanted.detach().numpy(), rtol=1e-5, atol=1e-6)


@layers
def test_dropout_acts_between_layers_in_training_only(name):
    x = minidl.randn(3, 4, 2)
    layer = getattr(nn, name)(2, 3, num_layers=2, dropout=0.5)
    plain = getattr(nn, name)(2, 3, num_layers=2)
    plain.load_state_dict(layer.state_dict())
    wanted = plain(x)[0].detach().numpy()
    np.testing.assert_array_equal(layer.eval()(x)[0].detach().numpy(), wanted)
    assert np.abs(layer.train()(x)[0].detach().numpy() - wanted).max() > 1e-3


@layers
def test_dropout_of_one_leaves_the_bias_alone(name):
    layer = getattr(nn, name)(2, 3, num_layers=2, dropout=1.0)
    first, second = layer(minidl.randn(3, 4, 2))[0], layer(minidl.randn(3, 4, 2))[0]
    np.testing.assert_array_equal(first.detach().numpy(), second.detach().numpy())


def test_one_layer_with_dropout_warns():
    with pytest.warns(
        UserWarning, match="dropout option adds dropout after all but last recurrent layer"
    ) as caught:
        nn.GRU(2, 3, dropout=0.5)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("op", ["_rnn_sequence", "_lstm_sequence", "_gru_sequence"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_small_dtypes_accumulate_in_float32(op, dtype):
    gates = {"_rnn_sequence": 1, "_lstm_sequence": 4, "_gru_sequence": 3}[op]
    rng = np.random.default_rng(0)
    shapes = [(5, 2, 64), *[(2, 8)] * (2 if gates == 4 else 1), (8 * gates, 64), (8 * gates, 8)]
    inputs = [minidl.tensor(0.3 * rng.standard_normal(shape)).to(getattr(minidl, dtype)) for shape in shapes]
    output = registry.OPS[op].public(*inputs)[0]
    assert output.dtype is getattr(minidl, dtype)
    exact = getattr(oracle, op[1:])(*(x.to(minidl.float64).numpy() for x in inputs))[0]
    unit = 2.0**-11 if dtype == "float16" else 2.0**-8
    np.testing.assert_allclose(output.to(minidl.float64).numpy(), exact, rtol=0, atol=2 * unit)


def test_kernels_take_what_is_not_contiguous_themselves(native):
    with driving.cpu_backend(native), backends.trace_fallbacks() as fallen:
        layer = nn.GRU(2, 3, batch_first=True)
        output, _ = layer(minidl.randn(2, 2, 10).transpose(1, 2)[:, ::2])
        output[:, ::2].sum().backward()
    assert not [name for _, name in fallen if "gru" in name]
    assert all(np.isfinite(p.grad.numpy()).all() for p in layer.parameters())


def test_gradients_flow_from_last_state_alone():
    layer = nn.LSTM(2, 3)
    x = minidl.randn(4, 2, 2, requires_grad=True)
    _, (h_n, _) = layer(x)
    h_n.sum().backward()
    assert np.abs(x.grad.numpy()).min() > 0


def test_an_unused_result_needs_no_gradient():
    """c_n alone: neither outputs nor h_n bring a gradient."""
    layer = nn.LSTM(2, 3).double()
    x = leaf(np.random.default_rng(0).standard_normal((3, 2, 2)))
    (found,) = autograd.grad([layer(x)[1][1].sum()], [layer.weight_hh_l0])
    weight = layer.weight_hh_l0.detach().numpy()

    def scalar():
        return float(layer(x)[1][1].sum().item())

    (numeric,) = driving.central_differences(scalar, [weight])
    driving.assert_near(found.numpy(), numeric, 1e-6, 1e-7)


# --- refusals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "match", "args", "kwargs"),
    [
        (ValueError, "input_size must be greater than zero", (0, 3), {}),
        (ValueError, "hidden_size must be greater than zero", (2, 0), {}),
        (ValueError, "num_layers must be greater than zero", (2, 3, 0), {}),
        (TypeError, "input_size should be of type int, got: float", (2.0, 3), {}),
        (TypeError, "hidden_size should be of type int, got: str", (2, "3"), {}),
        (TypeError, "bias should be of type bool, got: int", (2, 3), {"bias": 1}),
        (TypeError, "batch_first should be of type bool, got: int", (2, 3), {"batch_first": 1}),
        (ValueError, r"dropout should be a number in range \[0, 1\]", (2, 3), {"dropout": 1.5}),
        (ValueError, r"dropout should be a number in range \[0, 1\]", (2, 3), {"dropout": True}),
    ],
)
@layers
def test_options_out_of_range_are_refused(name, error, match, args, kwargs):
    with pytest.raises(error, match=match):
        getattr(nn, name)(*args, **kwargs)


def test_options_of_one_layer_are_refused():
    with pytest.raises(ValueError, match="proj_size should be a positive integer or zero"):
        nn.LSTM(2, 3, proj_size=-1)
    with pytest.raises(ValueError, match="proj_size has to be smaller than hidden_size"):
        nn.LSTM(2, 3, proj_size=3)
    for name in ("RNN", "GRU"):
        with pytest.raises(ValueError, match="proj_size argument is only supported for LSTM, not RNN or GRU"):
            getattr(nn, name)(2, 3, proj_size=2)
    with pytest.raises(ValueError, match=r"Unknown nonlinearity 'elu'. Select from 'tanh' or 'relu'."):
        nn.RNN(2, 3, nonlinearity="elu")
    with pytest.raises(ValueError, match="Unrecognized RNN mode: ESN"):
        nn.RNNBase("ESN", 2, 3)


@layers
def test_inputs_that_do_not_fit_are_refused(name):
    layer = getattr(nn, name)(2, 3)
    with pytest.raises(ValueError, match=rf"{name}: Expected input to be 2D or 3D, got 4D (tensor )?instead"):
        layer(minidl.zeros(1, 1, 1, 2))
    with pytest.raises(
        RuntimeError, match=r"input.size\(-1\) must be equal to input_size. Expected 2, got 3"
    ):
        layer(minidl.zeros(4, 1, 3))
    with pytest.raises(ValueError, match=r"RNN input dtype \(minidl.float64\) does not match weight dtype"):
        layer(minidl.zeros(4, 1, 2, dtype=minidl.float64))
    with pytest.raises(RuntimeError, match="Expected sequence length to be larger than 0 in RNN"):
        layer(minidl.zeros(0, 1, 2))


@layers
def test_states_that_do_not_fit_are_refused(name):
    layer = getattr(nn, name)(2, 3)
    expected = r"Expected hidden\[0\] size" if name == "LSTM" else "Expected hidden size"
    with pytest.raises(RuntimeError, match=rf"{expected} \(1, 4, 3\), got \[1, 5, 3\]"):
        layer(minidl.zeros(6, 4, 2), states(name, 1, 5, 3))
    with pytest.raises(RuntimeError, match=r"For batched 3-D input, hx .*should also be 3-D but got"):
        layer(minidl.zeros(6, 4, 2), states(name, 4, 3))
    with pytest.raises(RuntimeError, match=r"For unbatched 2-D input, hx .*should also be 2-D but got"):
        layer(minidl.zeros(6, 2), states(name, 1, 1, 3))
    with pytest.raises(
        RuntimeError, match="mat1 and mat2 must have the same dtype, but got Double and Float"
    ):
        double = driving.flat(states(name, 1, 4, 3))
        double = tuple(state.double() for state in double)
        layer(minidl.zeros(6, 4, 2), double if name == "LSTM" else double[0])


def test_lstm_states_must_be_a_pair():
    state = minidl.zeros(1, 4, 3)
    for hx in (state, (state,), (state, state, state)):
        with pytest.raises(TypeError, match="expected hx to be a tuple"):
            nn.LSTM(2, 3)(minidl.zeros(6, 4, 2), hx)
    with pytest.raises(RuntimeError, match=r"Expected hidden\[1\] size \(1, 4, 3\), got \[1, 4, 2\]"):
        nn.LSTM(2, 3)(minidl.zeros(6, 4, 2), (state, minidl.zeros(1, 4, 2)))
    with pytest.raises(TypeError, match=r"argument 'hx' .*must be tuple of Tensors, not Tensor"):
        nn.LSTMCell(2, 3)(minidl.zeros(4, 2), minidl.zeros(4, 3))
    with pytest.raises(RuntimeError, match="lstm_cell expects two hidden states"):
        nn.LSTMCell(2, 3)(minidl.zeros(4, 2), (minidl.zeros(4, 3),))


@cells
def test_cells_refuse_what_does_not_fit(name):
    cell = getattr(nn, name)(2, 3)
    with pytest.raises(ValueError, match=f"{name}: Expected input to be 1D or 2D, got 3D instead"):
        cell(minidl.zeros(4, 2, 1))
    with pytest.raises(ValueError, match=rf"{name}: Expected h\S* to be 1D or 2D, got 3D instead"):
        cell(minidl.zeros(4, 2), states(name, 1, 4, 3))
    with pytest.raises(RuntimeError, match="input has inconsistent input_size: got 3 expected 2"):
        cell(minidl.zeros(4, 3))
    with pytest.raises(RuntimeError, match="hidden0 has inconsistent hidden_size: got 5, expected 3"):
        cell(minidl.zeros(4, 2), states(name, 4, 5))
    with pytest.raises(RuntimeError, match="Input batch size 4 doesn't match hidden0 batch size 5"):
        cell(minidl.zeros(4, 2), states(name, 5, 3))
    with pytest.raises(RuntimeError, match="Input batch size 4 doesn't match hidden0 batch size 3"):
        cell(minidl.zeros(4, 2), states(name, 3))
    with pytest.raises(RuntimeError, match="mat1 and mat2 must have the same dtype"):
        cell(minidl.zeros(4, 2, dtype=minidl.float64))
    with pytest.raises(RuntimeError, match="input has inconsistent input_size: got 3 expected 2"):
        cell(minidl.zeros(4, 3, dtype=minidl.float64))  # sizes before dtypes


def test_cell_functions_refuse_weights_that_do_not_fit():
    x, h, zeros = minidl.zeros(4, 2), minidl.zeros(4, 3), minidl.zeros
    with pytest.raises(RuntimeError, match=r"weight_ih first dim must be 3 \* hidden_size = 9, but got 8"):
        minidl.gru_cell(x, h, zeros(8, 2), zeros(9, 3))
    with pytest.raises(RuntimeError, match=r"weight_hh first dim must be 1 \* hidden_size = 3, but got 4"):
        minidl.rnn_tanh_cell(x, h, zeros(3, 2), zeros(4, 3))
    with pytest.raises(
        RuntimeError, match=r"The expanded size of the tensor \(12\) must match the existing size \(11\)"
    ):
        minidl.lstm_cell(x, (h, h), zeros(12, 2), zeros(12, 3), zeros(11))
    with pytest.raises(RuntimeError, match="'Long'"):
        minidl.rnn_relu_cell(x.long(), h.long(), zeros(3, 2).long(), zeros(3, 3).long())
    with pytest.raises(RuntimeError, match=r"Unknown nonlinearity: elu"):
        nn.RNNCell(2, 3, nonlinearity="elu")(x)


def test_sequence_functions_refuse_parameters_that_do_not_fit():
    x, h, zeros = minidl.zeros(5, 4, 2), minidl.zeros(1, 4, 3), minidl.zeros
    options = (1, 0.0, False, False, False)
    with pytest.raises(RuntimeError, match=r"gru: expected 4 parameters .*got 2"):
        minidl.gru(x, h, [zeros(9, 2), zeros(9, 3)], True, *options)
    with pytest.raises(RuntimeError, match=r"weight_ih of shape \[9, 2\], got \[9, 3\]"):
        minidl.gru(x, h, [zeros(9, 3), zeros(9, 3)], False, *options)
    with pytest.raises(RuntimeError, match=r"expected hidden0 of shape \[2, batch, hidden_size\]"):
        minidl.rnn_tanh(x, h, [zeros(3, 2), zeros(3, 3)] * 2, False, 1, 0.0, False, True, False)
    with pytest.raises(RuntimeError, match="input must have 3 dimensions, got 2"):
        minidl.rnn_relu(x[0], h, [zeros(3, 2), zeros(3, 3)], False, *options)
    with pytest.raises(RuntimeError, match="lstm expects two hidden states"):
        minidl.lstm(x, h, [zeros(12, 2), zeros(12, 3)], False, *options)
