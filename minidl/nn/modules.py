"""PyTorch's paths of its layers: ``minidl.nn.modules.linear.Linear`` is ``minidl.nn.Linear``.

The rooms below are made of the table: a name is looked up in ``minidl.nn`` when it is asked for, so a layer is where
PyTorch has it, wherever its own file is.

>>> import minidl
>>> from minidl.nn.modules.batchnorm import BatchNorm2d
>>> BatchNorm2d is minidl.nn.BatchNorm2d
True
"""

import importlib.machinery
import itertools
import operator
import sys
import types
from collections import OrderedDict

from minidl.nn.module_hooks import EVERYWHERE, Hook, register

_ROOMS = {
    "activation": "CELU ELU GELU GLU Hardshrink Hardsigmoid Hardswish Hardtanh LeakyReLU LogSigmoid LogSoftmax Mish "
    "MultiheadAttention PReLU RReLU ReLU ReLU6 SELU SiLU Sigmoid Softmax Softmax2d Softmin Softplus Softshrink "
    "Softsign Tanh Tanhshrink Threshold",
    "adaptive": "AdaptiveLogSoftmaxWithLoss",
    "batchnorm": "BatchNorm1d BatchNorm2d BatchNorm3d LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d SyncBatchNorm",
    "channelshuffle": "ChannelShuffle",
    "container": "ModuleDict ModuleList ParameterDict ParameterList Sequential",
    "conv": "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d LazyConv1d LazyConv2d LazyConv3d "
    "LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d",
    "distance": "CosineSimilarity PairwiseDistance",
    "dropout": "AlphaDropout Dropout Dropout1d Dropout2d Dropout3d FeatureAlphaDropout",
    "flatten": "Flatten Unflatten",
    "fold": "Fold Unfold",
    "instancenorm": "InstanceNorm1d InstanceNorm2d InstanceNorm3d LazyInstanceNorm1d LazyInstanceNorm2d "
    "LazyInstanceNorm3d",
    "lazy": "LazyModuleMixin",
    "linear": "Bilinear Identity LazyLinear Linear",
    "linear_cross_entropy_options": "LinearCrossEntropyOptions",
    "loss": "BCELoss BCEWithLogitsLoss CTCLoss CosineEmbeddingLoss CrossEntropyLoss GaussianNLLLoss HingeEmbeddingLoss "
    "HuberLoss KLDivLoss L1Loss LinearCrossEntropyLoss MSELoss MarginRankingLoss MultiLabelMarginLoss "
    "MultiLabelSoftMarginLoss MultiMarginLoss NLLLoss NLLLoss2d PoissonNLLLoss SmoothL1Loss SoftMarginLoss "
    "TripletMarginLoss TripletMarginWithDistanceLoss",
    "module": "Module",
    "normalization": "CrossMapLRN2d GroupNorm LayerNorm LocalResponseNorm RMSNorm",
    "padding": "CircularPad1d CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d ConstantPad3d ReflectionPad1d "
    "ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d ZeroPad1d ZeroPad2d ZeroPad3d",
    "pixelshuffle": "PixelShuffle PixelUnshuffle",
    "pooling": "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d "
    "AdaptiveMaxPool3d AvgPool1d AvgPool2d AvgPool3d FractionalMaxPool2d FractionalMaxPool3d LPPool1d LPPool2d "
    "LPPool3d MaxPool1d MaxPool2d MaxPool3d MaxUnpool1d MaxUnpool2d MaxUnpool3d",
    "rnn": "GRU GRUCell LSTM LSTMCell RNN RNNBase RNNCell RNNCellBase",
    "sparse": "Embedding EmbeddingBag",
    "transformer": "Transformer TransformerDecoder TransformerDecoderLayer TransformerEncoder TransformerEncoderLayer",
    "upsampling": "Upsample UpsamplingBilinear2d UpsamplingNearest2d",
    "utils": "",
}


def register_module_forward_pre_hook(hook):
    """``register_forward_pre_hook`` for every module there is and will be; its hooks run before a module's own.

    >>> import minidl
    >>> from minidl.nn.modules.module import register_module_forward_pre_hook
    >>> with register_module_forward_pre_hook(lambda module, args: print(module)):
    ...     _ = minidl.nn.ReLU()(minidl.ones(1))
    ReLU()
    """
    return register(EVERYWHERE, ("forward_pre", Hook(hook)))


def register_module_forward_hook(hook, *, with_kwargs=False, always_call=False):
    """``register_forward_hook`` for every module there is and will be; its hooks run before a module's own."""
    return register(EVERYWHERE, ("forward", Hook(hook, with_kwargs, always_call)))


def register_module_full_backward_pre_hook(hook):
    """``register_full_backward_pre_hook`` for every module there is and will be."""
    return register(EVERYWHERE, ("backward_pre", Hook(hook)))


def register_module_full_backward_hook(hook):
    """``register_full_backward_hook`` for every module there is and will be."""
    return register(EVERYWHERE, ("backward", Hook(hook)))


def register_module_parameter_registration_hook(hook):
    """Calls ``hook(module, name, parameter)`` where a parameter is registered; a result replaces it."""
    return register(EVERYWHERE, ("parameter", Hook(hook)))


def register_module_buffer_registration_hook(hook):
    """Calls ``hook(module, name, buffer)`` where a buffer is registered; a result replaces it."""
    return register(EVERYWHERE, ("buffer", Hook(hook)))


def register_module_module_registration_hook(hook):
    """Calls ``hook(module, name, child)`` where a child is registered; a result replaces it."""
    return register(EVERYWHERE, ("module", Hook(hook)))


def consume_prefix_in_state_dict_if_present(state_dict, prefix):
    """Takes ``prefix`` off the names of a state dict that begin with it, in place: ``module.`` of a parallel wrapper.

    Source: ``torch.nn.modules.utils.consume_prefix_in_state_dict_if_present``.

    >>> from minidl.nn.modules.utils import consume_prefix_in_state_dict_if_present
    >>> state = {"module.weight": 1, "epoch": 2}
    >>> consume_prefix_in_state_dict_if_present(state, "module.")
    >>> state
    {'weight': 1, 'epoch': 2}
    """
    renamed = [(key.removeprefix(prefix), value) for key, value in state_dict.items()]
    state_dict.clear()
    state_dict.update(renamed)
    metadata = getattr(state_dict, "_metadata", None)
    if metadata is not None:
        kept = [(key[len(prefix) :] if key.startswith(prefix) else key, value) for key, value in metadata.items()
                if key != prefix.rstrip(".") or not key]  # fmt: skip
        state_dict._metadata = OrderedDict(kept)


def _addindent(s_, numSpaces):
    """A text with all lines but the first moved right by ``numSpaces``."""
    return s_.replace("\n", "\n" + " " * numSpaces)


def _ntuple(n, name="parse"):
    def spread(x):
        return tuple(x) if hasattr(x, "__iter__") else tuple(itertools.repeat(x, n))

    spread.__name__ = name
    spread.__doc__ = f"``x`` as a tuple: its items, or {n} times a number."
    return spread


# What the rooms have beside layers: here, or (as text) where it is below ``minidl.nn``.
_IN_ROOMS = {
    "batchnorm": {"_BatchNorm": "norm._BatchNorm", "_NormBase": "norm._BatchNorm"},
    "conv": {"_ConvNd": "conv.ConvBase"},
    "dropout": {"_DropoutNd": "dropout._Dropout"},
    "instancenorm": {"_InstanceNorm": "instance_norm._InstanceNorm"},
    "linear": {"NonDynamicallyQuantizableLinear": "attention.NonDynamicallyQuantizableLinear"},
    "loss": {"_Loss": "loss._Loss", "_WeightedLoss": "loss._WeightedLoss"},
    "module": {
        "_IncompatibleKeys": "module_state._IncompatibleKeys",
        "_addindent": _addindent,
        **{name: value for name, value in list(globals().items()) if name.startswith("register_module_")},
    },
    "pooling": {
        "_AdaptiveAvgPoolNd": "pool._AdaptiveAvgPool",
        "_AdaptiveMaxPoolNd": "pool._AdaptiveMaxPool",
        "_AvgPoolNd": "pool._AvgPool",
        "_MaxPoolNd": "pool._MaxPool",
    },
    "transformer": {"_get_activation_fn": "transformer_layers._activation"},
    "utils": {
        "consume_prefix_in_state_dict_if_present": consume_prefix_in_state_dict_if_present,
        **{name: _ntuple(n, name) for n, name in enumerate(("_single", "_pair", "_triple", "_quadruple"), 1)},
        "_ntuple": _ntuple,
    },
}


class _Room(types.ModuleType):
    """A module of layers that are looked up in ``minidl.nn``, and of ``extras``."""

    def __init__(self, place, names, extras, doc=None):
        super().__init__(place, doc)
        self.__spec__ = importlib.machinery.ModuleSpec(place, None)
        self._names, self._extras = names, extras

    def __getattr__(self, name):
        nn = sys.modules["minidl.nn"]
        if name == "__all__":
            return [each for each in self._names if hasattr(nn, each)]
        extra = self._extras.get(name)
        if isinstance(extra, str):
            return operator.attrgetter(extra)(nn)
        if extra is not None:
            return extra
        if name in self._names and hasattr(nn, name):
            return getattr(nn, name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __dir__(self):
        return [*self.__all__, *self._extras]


for _name, _layers in _ROOMS.items():
    sys.modules[f"{__name__}.{_name}"] = globals()[_name] = _Room(
        f"{__name__}.{_name}",
        _layers.split(),
        _IN_ROOMS.get(_name, {}),
        f"Layers under PyTorch's path ``torch.nn.modules.{_name}``.",
    )
__path__ = []  # a package, whose modules are the rooms
__getattr__ = _Room(__name__, [name for names in _ROOMS.values() for name in names.split()], {}).__getattr__
