"""The part of ``Model`` that ``compile`` fills: optimizer, loss, metrics; and what it knows of them."""

from minidl.keras import losses, metrics, optimizers
from minidl.keras.dropped import warn
from minidl.keras.engine.compile_loss import CompileLoss
from minidl.keras.engine.compile_metrics import CompileMetrics
from minidl.keras.engine.loss_tracker import LossTracker
from minidl.keras.engine.nest import flatten, is_nested
from minidl.keras.engine.scoring import takes_logits
from minidl.keras.metrics import Metric


class NotCompiledError(RuntimeError, ValueError):
    """A model was to learn before ``compile``. Keras raises ``ValueError``."""


class Compiling:
    """``compile``, the metrics, and configs of both."""

    def compile(
        self, optimizer="rmsprop", loss=None, loss_weights=None, metrics=None, weighted_metrics=None,
        run_eagerly=False, steps_per_execution=1, jit_compile="auto", auto_scale_loss=True, **dropped,
    ):  # fmt: skip
        """Says how to train: ``optimizer``, ``loss`` and ``metrics`` are names, objects, functions, or configs.

        ``'accuracy'`` is the binary, sparse or categorical one by the shapes. Unknown names raise ``ValueError``
        with the nearest known one. ``run_eagerly``, ``jit_compile`` and ``steps_per_execution`` are taken and change
        nothing: there is one way to run.
        """
        if dropped:
            known = {"experimental_run_tf_function", "experimental_steps_per_execution", "sample_weight_mode"}
            for name in dropped:
                if name not in known:
                    raise TypeError(f"Model.compile() got an unexpected keyword argument '{name}'")
            warn(f"compile({', '.join(f'{name}=...' for name in dropped)}) does nothing")
        put = object.__setattr__
        chosen = optimizers.get(optimizer)
        if (
            auto_scale_loss
            and self._policy.name == "mixed_float16"
            and not hasattr(chosen, "inner_optimizer")
        ):
            chosen = optimizers.LossScaleOptimizer(chosen)
        put(self, "optimizer", chosen)
        put(self, "loss", loss)
        names = self._names_of_outputs()
        _check_losses(loss)
        logits = not is_nested(loss) and takes_logits(loss)
        put(self, "_compile_loss", CompileLoss(loss, loss_weights, names) if loss is not None else None)
        put(self, "_compile_metrics", CompileMetrics(metrics, weighted_metrics, names, logits))
        put(self, "_loss_tracker", LossTracker(name="loss"))
        put(self, "compiled", True)
        put(self, "stop_training", False)
        put(self, "steps_per_execution", steps_per_execution)
        put(self, "run_eagerly", run_eagerly)
        put(self, "jit_compile", False if jit_compile == "auto" else jit_compile)
        put(
            self, "_compile_arguments",
            {
                "optimizer": optimizer, "loss": loss, "loss_weights": loss_weights, "metrics": metrics,
                "weighted_metrics": weighted_metrics, "run_eagerly": run_eagerly,
                "steps_per_execution": steps_per_execution, "jit_compile": jit_compile,
            },
        )  # fmt: skip

    def _names_of_outputs(self):
        try:
            return list(self.output_names)
        except AttributeError:
            return None

    def _demand_compiled(self, method):
        if not self.compiled:
            raise NotCompiledError(
                f"You must call `compile()` before using the model: model.compile(optimizer=..., loss=...) and then "
                f"model.{method}(...)."
            )

    # --- metrics --------------------------------------------------------------------------------------------------

    @property
    def metrics(self):
        """The loss's mean, the outputs' own losses, the compiled metrics, then those that layers and the model hold."""
        found = []
        if self.compiled and self._loss_tracker is not None:
            found.append(self._loss_tracker)
            if self._compile_loss is not None:
                found.extend(self._compile_loss.metrics)
            found.extend(self._compile_metrics.metrics)
        return found + self._held_metrics()

    def _held_metrics(self):
        found, seen = [], set()
        for layer in [self, *self._all_layers()]:
            values = [
                value
                for name, value in layer.__dict__.items()
                if isinstance(value, (Metric, list, tuple, dict))
                and name != "_loss_tracker"
                and not name.startswith("_compile")
            ]
            for leaf in (leaf for value in values for leaf in flatten(value)):
                if isinstance(leaf, Metric) and id(leaf) not in seen:
                    seen.add(id(leaf))
                    found.append(leaf)
        return found

    def _all_layers(self):
        found = []
        for layer in self._flat_layers():
            found.append(layer)
            if hasattr(layer, "_all_layers"):
                found.extend(layer._all_layers())
            else:
                found.extend(_below(layer))
        return found

    @property
    def metrics_names(self):
        """The names in the logs: ``['loss', 'accuracy']``."""
        return list(self._ordered_results())

    def reset_metrics(self):
        """Forgets what the metrics saw."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self):
        """The metrics' values by name, as tensors or numbers."""
        return self._ordered_results()

    def _ordered_results(self):
        results = {}
        if type(self).metrics is not Compiling.metrics:  # a subclass says itself which ones count
            for metric in self.metrics:
                value = metric.result()
                results.update(value if isinstance(value, dict) else {metric.name: value})
            return results
        if self.compiled and self._loss_tracker is not None:
            results["loss"] = self._loss_tracker.mean()
            for metric in self._compile_loss.metrics if self._compile_loss is not None else ():
                results[metric.name] = metric.result()
            results.update(self._compile_metrics.result())
        for metric in self._held_metrics():
            value = metric.result()
            results.update(value if isinstance(value, dict) else {metric.name: value})
        return results

    # --- configs --------------------------------------------------------------------------------------------------

    def get_compile_config(self):
        """The arguments of ``compile`` as plain data; None before it. ``loss`` by its full name."""
        if not self.compiled:
            return None
        given = dict(self._compile_arguments)
        given["optimizer"] = optimizers.serialize(self.optimizer)
        given["loss"] = _plain(given["loss"], losses)
        for name in ("metrics", "weighted_metrics"):
            given[name] = _plain(given[name], metrics)
        return given

    def compile_from_config(self, config):
        """Compiles by what ``get_compile_config`` gave."""
        self.compile(**config)


def _below(layer):
    found = []
    for inner in layer._flat_layers():
        found.append(inner)
        found.extend(_below(inner))
    return found


def _plain(value, room):
    if isinstance(value, dict) and "class_name" not in value:
        return {name: _plain(inner, room) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner, room) for inner in value]
    if value is None or isinstance(value, (str, dict)):
        return value
    return room.serialize(value)


def _check_losses(loss):
    """An unknown name is refused now, not when the first batch comes."""
    if isinstance(loss, dict) and "class_name" in loss:
        losses.get(loss)
        return
    for leaf in flatten(loss):
        if isinstance(leaf, str) and leaf.lower() not in ("crossentropy", "ce"):
            losses.get(leaf)
