"""A layer of minidl.keras beside Keras' own: equal weights, outputs, gradients, shapes, names and configs."""

import inspect

import keras
import numpy as np
import torch

import minidl
from minidl import keras as ours
from minidl.keras.engine.layout import to_keras
from minidl.keras.engine.variable import Weight

TOLERANCE = {"rtol": 2e-5, "atol": 2e-5}
ANYWHERE = {"name", "dtype", "trainable", "input_axes", "output_axes"}
KERAS_KEYS = {"quantization_config", "rms_scaling", "synchronized"}


class Row:
    """One comparison: the layer's name, its arguments, and its inputs (shapes, or arrays)."""

    def __init__(
        self, name, args, *inputs, training=False, grad=True, shapes=True, id="", call=None, **kwargs
    ):
        self.name, self.args, self.inputs, self.kwargs = name, args, inputs, kwargs
        self.training, self.grad, self.shapes, self.call = training, grad, shapes, call or {}
        shown = ",".join([*map(str, args), *(f"{k}={v}" for k, v in kwargs.items())])
        self.id = id or f"{name}({shown}){'-training' if training else ''}-{len(inputs)}"

    def __repr__(self):
        return self.id


def arrays(row, seed=0):
    """The row's inputs: standard normal where only a shape is given."""
    rng = np.random.default_rng(seed)
    return [
        rng.standard_normal(i).astype("float32") if isinstance(i, tuple) else np.asarray(i)
        for i in row.inputs
    ]


def randomise(layer, seed=1):
    """Random weights of Keras' layer; positive ones stay so."""
    rng = np.random.default_rng(seed)
    values = []
    for weight in layer.weights:
        value = rng.standard_normal(weight.shape).astype("float32") * 0.5
        values.append(abs(value) + 0.5 if "variance" in weight.name else value)
    layer.set_weights(values)
    return values


def weight_gradients(layer):
    """The gradients of our trained weights, in Keras' layout."""
    found = []
    for weight in layer.trainable_weights:
        grads = [p.grad for p in weight.parameters]
        if any(g is None for g in grads):
            found.append(None)
        else:
            found.append(
                np.asarray(to_keras(weight.layout if isinstance(weight, Weight) else None, grads).numpy())
            )
    return found


def flat(outputs):
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def numbers(tensor):
    if isinstance(tensor, torch.Tensor):
        return tensor.detach().cpu().numpy()
    return tensor.detach().numpy()


def both(row):
    """Keras' layer and ours, built on the row's inputs, with equal weights, and the inputs."""
    values = arrays(row)
    theirs = getattr(keras.layers, row.name)(*row.args, **row.kwargs)
    mine = getattr(ours.layers, row.name)(*row.args, **row.kwargs)
    given = values[0] if len(values) == 1 else values
    with torch.no_grad():
        theirs(given, **row.call)
    with minidl.no_grad():
        mine(given, **row.call)
    mine.set_weights(randomise(theirs))
    return theirs, mine, values


def compare_outputs(theirs, mine, values, row):
    """Outputs, masks, and the gradients of sum(output * output) for inputs and weights."""
    floats = [v.dtype.kind == "f" for v in values]
    wanted_in = [torch.tensor(v, requires_grad=f) for v, f in zip(values, floats)]
    got_in = [minidl.tensor(v, requires_grad=f) for v, f in zip(values, floats)]
    options = dict(row.call)
    if "training" in inspect.signature(type(theirs).call).parameters:
        options["training"] = row.training
    wanted = theirs(wanted_in[0] if len(values) == 1 else wanted_in, **options)
    got = mine(got_in[0] if len(values) == 1 else got_in, **options)
    for w, g in zip(flat(wanted), flat(got), strict=True):
        assert tuple(w.shape) == tuple(g.shape), (tuple(w.shape), tuple(g.shape))
        np.testing.assert_allclose(numbers(g), numbers(w), **TOLERANCE)
    if row.grad:
        compare_gradients(theirs, mine, wanted, got, wanted_in, got_in)


def compare_gradients(theirs, mine, wanted, got, wanted_in, got_in):
    """Gradients of sum(output * output) for every floating-point input and every trained weight."""
    for variable in theirs.trainable_weights:
        variable.value.grad = None
    sum((w * w).sum() for w in flat(wanted)).backward()
    sum((g * g).sum() for g in flat(got)).backward()
    for w, g in zip(wanted_in, got_in):
        if w.requires_grad:
            np.testing.assert_allclose(numbers(g.grad), numbers(w.grad), rtol=2e-4, atol=2e-4)
    for variable, g in zip(theirs.trainable_weights, weight_gradients(mine), strict=True):
        w = variable.value.grad
        assert (w is None) == (g is None), variable.path
        if w is not None:
            np.testing.assert_allclose(g, numbers(w), rtol=3e-4, atol=3e-4, err_msg=variable.path)


def compare_statistics(theirs, mine):
    """Weights that are not trained: moving statistics."""
    for w, g in zip(theirs.non_trainable_weights, mine.non_trainable_weights, strict=True):
        np.testing.assert_allclose(g.numpy(), w.value.detach().numpy(), **TOLERANCE)


def compare_names(theirs, mine):
    """Weights: number, order, names, shapes, which are trained."""
    assert [w.name for w in theirs.weights] == [w.name for w in mine.weights]
    assert [tuple(w.shape) for w in theirs.weights] == [tuple(w.shape) for w in mine.weights]
    assert [w.name for w in theirs.trainable_weights] == [w.name for w in mine.trainable_weights]


def plain(value):
    """A config's value without what may differ: names, where a class lives; lists as tuples."""
    if isinstance(value, dict):
        if "class_name" in value:
            return value["class_name"], plain(value["config"])
        return {k: plain(v) for k, v in value.items() if k not in ANYWHERE | KERAS_KEYS}
    return tuple(map(plain, value)) if isinstance(value, (list, tuple)) else value


def compare_configs(theirs, mine):
    """The same keys and values, and a layer made again of ours."""
    wanted, got = plain(theirs.get_config()), plain(mine.get_config())
    assert got == wanted, {
        k: (got.get(k), wanted.get(k)) for k in {*got, *wanted} if got.get(k) != wanted.get(k)
    }
    assert type(mine).from_config(mine.get_config()).get_config() == mine.get_config()


def compare_shapes(theirs, mine, values):
    """compute_output_shape with a known batch and an unknown one."""
    for batch in (values[0].shape[0], None):
        shapes = [(batch, *v.shape[1:]) for v in values]
        given = shapes[0] if len(shapes) == 1 else shapes
        wanted, got = theirs.compute_output_shape(given), mine.compute_output_shape(given)
        assert np.array_equal(np.array(wanted, dtype=object), np.array(got, dtype=object)), (wanted, got)


def compare(row):
    """All of it."""
    theirs, mine, values = both(row)
    compare_names(theirs, mine)
    compare_outputs(theirs, mine, values, row)
    compare_statistics(theirs, mine)
    compare_configs(*(getattr(kit.layers, row.name)(*row.args, **row.kwargs) for kit in (keras, ours)))
    if row.shapes:
        compare_shapes(theirs, mine, values)
