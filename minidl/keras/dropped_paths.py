"""The modules that Keras dropped and people still import from: ``from keras.layers.convolutional import Conv2D``.

Each gives what its successor gives, and a statement that takes names from it says so once.
"""

import sys
import types

from minidl.keras.dropped import outside, warn

__all__ = ["DroppedModule", "install"]

_FACE, _IMPORT = "minidl.keras", "<frozen importlib._bootstrap>"
_OF_LAYERS = (
    "activation", "advanced_activations", "convolutional", "convolutional_recurrent", "core", "cudnn_recurrent",
    "embeddings", "experimental", "experimental.preprocessing", "local", "merge", "noise", "normalization", "pooling",
    "recurrent", "regularization", "rnn", "wrappers",
)  # fmt: skip
_OF_UTILS = ("all_utils", "data_utils", "generic_utils", "io_utils", "layer_utils", "np_utils", "vis_utils")
_OF_OPTIMIZERS = ("adam", "gradient_descent", "learning_rate_schedule", "rmsprop")
_NOW = {  # where the names of a dropped module lie now
    **{f"layers.{name}": "layers" for name in _OF_LAYERS},
    **{f"utils.{name}": "utils" for name in _OF_UTILS},
    **{
        "optimizers.legacy": "optimizers",
        "optimizer_v2": "optimizers",
        "optimizers.optimizer_v2": "optimizers",
    },
    **{f"optimizer_v2.{name}": "optimizers" for name in _OF_OPTIMIZERS},
    **{f"engine.{name}": "" for name in ("base_layer", "input_layer", "network", "topology", "training")},
    **{"engine": "", "legacy": "", "objectives": "losses", "backend.tensorflow_backend": "backend"},
    **{
        "legacy.interfaces": "",
        "layers.experimental.preprocessing": "layers",
        "preprocessing.dataset_utils": "utils",
    },
}
_last = [None, set()]  # the statement that said so last, and the names that it took


class DroppedModule(types.ModuleType):
    """A module under a dropped path. It keeps no objects of its own: a name in it is one of the module it became."""

    def _targets(self):
        now = _NOW[self.__name__.removeprefix(f"{_FACE}.")]
        return [sys.modules[f"{_FACE}.{name}".rstrip(".")] for name in ([now] if now else ["", "layers"])]

    def __dir__(self):
        return sorted({*self.__dict__, *(name for target in self._targets() for name in target.__all__)})

    def __getattr__(self, name):
        for target in self._targets():
            if name in target.__all__:
                if (
                    sys._getframe(1).f_code.co_filename != _IMPORT
                ):  # which asks a package before it takes a name
                    old, new = (module.__name__.removeprefix("minidl.") for module in (self, target))
                    _say_once(f"{old} is a module that Keras dropped: use {new}.{name}", name)
                return getattr(target, name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


def _say_once(message, name):
    """Warns once a statement, which takes one name after another; again where it runs again."""
    frame = outside()[1]
    statement = None if frame is None else (frame.f_code, frame.f_lineno)
    if _last[0] != statement or name in _last[1]:
        _last[:] = [statement, set()]
        warn(message)
    _last[1].add(name)


def install():
    """Puts the dropped modules where ``import`` looks; called when ``minidl.keras`` has been imported."""
    for path in _NOW:
        name = f"{_FACE}.{path}"
        parent, _, short = name.rpartition(".")
        if name in sys.modules:  # the engine is a package of minidl too
            sys.modules[name].__class__ = DroppedModule
            continue
        module = DroppedModule(
            name, f"``{_FACE}.{_NOW[path]}``, by a path that Keras dropped.".replace(".``", "``")
        )
        sys.modules[name] = module
        setattr(sys.modules[parent], short, module)
