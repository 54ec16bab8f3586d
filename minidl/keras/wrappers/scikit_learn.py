"""``KerasClassifier`` and ``KerasRegressor``: a Keras model, or a function that makes one, as an estimator."""

import copy
import inspect

import numpy as np

from minidl.keras import losses, optimizers
from minidl.keras.activations import sigmoid, softmax
from minidl.keras.engine.fresh import fresh_compile_arguments, fresh_model
from minidl.keras.engine.model import Model
from minidl.keras.engine.scoring import loss_name, takes_logits
from minidl.keras.engine.seeding import seeded
from minidl.keras.engine.tensors import as_numpy, as_tensor
from minidl.keras.wrappers.estimator import Classifying, Estimator, Regressing
from minidl.keras.wrappers.routing import Routed, accepted

__all__ = ["KerasClassifier", "KerasRegressor"]

_OF_FIT = ("batch_size", "epochs", "verbose", "validation_split", "validation_batch_size", "shuffle")


class _KerasEstimator(Routed, Estimator):
    """What the two share: making, compiling, training the model."""

    prefixes = ("model", "optimizer", "loss", "metrics", "compile", "fit", "predict", "callbacks")

    def __init__(
        self, model=None, *, build_fn=None, warm_start=False, random_state=None, optimizer=None, loss=None,
        metrics=None, batch_size=None, validation_batch_size=None, verbose=1, callbacks=None, validation_split=0.0,
        shuffle=True, epochs=1, **kwargs,
    ):  # fmt: skip
        self.model, self.build_fn = model, build_fn
        self.warm_start, self.random_state = warm_start, random_state
        self.optimizer, self.loss, self.metrics = optimizer, loss, metrics
        self.batch_size, self.validation_batch_size = batch_size, validation_batch_size
        self.verbose, self.callbacks, self.epochs = verbose, callbacks, epochs
        self.validation_split, self.shuffle = validation_split, shuffle
        self._keep(kwargs)

    def _source(self):
        return self.model if self.model is not None else self.build_fn

    def _may_take(self, name):
        source = self._source()
        by_function = callable(source) and not isinstance(source, Model) and name in accepted(source)[0]
        return by_function or super()._may_take(name)

    # --- making the model -----------------------------------------------------------------------------------------

    def _make_model(self, X):
        source = self._source()
        if isinstance(source, Model):
            made = fresh_model(source)
            if source.compiled:
                made.compile(**fresh_compile_arguments(source))
        elif callable(source):
            made = source(**self._arguments_of(source))
        else:
            raise ValueError("model= is needed: a compiled keras.Model, or a function that returns one")
        if not isinstance(made, Model):
            raise TypeError(f"model= must be, or return, a keras.Model, but got {type(made).__name__}")
        outputs = made.predict(X[:1], verbose=0)
        if isinstance(outputs, (list, dict)):
            raise ValueError("a model with several outputs is no scikit-learn estimator: use model.fit")
        self._compile(made, outputs.reshape(1, -1).shape[1])
        return made

    def _arguments_of(self, function):
        """The arguments of the function that makes the model: meta, compile_kwargs, parameters by their names."""
        names, any_name = accepted(function)
        defaults = {p.name: p.default for p in inspect.signature(type(self).__init__).parameters.values()}
        own = self.get_params(deep=False)
        offered = {name: value for name, value in own.items() if "__" not in name}
        chosen = {
            n: v for n, v in offered.items() if n in names and (n not in defaults or v is not defaults[n])
        }
        plain = [name for name in self._extra if "__" not in name]
        unknown = [name for name in plain if name not in names and not any_name]
        if unknown:
            raise ValueError(
                f"{unknown[0]!r} is neither a parameter of {type(self).__name__} nor of the function that makes the "
                f"model, which takes {names}"
            )
        chosen |= {name: own[name] for name in plain}
        if "meta" in names:
            chosen["meta"] = self._meta()
        if "compile_kwargs" in names:
            chosen["compile_kwargs"] = self._compile_arguments(None)
        return chosen | self._routed("model")

    def _compile_arguments(self, outputs):
        """The arguments of ``compile``: names and objects, with what was routed to them."""
        optimizer = "rmsprop" if self.optimizer is None else self.optimizer
        routed = self._routed("optimizer")
        if isinstance(optimizer, type):
            optimizer = optimizer(**routed)
        else:
            made = optimizers.get(optimizer)
            optimizer = type(made).from_config({**made.get_config(), **routed})
        loss = self.loss if self.loss is not None else self._default_loss(outputs)
        if isinstance(loss, type):
            loss = loss(**self._routed("loss"))
        elif self._routed("loss"):
            loss = type(losses.as_loss(loss))(**self._routed("loss"))
        return {
            "optimizer": optimizer, "loss": loss, "metrics": copy.deepcopy(self.metrics), **self._routed("compile"),
        }  # fmt: skip

    def _compile(self, made, outputs):
        if not made.compiled:
            made.compile(**self._compile_arguments(outputs))
        elif self._routed("optimizer"):
            made.set_params(
                **{f"optimizer__{name}": value for name, value in self._routed("optimizer").items()}
            )

    # --- training -------------------------------------------------------------------------------------------------

    def fit(self, X, y, sample_weight=None, **kwargs):
        """Trains: a new model, or with ``warm_start`` the one there is. ``kwargs`` go to the model's ``fit``."""
        again = not (self.warm_start and hasattr(self, "model_"))
        return self._fit(X, y, sample_weight, again, self.epochs, kwargs)

    def _fit(self, X, y, sample_weight, again, epochs, kwargs, **options):
        with seeded(self.random_state):
            size = kwargs.get("batch_size", self.batch_size) or 32
            size = 2**62 if size == -1 else size
            X, y, weights = self._targets(X, y, sample_weight, again, size, **options)
            if again:
                self.model_ = self._make_model(X)
                self.history_ = {}
            own = {name: getattr(self, name) for name in _OF_FIT}
            arguments = (
                own | {"epochs": epochs, "callbacks": self._own_callbacks()} | self._routed("fit") | kwargs
            )
            arguments["batch_size"] = min(size, len(X)) if size > len(X) else size
            weights = None if weights is None else weights.astype(np.float32)
            history = self.model_.fit(X, self._for_model(y), sample_weight=weights, **arguments)
            for name, values in history.history.items():
                self.history_.setdefault(name, []).extend(values)
        return self

    def partial_fit(self, X, y, classes=None, sample_weight=None, **kwargs):
        """Trains one more epoch; the first call makes the model. ``classes`` names all there will be."""
        again = not hasattr(self, "model_")
        options = {} if classes is None else {"classes": classes}
        return self._fit(X, y, sample_weight, again, 1, kwargs, **options)

    def _own_callbacks(self):
        """Callbacks of this run: copies, so that a run leaves the parameters as they are."""
        given = self.callbacks
        if given is None:
            return None
        given = list(given.values()) if isinstance(given, dict) else given
        given = list(given) if isinstance(given, (list, tuple)) else [given]
        return [c(**self._routed("callbacks")) if isinstance(c, type) else copy.deepcopy(c) for c in given]

    def _found(self, X, kwargs):
        X = self._inputs(X)
        own = {"batch_size": self.batch_size, "verbose": 0} | self._routed("predict") | kwargs
        if own["batch_size"] == -1:
            own["batch_size"] = len(X)
        return self.model_.predict(X, **own)

    @property
    def current_epoch(self):
        """How many epochs the model was trained for."""
        return len(self.history_.get("loss", ())) if hasattr(self, "history_") else 0


class KerasClassifier(Classifying, _KerasEstimator):
    """A classifier of a Keras model: ``model`` is a function that returns one, or a (compiled) model.

    A function may take ``meta`` (what is known of the data), ``compile_kwargs``, and parameters by name; names
    ``model__hidden``, ``optimizer__learning_rate``, ``fit__...``, ``callbacks__...`` go to where their prefix says.
    A model that is not compiled gets ``optimizer`` (rmsprop), ``loss`` (a cross-entropy by the number of outputs)
    and ``metrics``. A model given as object is made anew for each ``fit``. Labels may be anything; ``classes_`` has
    them in order. Source: the interface of scikeras' ``KerasClassifier``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> from minidl.keras.wrappers import KerasClassifier
    >>> def net(meta, hidden=8):
    ...     return keras.Sequential(
    ...         [
    ...             keras.layers.Dense(hidden, activation="relu", input_shape=(meta["n_features_in_"],)),
    ...             keras.layers.Dense(1, activation="sigmoid"),
    ...         ]
    ...     )
    >>> x = np.linspace(-1, 1, 64).reshape(-1, 1)
    >>> y = np.where(x[:, 0] > 0, "yes", "no")
    >>> model = KerasClassifier(
    ...     net, model__hidden=16, optimizer__learning_rate=0.05, epochs=20, random_state=0, verbose=0
    ... )
    >>> model.fit(x, y).score(x, y) > 0.9
    True
    """

    def __init__(
        self, model=None, *, build_fn=None, warm_start=False, random_state=None, optimizer=None, loss=None,
        metrics=None, batch_size=None, validation_batch_size=None, verbose=1, callbacks=None, validation_split=0.0,
        shuffle=True, epochs=1, class_weight=None, **kwargs,
    ):  # fmt: skip
        super().__init__(
            model, build_fn=build_fn, warm_start=warm_start, random_state=random_state, optimizer=optimizer,
            loss=loss, metrics=metrics, batch_size=batch_size, validation_batch_size=validation_batch_size,
            verbose=verbose, callbacks=callbacks, validation_split=validation_split, shuffle=shuffle, epochs=epochs,
            **kwargs,
        )  # fmt: skip
        self.class_weight = class_weight

    def _default_loss(self, outputs):
        if outputs is None:
            outputs = self._expected_outputs()
        single = outputs == 1 or self.target_type_ == "multilabel-indicator"
        return "binary_crossentropy" if single else "sparse_categorical_crossentropy"

    def _compile(self, made, outputs):
        self._demand_outputs(outputs)
        super()._compile(made, outputs)
        self._outputs = outputs

    def _for_model(self, y):
        if y.ndim == 2:
            return y
        if self._outputs == 1:
            return y.astype(np.float32)
        return y if "sparse" in loss_name(self.model_.loss) else np.eye(self._outputs, dtype=np.float32)[y]

    def predict_proba(self, X, **kwargs):
        """The classes' probabilities, (N, classes), in the order of ``classes_``."""
        found = self._found(X, kwargs)
        loss = self.model_.loss
        if takes_logits(loss):
            of = sigmoid if self._outputs == 1 or "binary" in loss_name(loss) else softmax
            found = as_numpy(of(as_tensor(found)))
        elif "hinge" in loss_name(loss) and self._outputs == 1:
            found = (np.clip(found, -1, 1) + 1) / 2
        return self._probabilities(found)

    def predict(self, X, **kwargs):
        """The labels of the samples."""
        return self._labels(self.predict_proba(X, **kwargs))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # an epoch of a net of the user's own promises nothing
        return tags


class KerasRegressor(Regressing, _KerasEstimator):
    """A regressor of a Keras model; see ``KerasClassifier``. The loss is the mean squared error where none is given.

    >>> import numpy as np
    >>> from minidl import keras
    >>> from minidl.keras.wrappers import KerasRegressor
    >>> x = np.linspace(-1, 1, 64).reshape(-1, 1)
    >>> model = KerasRegressor(
    ...     keras.Sequential([keras.layers.Dense(1)]),
    ...     optimizer="sgd",
    ...     optimizer__learning_rate=0.2,
    ...     epochs=30,
    ...     random_state=0,
    ...     verbose=0,
    ... )
    >>> model.fit(x, 2 * x[:, 0] + 1).score(x, 2 * x[:, 0] + 1) > 0.99
    True
    """

    def _default_loss(self, outputs):
        return "mean_squared_error"

    def _for_model(self, y):
        return y

    def predict(self, X, **kwargs):
        """The values for the samples, (N,) or (N, outputs)."""
        return self._values(self._found(X, kwargs))

    def partial_fit(self, X, y, sample_weight=None, **kwargs):
        """Trains one more epoch; the first call makes the model."""
        return super().partial_fit(X, y, None, sample_weight, **kwargs)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # an epoch of a net of the user's own promises nothing
        return tags
