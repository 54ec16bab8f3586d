"""Models from files."""

import contextlib
import os
import warnings

from minidl.errors import FileFormatError
from minidl.keras import custom_objects as custom
from minidl.keras.engine.model import Model
from minidl.keras.engine.serialization import deserialize_layer
from minidl.keras.engine.weight_files import load_arrays
from minidl.keras.saving.contents import parse
from minidl.keras.saving.filling import fill
from minidl.keras.saving.guard import parse_apart
from minidl.keras.saving.optimizer_states import restore_optimizer
from minidl.keras.saving.tolerant import clean, from_keras2, with_plain_names
from minidl.keras.saving.training import compile_by

_SIZES = (
    "units",
    "filters",
    "input_dim",
    "output_dim",
    "input_size",
    "depth_multiplier",
    "key_dim",
    "num_heads",
)


def load_model(filepath, custom_objects=None, compile=True, safe_mode=True, untrusted=False, **dropped):
    """The model of a ``.h5`` or ``.keras`` file of Keras 2, Keras 3 or minidl, compiled as it was, with its optimizer.

    ``custom_objects`` are classes and functions of your own by name. Nothing of a file is executed: Python code in it
    (of a ``Lambda``) is refused unless ``safe_mode=False``. A file is read in this process by the HDF5 library, which a
    damaged file can crash or hang: that trusts the library. ``untrusted=True``, for files from strangers, reads it in a
    process of its own with limits of memory and time, and a crash there is a ``FileFormatError`` here.
    Raises ``FileNotFoundError``; ``FileFormatError`` for a damaged or foreign file; ``ValueError`` for unknown layers,
    and weights that do not fit, with both lists.
    Source: Keras' ``load_model``. The example is that of ``save_model``.
    """
    for name in set(dropped) - {"options"}:
        raise TypeError(f"load_model() got an unexpected keyword argument '{name}'")
    contents = (parse_apart if untrusted else parse)(os.fspath(filepath))
    if contents.config is None:
        raise ValueError(
            f"{contents.where!r} holds weights without an architecture. Hint: build the model by its code and call "
            "model.load_weights(path)."
        )
    with custom.CustomObjectScope(custom_objects or {}):
        return model_of(contents, compile, safe_mode)


def model_of(contents, compile=True, safe_mode=True):
    """The model that a file's contents describe, with its weights."""
    _check_sizes(contents)
    model = _built(contents, safe_mode)
    fill(model, contents)
    config = contents.training or contents.config.get("compile_config")
    if config and "optimizer" in contents.about:
        config = {
            "optimizer": contents.about["optimizer"],
            **config,
        }  # Keras leaves it out of the config now and then
    if compile and config:
        config = with_plain_names(config) if contents.training else config
        with _malformed(contents, "its training config cannot be followed"):
            compile_by(model, config)
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        names, arrays = _state(contents, model.optimizer)
        restore_optimizer(model, names, arrays)
    elif compile and contents.layout == "layers" and contents.where.endswith((".h5", ".hdf5")):
        warnings.warn(
            f"{contents.where!r} has no training configuration: the model is not compiled. Hint: model.compile(...).",
            stacklevel=3,
        )
    return model


@contextlib.contextmanager
def _malformed(contents, what):
    """Inside, what a config of the wrong form leads to is a ``FileFormatError``."""
    try:
        yield
    except (LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, AssertionError) as error:
        raise FileFormatError(f"{contents.where!r}: {what}: {type(error).__name__}: {error}") from error


def _built(contents, safe_mode):
    about = contents.about
    keras2 = "minidl_version" not in about and str(about.get("keras_version", "2")) < "3"
    keras2 = keras2 or about.get("minidl_hard_sigmoid") == "keras2"
    with _malformed(contents, "its config describes no model"):
        config = with_plain_names(from_keras2(contents.config)) if keras2 else contents.config
        model = deserialize_layer(clean(config, safe_mode))
    if not isinstance(model, Model):
        raise FileFormatError(f"{contents.where!r} describes a layer, {type(model).__name__}, not a model")
    shapes = contents.config.get("build_config")
    if not model.weights and isinstance(shapes, dict):
        model.build_from_config(_tuples(shapes))
    return model


def _tuples(shapes):
    if isinstance(shapes, dict):
        return {key: _tuples(shape) for key, shape in shapes.items()}
    if isinstance(shapes, list) and any(isinstance(inner, (list, dict)) for inner in shapes):
        return [_tuples(shape) for shape in shapes]
    return tuple(shapes) if isinstance(shapes, list) else shapes


def _check_sizes(contents):
    """Refuses a config with sizes beyond all weights in the file before anything of such a size is made."""
    largest = max((n for array in contents.arrays.values() for n in array.shape), default=0)

    def visit(value, key=None):
        if isinstance(value, dict):
            for inner_key, inner in value.items():
                visit(inner, inner_key)
        elif isinstance(value, list):
            for inner in value:
                visit(inner)
        elif key in _SIZES and isinstance(value, int) and value > max(largest, 1 << 16):
            raise FileFormatError(
                f"{contents.where!r}: its config says {key}={value}, but the largest weight of the file has size "
                f"{largest}: it is damaged"
            )

    visit(contents.config)


def _state(contents, optimizer):
    """The names and arrays of the optimizer's state, in order."""
    if contents.layout == "layers":
        return contents.optimizer, [
            contents.arrays[f"optimizer_weights/{name}"] for name in contents.optimizer
        ]
    outer, inner = (
        _numbered(contents, "optimizer/vars/"),
        _numbered(contents, "optimizer/inner_optimizer/vars/"),
    )
    if inner and not hasattr(
        optimizer, "inner_optimizer"
    ):  # what it was wrapped in was left out of the config
        outer = inner
    elif len(outer) < len(optimizer.variables):  # what is inside a loss scale may lie there alone
        outer += inner
    return outer, [contents.arrays[path] for path in outer]


def _numbered(contents, prefix):
    found = [path for path in contents.arrays if path.startswith(prefix) and path[len(prefix) :].isdigit()]
    return sorted(found, key=lambda path: int(path.rpartition("/")[2]))


def load_weights(model, filepath, by_name=False, skip_mismatch=False, **dropped):
    """Fills a model's weights from a file of weights or of a whole model.

    A ``.h5`` goes by order, with ``by_name=True`` by the layers' names, where layers without a name in the file keep
    theirs; a ``.weights.h5`` and ``.keras`` by the place in the model. ``skip_mismatch=True`` leaves out, with a
    warning, what does not fit; else ``ValueError``, and nothing was changed.
    """
    for name in set(dropped) - {"options"}:
        raise TypeError(f"load_weights() got an unexpected keyword argument '{name}'")
    contents = parse(os.fspath(filepath))
    if contents.layout == "names" and contents.about.get("format") != "keras":
        load_arrays(model, filepath, skip_mismatch)
        return
    fill(model, contents, by_name, skip_mismatch)
