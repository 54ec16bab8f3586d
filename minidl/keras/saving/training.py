"""What ``compile`` was told, and the optimizer's state, to files and back."""

import warnings

import numpy as np

from minidl.keras import custom_objects as custom
from minidl.keras import losses, metrics, optimizers
from minidl.keras.engine.compile_metrics import ShapedMetric
from minidl.keras.engine.nest import flatten

_BY_SHAPE = ("accuracy", "acc", "crossentropy", "ce")
_SAID_BY_NONE = {  # what every optimizer takes, with what says nothing: the one that Keras 2 makes of a file knows none
    **dict.fromkeys(("weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "ema_overwrite_frequency")),
    **dict.fromkeys(("loss_scale_factor", "gradient_accumulation_steps")),
    **{"use_ema": False, "ema_momentum": 0.99},
}


def training_config(model, keras_version=3):
    """``training_config`` of a .h5, which Keras 2 and 3 read. None, with a warning, where a custom object is in it."""
    given = model._compile_arguments
    own = _custom_objects(model)
    if own:
        warnings.warn(
            f"The training configuration is left out of the file, since it uses objects of your own: {', '.join(own)}. "
            "Hint: compile again after loading, or save as .keras.",
            stacklevel=4,
        )
        return None
    optimizer = model.optimizer
    config = {k: v for k, v in optimizer.get_config().items() if _SAID_BY_NONE.get(k, optimizer) != v}
    newer = keras_version == 2 and _is_newer(optimizer)
    return {
        "loss": _mapped(given["loss"], _loss),
        "metrics": _metrics(model, given["metrics"]),
        "weighted_metrics": _metrics(model, given["weighted_metrics"]),
        "loss_weights": given["loss_weights"],
        "optimizer_config": {
            "class_name": f"{'Custom>' if newer else ''}{type(optimizer).__name__}",
            "config": config,
        },
    }


def _is_newer(optimizer):
    """Whether Keras 2 needs its second kind of optimizers (since 2.11), under a name that Keras 3 does not know."""
    newer = (
        "AdamW",
        "Lion",
        "Adafactor",
        "Ftrl",
        "Nadam",
    )  # of the last two, the first kind computes otherwise
    return type(optimizer).__name__ in newer or bool(optimizer.weight_decay) or bool(optimizer.use_ema)


def compile_config(model):
    """``compile_config`` of a .keras file."""
    config = model.get_compile_config()
    config["loss"] = _mapped(model._compile_arguments["loss"], _loss_of_keras3)
    for key in ("metrics", "weighted_metrics"):
        config[key] = _mapped(model._compile_arguments[key], _metric_of_keras3)
    return config


def _mapped(value, function):
    if isinstance(value, dict) and "class_name" not in value:
        return {name: _mapped(inner, function) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mapped(inner, function) for inner in value]
    return None if value is None else function(value)


def _custom_objects(model):
    given = model._compile_arguments
    items = [model.optimizer, *flatten([given["loss"], given["metrics"], given["weighted_metrics"]])]
    found = []
    for item in items:
        if isinstance(item, str):
            item = custom.lookup(item)
        if item is None or isinstance(item, (str, int, float, bool)):
            continue
        holder = item if hasattr(item, "__module__") and hasattr(item, "__qualname__") else type(item)
        if not str(getattr(holder, "__module__", "")).startswith("minidl."):
            found.append(getattr(holder, "__name__", str(holder)))
    return found


def _bare(serialized):
    """A dict of a loss or metric without what only Keras 3 knows."""
    if isinstance(serialized, str):
        return serialized
    config = {k: v for k, v in serialized["config"].items() if k != "dtype" or isinstance(v, str)}
    return {"class_name": serialized["class_name"], "config": config}


def _loss(value):
    if isinstance(value, str) and value.lower() in ("crossentropy", "ce"):
        return value
    found = losses.get(value)
    if isinstance(found, losses.Loss):
        made = _bare(losses.serialize(found))
        made["config"].pop("dtype", None)
        return made
    return losses.serialize(found)


def _metrics(model, given):
    """The metrics as dicts. ``'accuracy'`` is the one that it was in training: Keras 2 chooses by the output alone."""
    entries = [entry for entry in model._compile_metrics.entries or () if _kind(entry[1])]
    chosen = {}
    for _, metric, place, _ in entries:
        chosen.setdefault(place, {})[metric.kind[0]] = metric
    names = list(getattr(model, "output_names", None) or ())
    if len(names) > 1 and isinstance(given, dict):
        return {
            k: _mapped(v, lambda m, k=k: _metric(m, chosen.get(names.index(k)))) for k, v in given.items()
        }
    if len(names) > 1 and isinstance(given, (list, tuple)) and len(given) == len(names):
        return [_mapped(v, lambda m, i=i: _metric(m, chosen.get(i))) for i, v in enumerate(given)]
    return _mapped(given, lambda m: _metric(m, chosen.get(0) if len(names) == 1 else None))


def _kind(metric):
    """The class that a metric of a name like ``'accuracy'`` has found to be; None for another, and before data."""
    return (
        type(metric.inner).__name__ if isinstance(metric, ShapedMetric) and metric.inner is not None else None
    )


def _metric(value, chosen=None):
    if isinstance(value, str) and value.lower() in _BY_SHAPE:
        metric = (chosen or {}).get(value[0].lower())
        if metric is None:
            return value
        return {"class_name": _kind(metric), "config": {"name": value, "dtype": "float32"}}
    made = _bare(_metric_of_keras3(value))
    if isinstance(value, str):
        made["config"] = {"name": made["config"]["name"], "dtype": "float32"}
    return made


def _loss_of_keras3(value):
    if isinstance(value, str) and value.lower() in ("crossentropy", "ce"):
        return value
    found = losses.get(value)
    serialized = losses.serialize(found)
    return serialized


def _metric_of_keras3(value):
    """A dict, also for a name: only so does it keep, in every Keras, the name that the user typed."""
    if isinstance(value, str) and value.lower() in _BY_SHAPE:
        return value
    found = metrics.get(value)
    if not isinstance(found, metrics.Metric):
        name = value if isinstance(value, str) else getattr(found, "__name__", None)
        cls = _class_of(getattr(found, "__name__", ""))
        if cls is None:
            return metrics.serialize(found)
        found = cls(name=name)
    elif isinstance(value, str):
        found.name = value
    return metrics.serialize(found)


def _class_of(function):
    """The class of the metric of a function: ``MeanSquaredError`` of ``mean_squared_error``."""
    plain = function.replace("_", "")
    plain = {"logcosh": "logcosherror"}.get(plain, plain)
    for name in metrics.__all__:
        item = getattr(metrics, name)
        if isinstance(item, type) and name.lower() == plain:
            return item
    return None


# --- reading ------------------------------------------------------------------------------------------------------


def compile_by(model, config, custom_objects=None):
    """Compiles a model by a ``training_config`` or a ``compile_config``."""
    optimizer = config.get("optimizer_config") or config.get("optimizer") or "rmsprop"
    optimizer = _named_optimizer(optimizer) if isinstance(optimizer, str) else dict(optimizer)
    optimizer["class_name"] = optimizer["class_name"].rpartition(">")[2].replace("OptimizerV3", "Optimizer")
    inner = dict(optimizer.get("config") or {})
    if "lr" in inner:
        inner["learning_rate"] = inner.pop("lr")
    if isinstance(inner.get("learning_rate"), dict) and "class_name" not in inner["learning_rate"]:
        inner["learning_rate"] = inner["learning_rate"].get("value", 0.001)
    if not inner.get("decay"):
        inner.pop("decay", None)
    optimizer["config"] = inner
    with custom.CustomObjectScope(custom_objects or {}):
        model.compile(
            optimizer=optimizers.deserialize(optimizer),
            loss=_mapped(config.get("loss"), _read_loss),
            metrics=_read_metrics(model, config.get("metrics")),
            weighted_metrics=_read_metrics(model, config.get("weighted_metrics")),
            loss_weights=config.get("loss_weights"),
        )


def _named_optimizer(name):
    """The config of an optimizer of a name, as ``compile`` takes it; a variable's name may carry a number."""
    base, _, number = name.rpartition("_")
    name = base if number.isdigit() else name
    if name.endswith("loss_scale_optimizer"):
        name = "rmsprop"  # what it wraps is not told: Keras' own choice
    return {"class_name": type(optimizers.get(name.replace("_", ""))).__name__, "config": {}}


def _read_loss(value):
    return value if value in _BY_SHAPE else losses.deserialize(value)


def _read_metric(value):
    """A metric of a config; a wrapper around one of Keras' functions as the name that the user typed."""
    if isinstance(value, str):
        return value
    if value.get("class_name") == "MeanMetricWrapper":
        inner = dict(value.get("config") or {})
        if inner.get("name") in _BY_SHAPE:
            return inner["name"]
        function = inner.get("fn")
        if isinstance(function, dict):
            inner["fn"] = function.get("config")
        value = {**value, "config": inner}
    return metrics.deserialize(value)


def _read_metrics(model, value):
    """What ``compile`` takes: Keras 2 wraps one output's metrics in a list, and puts names of several before theirs."""
    names = getattr(model, "output_names", None) or ()
    if isinstance(value, list) and len(value) == len(names) > 1 and all(isinstance(v, list) for v in value):
        value = [[_without(f"{name}_", metric) for metric in own] for name, own in zip(names, value)]
    found = _mapped(value, _read_metric)
    if isinstance(found, list) and len(found) == 1 and isinstance(found[0], list):
        return found[0]
    return found


def _without(prefix, metric):
    """A metric's config without the prefix of its name."""
    name = metric["config"].get("name") if isinstance(metric, dict) and "config" in metric else None
    if not isinstance(name, str) or not name.startswith(prefix):
        return metric
    return {**metric, "config": {**metric["config"], "name": name.removeprefix(prefix)}}


# --- the optimizer's state ----------------------------------------------------------------------------------------

_KERAS2_SLOTS = {
    **{"m": "momentum", "v": "velocity", "vhat": "velocity_hat", "u": "norm", "momentum": "momentum"},
    **{"rms": "velocity", "mg": "average_gradient", "accumulator": "accumulator", "linear": "linear"},
    **{"accum_grad": "accumulated_grad", "accum_var": "accumulated_delta_var", "velocity": "velocity"},
    **{"accumulated_grad": "accumulated_grad", "accumulated_delta_var": "accumulated_delta_var"},
    **{
        "r": "r",
        "c": "c",
        "average_gradient": "average_gradient",
        "norm": "norm",
        "velocity_hat": "velocity_hat",
    },
}


def optimizer_state(optimizer, keras_version=3):
    """``[(name, array)]`` in Keras 3's order, each name once; or as the optimizer that Keras 2 makes of a file has."""
    if keras_version == 2 and _is_newer(optimizer):
        states = [np.asarray(v.numpy()) for v in _as_keras2(optimizer)[1:]]
        if type(optimizer).__name__ == "SGD" and not optimizer._state:  # there it has momenta, of use or not
            states = [np.zeros(slot.shape, "float32") for slot in optimizer._slots] + states
        named = [(f"{optimizer.name}/{i}:0", state) for i, state in enumerate(states)]
        return [("iteration:0", np.int64(int(optimizer._iterations))), *named]
    if keras_version == 2:
        kinds = [
            (k, i, v) for k, kept in optimizer._state.items() for i, v in enumerate(kept) if v is not None
        ]
        states = [(f"{optimizer.name}/{i}/{kind}:0", np.asarray(v.numpy())) for kind, i, v in kinds]
        return [(f"{optimizer.name}/iter:0", np.int64(int(optimizer._iterations))), *states]
    found = {}
    for variable in optimizer.variables:
        path = base = getattr(variable, "path", variable.name)
        count = 0
        while path in found:
            count += 1
            path = f"{base}_{count}"
        found[path] = np.asarray(variable.numpy())
    return list(found.items())


def restore_optimizer(model, names, arrays):
    """Puts saved state into the optimizer: Keras 3's by order, Keras 2's by the names of its slots.

    A warning, and a fresh optimizer, where neither fits.
    """
    optimizer = model.optimizer
    if not arrays:
        return
    if not optimizer.built:
        optimizer.build(model.trainable_variables)
    own = optimizer.variables
    if any(name.split(":")[0].rpartition("/")[2] in _KERAS2_SLOTS for name in names) and _restore_keras2(
        optimizer, names, arrays
    ):
        return
    for candidate in (own, _as_keras2(optimizer)):
        fits = len(candidate) == len(arrays)
        if fits and all(tuple(v.shape) == tuple(np.shape(a)) for v, a in zip(candidate, arrays)):
            for variable, array in zip(candidate, arrays):
                variable.assign(array)
            _restore_product(optimizer)
            return
    if not _restore_keras2(optimizer, names, arrays):
        warnings.warn(
            f"The saved state of the optimizer ({len(arrays)} arrays) is not that of {type(optimizer).__name__} for "
            f"this model ({len(own)} arrays): it starts afresh.",
            stacklevel=3,
        )


def _as_keras2(optimizer):
    """The state in Keras 2's order: without the learning rate; of RMSprop one kind after another."""
    if type(optimizer).__name__ == "RMSprop":
        return [optimizer._iterations, *(v for kept in optimizer._state.values() for v in kept)]
    if type(optimizer).__name__ == "Adafactor":
        means = [pair if tuple(pair[0].shape) else () for pair in optimizer._means]
        velocities = zip(means, optimizer._state["velocity"])
        return [optimizer._iterations, *(v for pair, velocity in velocities for v in (*pair, velocity))]
    left_out = ("learning_rate", "variable")
    return [
        v for v in optimizer.variables if str(getattr(v, "path", v.name)).rpartition("/")[2] not in left_out
    ]


def _factors(optimizer):
    """Adafactor's means by Keras 2's names: of rows and of columns, of weights with both."""
    pairs = [pair for pair in getattr(optimizer, "_means", ()) if tuple(pair[0].shape)]
    return {"r": [row for row, _ in pairs], "c": [column for _, column in pairs]} if pairs else {}


def _restore_product(optimizer):
    """Nadam's product of momenta, which Keras 2 does not save, of the number of steps."""
    product = getattr(optimizer, "_product", None)
    if product is not None and float(product) == 1.0:
        steps = np.arange(1, int(optimizer._iterations) + 1)
        product.assign(float(np.prod(optimizer.beta_1 * (1.0 - 0.5 * 0.96**steps))))


def _restore_keras2(optimizer, names, arrays):
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    slots, iteration = {}, None
    for name, array in zip(names, arrays):
        pieces = name.split(":")[0].split("/")
        if pieces[-1] in ("iter", "iteration", "iterations") and np.ndim(array) == 0:
            iteration = array
        elif pieces[-1] == "learning_rate":
            optimizer.learning_rate = float(array)
        elif len(pieces) > 2 and pieces[1] in _KERAS2_SLOTS:  # Adam/m/dense/kernel: since 2.11
            slots.setdefault(pieces[1], []).append(array)
        elif len(pieces) > 2 and pieces[0] in _KERAS2_SLOTS:  # m/dense/kernel: inside a loss scale
            slots.setdefault(pieces[0], []).append(array)
        elif pieces[-1] in _KERAS2_SLOTS:  # Adam/dense/kernel/m
            slots.setdefault(pieces[-1], []).append(array)
    own = {**optimizer._state, **_factors(optimizer)}
    pairs = []
    for slot, values in (
        slots.items() if own else ()
    ):  # SGD without momentum has slots in Keras 2, and none here
        kept = own.get(_KERAS2_SLOTS[slot]) or own.get({"v": "norm"}.get(slot, slot))
        fits = kept is not None and len(kept) == len(values)
        if not fits or any(tuple(k.shape) != tuple(np.shape(v)) for k, v in zip(kept, values)):
            return False
        pairs += zip(kept, values)
    if (
        iteration is None and not own and np.asarray(arrays[0]).dtype.kind in "iu"
    ):  # a .keras numbers the states
        iteration = arrays[0]
    if iteration is None or (own and not pairs):
        return False
    optimizer._iterations.assign(int(iteration))
    for variable, value in pairs:
        variable.assign(value)
    _restore_product(optimizer)
    return True
