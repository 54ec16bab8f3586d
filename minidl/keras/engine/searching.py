"""What scikit-learn asks of a compiled model: parameters, clones, a score; and copies by pickle that go on training."""

import copy
import functools

import numpy as np

from minidl.keras.engine.fresh import fresh_compile_arguments, fresh_model
from minidl.keras.engine.scoring import accuracy, is_classification, r2
from minidl.keras.engine.seeding import seeded
from minidl.keras.engine.tensors import as_numpy
from minidl.keras.engine.trainer import Trainer
from minidl.nn.module import Module

FIT_DEFAULTS = {
    "batch_size": None,
    "epochs": 1,
    "verbose": "auto",
    "validation_split": 0.0,
    "class_weight": None,
    "callbacks": None,
    "shuffle": True,
    "random_state": None,
}
_ORDER = {
    "fit": ("x", "y", "batch_size", "epochs", "verbose", "callbacks", "validation_split", "validation_data", "shuffle",
            "class_weight"),
    "evaluate": ("x", "y", "batch_size", "verbose"),
    "predict": ("x", "batch_size", "verbose"),
}  # fmt: skip


def _with_chosen(method):
    """The method, with what ``set_params`` chose for the arguments that the caller leaves out."""
    order = _ORDER[method.__name__]

    @functools.wraps(method)
    def wrapped(self, *args, **kwargs):
        chosen = self.__dict__.get("_chosen")
        if not chosen:
            return method(self, *args, **kwargs)
        for name in order[len(args) :]:
            if name in chosen and name not in kwargs:
                kwargs[name] = chosen[name]
        if method.__name__ != "fit" or chosen.get("random_state") is None:
            return method(self, *args, **kwargs)
        with seeded(chosen["random_state"]):
            self._redraw()
            return method(self, *args, **kwargs)

    return wrapped


class Searchable(Trainer):
    """The part of ``Model`` that lets ``GridSearchCV(model, {"batch_size": [16, 32], "epochs": [10, 20]})`` work.

    Parameters are the arguments of ``fit``, ``random_state``, and ``optimizer``, ``optimizer__learning_rate``, ...,
    ``loss``. A clone has the same architecture and settings, weights drawn anew, and a fresh optimizer.
    """

    fit = _with_chosen(Trainer.fit)
    evaluate = _with_chosen(Trainer.evaluate)
    predict = _with_chosen(Trainer.predict)

    def __setattr__(self, name, value):
        if name == "score" and isinstance(value, Module):  # a layer of that name comes before the method
            self._modules[name] = value
            self._tracked[name] = None
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    # --- parameters -----------------------------------------------------------------------------------------------

    def get_params(self, deep=True):
        """What ``set_params`` can set, by name, and its values."""
        found = FIT_DEFAULTS | self.__dict__.get("_chosen", {})
        if self.compiled:
            found |= {name: self._compile_arguments[name] for name in ("optimizer", "loss")}
            if deep:
                config = self.optimizer.get_config()
                found |= {f"optimizer__{name}": value for name, value in config.items() if name != "name"}
        return found

    def set_params(self, **params):
        """Chooses arguments of ``fit``, or another optimizer or loss; returns the model.

        ``ValueError`` with the names there are for one that is none of them.
        """
        known = self.get_params()
        unknown = [name for name in params if name not in known and name not in ("optimizer", "loss")]
        inner = [name for name in unknown if name.startswith("optimizer__") and "optimizer" in params]
        if [name for name in unknown if name not in inner]:
            raise ValueError(
                f"Invalid parameter {unknown[0]!r} for estimator {type(self).__name__}({self.name!r}). "
                f"Valid parameters are: {sorted(known)!r}."
            )
        chosen = dict(self.__dict__.get("_chosen", {}))
        chosen.update({name: value for name, value in params.items() if name in FIT_DEFAULTS})
        object.__setattr__(self, "_chosen", chosen)
        again = {name: params[name] for name in ("optimizer", "loss") if name in params}
        if again:
            given = fresh_compile_arguments(self) if self.compiled else {}
            self.compile(**(given | again))
        inner = {
            name.partition("__")[2]: value for name, value in params.items() if name.startswith("optimizer__")
        }
        if inner:
            self._demand_compiled("set_params")
            changed = type(self.optimizer).from_config({**self.optimizer.get_config(), **inner})
            self.compile(**{**fresh_compile_arguments(self), "optimizer": changed})
        return self

    # --- clones ---------------------------------------------------------------------------------------------------

    def __sklearn_clone__(self):
        made = fresh_model(self)
        if self.compiled:
            made.compile(**fresh_compile_arguments(self))
        chosen = {
            name: copy.deepcopy(value, {id(self): None})
            for name, value in self.__dict__.get("_chosen", {}).items()
        }
        object.__setattr__(made, "_chosen", {"verbose": 0} | chosen)
        return made

    def _redraw(self):
        """Draws the weights anew, unless they were trained already."""
        if self.weights and (self.optimizer is None or int(self.optimizer.iterations) == 0):
            drawn = fresh_model(self).get_weights()
            if drawn:
                self.set_weights(drawn)

    # --- what kind of estimator -----------------------------------------------------------------------------------

    def __sklearn_tags__(self):
        from sklearn.utils import ClassifierTags, InputTags, RegressorTags, Tags, TargetTags

        self._demand_compiled("fit")
        classifies = is_classification(self.loss)
        return Tags(
            estimator_type="classifier" if classifies else "regressor",
            target_tags=TargetTags(required=True, multi_output=True),
            classifier_tags=ClassifierTags() if classifies else None,
            regressor_tags=None if classifies else RegressorTags(),
            input_tags=InputTags(three_d_array=True),
            non_deterministic=True,
        )

    def __sklearn_is_fitted__(self):
        """Whether ``predict`` works: the weights are made. A ``Pipeline`` asks."""
        return self.built

    @property
    def _estimator_type(self):
        """scikit-learn's name for the kind of model before tags: "classifier" or "regressor"."""
        return "classifier" if is_classification(self.loss) else "regressor"

    def score(self, X, y, sample_weight=None):
        """The accuracy where the loss is a cross-entropy or a hinge, else the coefficient of determination R^2."""
        self._demand_compiled("score")
        found = self.predict(X, verbose=0)
        truth = as_numpy(y)
        weights = None if sample_weight is None else np.asarray(sample_weight, float).ravel()
        if is_classification(self.loss):
            return accuracy(truth, found, self.loss, weights)
        return r2(truth, found, weights)

    # --- copies ---------------------------------------------------------------------------------------------------

    def __getstate__(self):
        """The attributes; a graph's calls come first, each after those it needs, so that deep graphs stay shallow."""
        first = {name: self.__dict__[name] for name in ("nodes",) if name in self.__dict__}
        return first | self.__dict__

    def __setstate__(self, state):
        self.__dict__.update(state)
        optimizer = self.__dict__.get("optimizer")
        if optimizer is not None and optimizer.built:
            _rebind(optimizer, self.weights)


def _rebind(optimizer, weights):
    """An optimizer that was copied with its model finds its weights by identity again."""
    known = {id(weight.parameters[0]): weight for weight in weights}
    for slot in optimizer._slots:
        slot.variable = known.get(id(slot.parts[0]), slot.variable)
    index = {id(slot.variable): place for place, slot in enumerate(optimizer._slots)}
    for holder in (optimizer, getattr(optimizer, "inner_optimizer", None)):
        if holder is not None:
            holder._index = index
