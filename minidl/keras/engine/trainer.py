"""``Trainer``: ``compile`` and the loops ``fit``, ``evaluate`` and ``predict``."""

from minidl.keras.callbacks import CallbackList
from minidl.keras.dropped import warn
from minidl.keras.engine.compiling import Compiling
from minidl.keras.engine.data import unpack_x_y_sample_weight
from minidl.keras.engine.epochs import Epochs
from minidl.keras.engine.on_batch import OnBatch
from minidl.keras.engine.outputs import concatenated
from minidl.keras.engine.sources import SHUFFLED, batches_of, split_for_validation
from minidl.keras.engine.steps import Steps
from minidl.keras.settings import limited


class Trainer(Compiling, Steps, OnBatch):
    """The part of ``Model`` that learns and predicts."""

    def _init_trainer(self):
        put = object.__setattr__
        for name in ("optimizer", "loss", "history", "_compile_loss", "_compile_metrics", "_loss_tracker"):
            put(self, name, None)
        put(self, "compiled", False)
        put(self, "stop_training", False)
        put(self, "_steps_done", 0)
        put(self, "_initial_epoch", 0)
        put(self, "_compile_arguments", None)

    # --- fit ------------------------------------------------------------------------------------------------------

    def fit(
        self, x=None, y=None, batch_size=None, epochs=1, verbose="auto", callbacks=None, validation_split=0.0,
        validation_data=None, shuffle=SHUFFLED, class_weight=None, sample_weight=None, initial_epoch=0,
        steps_per_epoch=None, validation_steps=None, validation_batch_size=None, validation_freq=1, **dropped,
    ):  # fmt: skip
        """Trains for ``epochs`` passes over the data; returns the ``History``.

        ``x`` and ``y`` are arrays (NumPy, lists, pandas, tensors; lists or dicts of them for several inputs
        or outputs), or ``x`` alone yields batches: a DataLoader, a generator, a ``Sequence``.
        ``validation_split`` keeps the last part of the arrays, unshuffled, to validate after each epoch.
        ``verbose``: 0 nothing, 1 a bar on a terminal, 2 a line an epoch.
        """
        epochs = limited(_epochs(epochs, dropped), "max_epochs")
        self._demand_compiled("fit")
        where = self._where()
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = split_for_validation(
                x, y, sample_weight, validation_split
            )
        source = batches_of(x, y, sample_weight, batch_size, shuffle, class_weight, where, steps_per_epoch)
        validation = None
        if validation_data is not None:
            val_x, val_y, val_weight = unpack_x_y_sample_weight(validation_data)
            validation = batches_of(
                val_x,
                val_y,
                val_weight,
                validation_batch_size or batch_size,
                False,
                None,
                where,
                validation_steps,
            )
            validation_steps, _ = _steps(validation, validation_steps)
        verbose = 1 if verbose == "auto" else int(verbose)
        calls = callbacks
        steps_per_epoch, steps = _steps(source, steps_per_epoch)
        if not isinstance(callbacks, CallbackList):
            calls = CallbackList(
                callbacks, add_history=True, add_progbar=verbose != 0, model=self, verbose=verbose, epochs=epochs,
                steps=steps,
            )  # fmt: skip
        self._train(
            source,
            validation,
            calls,
            range(initial_epoch, epochs),
            steps_per_epoch,
            validation_steps,
            validation_freq,
        )
        return calls.history

    def _train(self, source, validation, calls, epochs, steps, validation_steps, validation_freq):
        self.stop_training = False
        logs = {}
        batches = Epochs(source, steps)
        object.__setattr__(self, "_initial_epoch", 0)
        calls.on_train_begin()
        for epoch in epochs:
            if epoch < self._initial_epoch:  # a backup was restored
                continue
            self.reset_metrics()
            calls.on_epoch_begin(epoch)
            self.__dict__.update(_in_epoch=True, _epoch_weights=None)
            try:
                logs = self._train_epoch(batches, calls)
            finally:
                self.__dict__.update(_in_epoch=False, _epoch_weights=None)
            if not batches.done:  # a generator that is at its end: there was no such epoch
                _demand_batches(epoch > max(epochs.start, self._initial_epoch), "fit")
                break
            if validation is not None and _validates(epoch, validation_freq):
                found = self._test(validation, calls, validation_steps)
                logs.update({f"val_{name}": value for name, value in found.items()})
            calls.on_epoch_end(epoch, logs)
            if self.stop_training or batches.finished:
                break
        if len(epochs) and hasattr(self.optimizer, "finalize_variable_values"):
            self.optimizer.finalize_variable_values(self.trainable_variables)
        calls.on_train_end(logs)

    def _train_epoch(self, batches, calls):
        step_of = self._step_function("train_step")
        begins, ends = calls.of_batches["on_train_batch_begin"], calls.of_batches["on_train_batch_end"]
        wants = calls.wants_logs("on_train_batch_end")
        logs = None
        for step, data in enumerate(batches.epoch()):
            if begins:
                calls.on_train_batch_begin(step)
            logs = step_of(data)
            self._steps_done = step + 1
            if ends:
                calls.on_train_batch_end(step, self._logs(logs) if wants else logs)
            if self.stop_training:
                break
        if logs is None and step_of.__name__ != "_train_on":
            logs = {}
        return self._logs(logs)

    # --- evaluate -------------------------------------------------------------------------------------------------

    def evaluate(
        self, x=None, y=None, batch_size=None, verbose="auto", sample_weight=None, steps=None, callbacks=None,
        return_dict=False, **kwargs,
    ):  # fmt: skip
        """The loss over the data, or ``[loss, *metrics]`` where there are metrics, or a dict by name."""
        self._demand_compiled("evaluate")
        source = batches_of(x, y, sample_weight, batch_size, False, None, self._where(), steps)
        steps, known = _steps(source, steps)
        verbose = 1 if verbose == "auto" else int(verbose)
        calls = callbacks
        if not isinstance(callbacks, CallbackList):
            calls = CallbackList(
                callbacks, add_progbar=verbose != 0, model=self, verbose=verbose, epochs=1,
                steps=known,
            )  # fmt: skip
        logs = self._test(source, calls, steps)
        _demand_batches(logs, "evaluate")
        if return_dict:
            return logs
        values = self._in_order(logs)
        return values[0] if len(values) == 1 else values

    def _test(self, source, calls, steps=None):
        self.stop_evaluating = False
        step_of = self._step_function("test_step")
        self.reset_metrics()
        calls.on_test_begin()
        wants, logs, batches = calls.wants_logs("on_test_batch_end"), None, Epochs(source, steps)
        self.__dict__["_epoch_weights"] = self.trainable_variables if self.built else None
        try:
            for step, data in enumerate(batches.epoch()):
                calls.on_test_batch_begin(step)
                logs = step_of(data)
                calls.on_test_batch_end(step, self._logs(logs) if wants else logs)
                if self.stop_evaluating:
                    break
        finally:
            self.__dict__["_epoch_weights"] = None
        logs = self._logs(logs) if batches.done else {}
        if calls.history is None:
            self._steps_done = batches.done
        calls.on_test_end(logs)
        return logs

    # --- predict --------------------------------------------------------------------------------------------------

    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None, **kwargs):
        """The outputs for the data, as NumPy arrays: (samples, ...)."""
        source = batches_of(x, None, None, batch_size, False, None, self._where(), steps)
        steps, known = _steps(source, steps)
        verbose = 1 if verbose == "auto" else int(verbose)
        calls = callbacks
        if not isinstance(callbacks, CallbackList):
            calls = CallbackList(
                callbacks, add_progbar=verbose != 0, model=self, verbose=verbose, epochs=1,
                steps=known,
            )  # fmt: skip
        self.stop_predicting = False
        calls.on_predict_begin()
        parts = []
        for step, data in enumerate(Epochs(source, steps).epoch()):
            calls.on_predict_batch_begin(step)
            outputs = self._predict_on(data)
            parts.append(outputs)
            self._steps_done = step + 1
            calls.on_predict_batch_end(step, {"outputs": outputs})
            if self.stop_predicting:
                break
        calls.on_predict_end()
        return concatenated(parts)


def _demand_batches(found, method):
    if not found:
        raise ValueError(f"{method}() received no data: there was no batch.")


def _validates(epoch, frequency):
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency


def _steps(source, given):
    """How many steps end an epoch (None: the end of the data does), and how many an epoch has as far as is known."""
    known = given if given is not None else source.steps
    limit = limited(known, "max_steps_per_epoch")
    return (given, known) if limit == known else (limit, limit)


def _epochs(epochs, dropped):
    gone = [name for name in dropped if name in ("workers", "use_multiprocessing", "max_queue_size")]
    said = []
    if "nb_epoch" in dropped:
        epochs = dropped.pop("nb_epoch")
        said.append("nb_epoch=... (use epochs=)")
    if gone:
        said.append(f"{', '.join(f'{name}=...' for name in gone)} (which does nothing)")
    unknown = [name for name in dropped if name not in gone]
    if unknown:
        raise TypeError(f"Model.fit() got an unexpected keyword argument '{unknown[0]}'")
    if said:
        warn(f"fit takes what Keras dropped: {'; '.join(said)}")
    return epochs
