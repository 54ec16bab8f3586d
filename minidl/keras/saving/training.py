"""What ``compile`` was told, and the optimizer's state, to files and back."""

import warnings

from minidl.keras import custom_objects as custom
from minidl.keras import losses, metrics, optimizers
from minidl.keras.engine.compile_metrics import ShapedMetric
from minidl.keras.engine.nest import flatten
from minidl.keras.saving.optimizer_states import is_newer

_BY_SHAPE = ("accuracy", "acc", "crossentropy", "ce")
_SAID_BY_NONE = {  # what every optimizer takes, with what says nothing: the one that Keras 2 makes of a file knows none
    **dict.fromkeys(("weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "ema_overwrite_frequency")),
    **dict.fromkeys(("loss_scale_factor", "gradient_accumulation_steps")),
    **{"use_ema": False, "ema_momentum": 0.99},
}
_ONLY_KERAS3 = {  # arguments of losses and metrics, with what says nothing
    "SparseCategoricalCrossentropy": {"axis": -1},
    "SparseTopKCategoricalAccuracy": {"from_sorted_ids": False},
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
    return {
        "loss": _mapped(given["loss"], _loss),
        "metrics": _metrics(model, given["metrics"]),
        "weighted_metrics": _metrics(model, given["weighted_metrics"]),
        "loss_weights": given["loss_weights"],
        "optimizer_config": _optimizer_config(optimizer, keras_version),
    }


def _optimizer_config(optimizer, keras_version):
    config = _telling(optimizer.get_config())
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is None:
        newer = keras_version == 2 and is_newer(optimizer)
        return {"class_name": f"{'Custom>' if newer else ''}{type(optimizer).__name__}", "config": config}
    config["inner_optimizer"] = {**config["inner_optimizer"], "config": _telling(inner.get_config())}
    if keras_version == 3:
        return {"class_name": "LossScaleOptimizer", "config": config}
    config["inner_optimizer"]["config"]["is_legacy_optimizer"] = False
    known = ("inner_optimizer", "initial_scale", "dynamic_growth_steps")
    config = {"dynamic": True, **{name: config[name] for name in known}}
    return {"class_name": "LossScaleOptimizerV3", "config": config}


def _telling(config):
    """An optimizer's config without what says nothing."""
    return {k: v for k, v in config.items() if k not in _SAID_BY_NONE or _SAID_BY_NONE[k] != v}


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
    silent = _ONLY_KERAS3.get(serialized["class_name"], {})
    config = {k: v for k, v in serialized["config"].items() if k != "dtype" or isinstance(v, str)}
    config = {k: v for k, v in config.items() if k not in silent or v != silent[k]}
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
