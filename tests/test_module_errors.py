"""What modules refuse, with the words for it."""

import pytest
from networks import Net

import minidl
from minidl import nn


def _early(make):
    class Early(nn.Module):
        def __init__(self):
            self.thing = make()

    return Early


LINEAR = nn.Linear(2, 3)
BAD = [
    (_early(lambda: nn.Linear(1, 1)), AttributeError, "cannot assign module before Module.__init__() call"),
    (
        _early(lambda: nn.Parameter(minidl.ones(1))),
        AttributeError,
        "cannot assign parameters before Module.__init__() call",
    ),
    (
        _early(lambda: nn.Buffer(minidl.ones(1))),
        AttributeError,
        "cannot assign buffer before Module.__init__() call",
    ),
    (lambda: setattr(LINEAR, "weight", 3), TypeError, "cannot assign 'int' as parameter 'weight'"),
    (
        lambda: setattr(LINEAR, "weight", minidl.ones(2)),
        TypeError,
        "cannot assign 'minidl.FloatTensor' as parameter 'weight' (minidl.nn.Parameter or None expected)",
    ),
    (lambda: setattr(Net(), "first", 3), TypeError, "cannot assign 'int' as child module 'first'"),
    (lambda: setattr(Net(), "scale", 3), TypeError, "cannot assign 'int' as buffer 'scale'"),
    (lambda: LINEAR.missing, AttributeError, "'Linear' object has no attribute 'missing'"),
    (
        lambda: nn.Module()(3),
        NotImplementedError,
        'Module [Module] is missing the required "forward" function',
    ),
    (lambda: nn.Module(3), TypeError, "takes 1 positional argument but 2 were given"),
    (lambda: LINEAR.register_parameter("w", minidl.ones(1)), TypeError, "object to parameter 'w'"),
    (lambda: LINEAR.register_parameter("w", LINEAR.weight * 2), TypeError, "object to parameter 'w'"),
    (lambda: LINEAR.register_parameter("a.b", None), KeyError, 'parameter name can\\\'t contain "."'),
    (lambda: LINEAR.register_parameter("", None), KeyError, "parameter name can\\'t be empty string"),
    (lambda: LINEAR.register_parameter("forward", None), KeyError, "attribute 'forward' already exists"),
    (lambda: LINEAR.register_parameter(3, None), TypeError, "parameter name should be a string. Got int"),
    (lambda: LINEAR.register_buffer("b", 3), TypeError, "cannot assign 'int' object to buffer 'b'"),
    (lambda: LINEAR.add_module("m", 3), TypeError, "int is not a Module subclass"),
    (lambda: LINEAR.get_submodule("a.b"), AttributeError, "Linear has no attribute `a`"),
    (lambda: LINEAR.get_submodule("in_features"), AttributeError, "`in_features` is not an nn.Module"),
    (lambda: LINEAR.get_parameter("in_features"), AttributeError, "`in_features` is not an nn.Parameter"),
    (lambda: LINEAR.get_buffer("weight"), AttributeError, "`weight` is not a buffer"),
    (lambda: LINEAR.train(3), ValueError, "training mode is expected to be boolean"),
    (lambda: LINEAR.to(minidl.int32), TypeError, "only accepts floating point or complex dtypes"),
    (lambda: LINEAR.to("int32"), RuntimeError, "'int32'"),
    (lambda: LINEAR.load_state_dict(3), TypeError, "Expected state_dict to be dict-like, got <class 'int'>."),
    (lambda: nn.Parameter([1.0]), TypeError, "must be Tensor, not list"),
    (lambda: nn.Parameter(minidl.tensor([1])), RuntimeError, "floating point"),
    (lambda: nn.Sequential(nn.ReLU())[5], IndexError, "index 5 is out of range"),
    (lambda: nn.Sequential(nn.ReLU())["a"], TypeError, "cannot be interpreted as an integer"),
    (lambda: nn.Sequential(3), TypeError, "int is not a Module subclass"),
    (lambda: nn.Sequential() + 3, ValueError, "add operator supports only objects of Sequential class"),
    (lambda: nn.Sequential() * 0, ValueError, "Non-positive multiplication factor 0"),
    (lambda: nn.Sequential() * "a", TypeError, "unsupported operand type(s) for *"),
    (lambda: nn.Sequential().insert(9, LINEAR), IndexError, "Index out of range: 9"),
    (lambda: nn.Sequential().insert(0, 3), AssertionError, "module should be of type"),
    (lambda: nn.ModuleList([1]), TypeError, "int is not a Module subclass"),
    (lambda: nn.ModuleList().extend(3), TypeError, "should be called with an iterable, but got int"),
    (lambda: nn.ModuleDict([1]), TypeError, "element #0 should be Iterable"),
    (lambda: nn.ModuleDict([(1, 2, 3)]), ValueError, "element #0 has length 3; 2 is required"),
    (lambda: nn.ModuleDict(3), TypeError, "iterable of key/value pairs, but got int"),
    (lambda: nn.ModuleDict({"pop": LINEAR}), KeyError, "attribute 'pop' already exists"),
    (lambda: nn.ModuleDict()["b"], KeyError, "b"),
    (lambda: nn.ParameterDict({3: minidl.ones(1)}), TypeError, "it is not a string"),
    (lambda: nn.ParameterList()(), RuntimeError, "ParameterList should not be called."),
    (lambda: nn.Unflatten(1, 3), TypeError, "unflattened_size must be a tuple of ints"),
    (lambda: nn.Unflatten(1, ("a", 3)), TypeError, "element of type str at pos 0"),
    (lambda: nn.Bilinear(0, 3, 1), ValueError, "in1_features must be > 0"),
    (lambda: nn.Hardtanh(1, 0), AssertionError, "max_val (0) must be greater than min_val (1)"),
    (lambda: nn.CELU(0.0)(minidl.ones(1)), RuntimeError, "alpha cannot be 0 for CELU"),
    (
        lambda: nn.GELU("foo")(minidl.ones(1)),
        RuntimeError,
        "approximate argument must be either none or tanh",
    ),
    (
        lambda: nn.GLU()(minidl.ones(3)),
        RuntimeError,
        "Halving dimension must be even, but dimension 0 is size 3",
    ),
    (
        lambda: nn.PReLU(3)(minidl.ones(2, 2)),
        RuntimeError,
        "Found parameter numbers = 3 and channel size = 2",
    ),
    (lambda: nn.Softshrink(-1.0)(minidl.ones(1)), RuntimeError, "lambda must be"),
    (lambda: nn.SiLU()(minidl.tensor([1])), NotImplementedError, "\"silu_cpu\" not implemented for 'Long'"),
    (
        lambda: LINEAR(minidl.ones(4, 5)),
        RuntimeError,
        "mat1 and mat2 shapes cannot be multiplied (4x5 and 2x3)",
    ),
    (lambda: nn.MaxPool2d(2, stride=2**61)(minidl.ones(1, 4, 4)), RuntimeError, "without overflow"),
    (
        lambda: nn.Conv1d(1, 1, 1, stride=2**70)(minidl.ones(1, 4)),
        RuntimeError,
        "Conv1d() takes stride up to",
    ),
    (lambda: nn.BatchNorm1d(2, eps=-1.0)(minidl.ones(3, 2)), ValueError, "eps must be positive"),
    (
        lambda: minidl.nn.utils.vector_to_parameters(minidl.ones(2), [minidl.ones(3)]),
        RuntimeError,
        "2 elements",
    ),
    (lambda: LINEAR.to("cpu", minidl.float32, False, True), TypeError, "at most 3 positional"),
    (lambda: LINEAR(minidl.ones(4, 5)), RuntimeError, "Linear(in_features=2, out_features=3, bias=True)"),
]


@pytest.mark.parametrize(("call", "error", "text"), BAD, ids=[text[:50] for _, _, text in BAD])
def test_bad_use(call, error, text):
    with pytest.raises(error) as raised:
        call()
    assert text in str(raised.value)
    assert str(raised.value).count("Hint:") <= 1
