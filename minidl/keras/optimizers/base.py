"""``Optimizer``: what every optimizer of the Keras face shares, from the learning rate to the saved state."""

import re
import warnings

from minidl.keras.dropped import warn
from minidl.keras.engine.naming import auto_name, to_snake_case
from minidl.keras.optimizers import schedules
from minidl.keras.optimizers.applying import Applying
from minidl.keras.optimizers.slots import Slot, SlotState
from minidl.keras.state import make_state

__all__ = ["Optimizer"]


class Optimizer(Applying):
    """Base of the optimizers: ``apply(grads, variables)`` updates weights, ``variables`` is the state.

    ``learning_rate`` is a number, a schedule or a callable; ``weight_decay`` shrinks weights by its product with the
    learning rate before a step; ``clipnorm``, ``clipvalue``, ``global_clipnorm`` bound gradients (one of them);
    ``use_ema`` keeps an average of the weights, ``ema_overwrite_frequency`` writes it back every so many steps;
    ``gradient_accumulation_steps`` adds gradients up. A subclass names its states in ``states`` and updates raw
    arrays in ``_step``, or, written as for Keras, defines ``build`` and ``update_step(gradient, variable,
    learning_rate)``. ``ValueError`` for arguments out of range. Source: Keras' ``Optimizer``.

    >>> import minidl
    >>> from minidl import keras
    >>> w = minidl.nn.Parameter(minidl.tensor([1.0]))
    >>> optimizer = keras.optimizers.SGD(learning_rate=0.1)
    >>> optimizer.apply([minidl.tensor([2.0])], [w])
    >>> w.detach()
    tensor([0.8000])
    """

    _options = ()  # names of the arguments that get_config adds
    states = ()  # (name, initial value) of the states that every weight has

    def __init__(
        self, learning_rate, weight_decay=None, clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
        ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None, gradient_accumulation_steps=None,
        name=None, **kwargs,
    ):  # fmt: skip
        learning_rate = _older(kwargs, learning_rate)
        if kwargs:
            raise ValueError(f"Argument(s) not recognized: {kwargs}")
        if sum(limit is not None for limit in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError(
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: "
                f"clipnorm={clipnorm}, clipvalue={clipvalue}, global_clipnorm={global_clipnorm}"
            )
        if use_ema and not 0 <= ema_momentum <= 1:
            raise ValueError(
                f"`ema_momentum` must be in the range [0, 1]. Received: ema_momentum={ema_momentum}"
            )
        for option, value in (
            ("ema_overwrite_frequency", ema_overwrite_frequency if use_ema else None),
            ("gradient_accumulation_steps", gradient_accumulation_steps),
        ):
            low = 2 if option.startswith("gradient") else 1
            if value is not None and (not isinstance(value, int) or value < low):
                raise ValueError(
                    f"`{option}` must be an integer >= {low} or None. Received: {option}={value}"
                )
        self.name = name or auto_name(to_snake_case(type(self).__name__))
        self.weight_decay, self.clipnorm = weight_decay, clipnorm
        self.clipvalue, self.global_clipnorm = clipvalue, global_clipnorm
        self.use_ema, self.ema_momentum = use_ema, ema_momentum
        self.ema_overwrite_frequency, self.loss_scale_factor = ema_overwrite_frequency, loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.built = False
        self._excluded, self._excluded_names = set(), None
        self._slots, self._index, self._state = [], {}, {}
        self._variables = []
        self._iterations = self.add_variable((), dtype="int32", name="iteration")
        self._learning_rate = None
        if isinstance(learning_rate, dict):
            learning_rate = schedules.deserialize(learning_rate)
        if callable(learning_rate):
            self._learning_rate = learning_rate
        else:
            self._learning_rate = self.add_variable((), dtype="float32", name="learning_rate")
            self._learning_rate.assign(float(learning_rate))

    # --- the rate and the count ----------------------------------------------------------------------------------

    @property
    def iterations(self):
        """How many steps were made; ``int()`` of it is the number. An accumulation of gradients is one step."""
        every = self.gradient_accumulation_steps
        return self._iterations // every if every else self._iterations

    def _done(self):
        return int(self._iterations) // (self.gradient_accumulation_steps or 1)

    @property
    def learning_rate(self):
        """The rate of the next step: a tensor that may be assigned, or what the schedule or callable says now."""
        rate = self._learning_rate
        if isinstance(rate, schedules.LearningRateSchedule):
            return rate(self._iterations)
        return rate() if callable(rate) and not hasattr(rate, "assign") else rate

    @learning_rate.setter
    def learning_rate(self, learning_rate):
        if callable(learning_rate) and not hasattr(learning_rate, "assign"):
            self._variables = [v for v in self._variables if v is not self._learning_rate]
            self._learning_rate = learning_rate
        elif isinstance(self._learning_rate, schedules.LearningRateSchedule):
            raise TypeError(
                "This optimizer was created with a `LearningRateSchedule` object as its `learning_rate` constructor "
                "argument, hence its learning rate is not settable. If you need the learning rate to be settable, "
                "you should instantiate the optimizer with a float `learning_rate` argument."
            )
        else:
            self._learning_rate.assign(float(learning_rate))

    @property
    def lr(self):
        """``learning_rate``, by its old name."""
        warn("`optimizer.lr` is deprecated, use `optimizer.learning_rate`")
        return self.learning_rate

    @lr.setter
    def lr(self, value):
        warn("`optimizer.lr` is deprecated, use `optimizer.learning_rate`")
        self.learning_rate = value

    # --- the state -----------------------------------------------------------------------------------------------

    def add_variable(self, shape, initializer="zeros", dtype=None, name=None, **_):
        """A state that belongs to no weight."""
        made = make_state(shape, initializer if callable(initializer) else None, dtype or "float32", name)
        made.path = f"{self.name}/{made.name}"
        self._variables.append(made)
        return made

    def add_variable_from_reference(self, reference_variable, name=None, initializer=0.0):
        """A state shaped as a weight, named ``<path of the weight>_<name>``."""
        slot = self._slot_of(reference_variable)
        full = f"{slot.path.replace('/', '_')}_{name or 'var'}"
        fill = 0.0 if isinstance(initializer, str) else getattr(initializer, "value", initializer)
        made = SlotState(slot, full, f"{self.name}/{full}", fill)
        self._variables.append(made)
        return made

    def add_optimizer_variables(self, trainable_variables, name, initializer=0.0):
        """States for all weights, interleaved weight by weight; a list, or one a name."""
        names = [name] if isinstance(name, str) else list(name)
        fills = list(initializer) if isinstance(initializer, (list, tuple)) else [initializer] * len(names)
        if len(fills) != len(names):
            raise ValueError(
                "The number of provided names must match the number of provided initializers. Received "
                f"name='{name}', initializer='{initializer}'"
            )
        found = [[] for _ in names]
        for variable in trainable_variables:
            for kept, own, fill in zip(found, names, fills, strict=True):
                kept.append(self.add_variable_from_reference(variable, own, fill))
        return found[0] if isinstance(name, str) else found

    def _slot_of(self, variable):
        if isinstance(variable, Slot):
            return variable
        found = self._index.get(id(variable))
        return self._slots[found] if found is not None else Slot(variable, 0)

    def build(self, variables):
        """Makes the state for these weights; ``apply`` does so where it was not done."""
        if self.built:
            return
        variables = list(variables)
        self._slots = [Slot(variable, i) for i, variable in enumerate(variables)]
        self._index = {id(slot.variable): i for i, slot in enumerate(self._slots)}
        if self.use_ema:
            self._state["average"] = self.add_optimizer_variables(self._slots, "average")
        if self.gradient_accumulation_steps:
            name = "gradient_accumulator"
            self._state[name] = self.add_optimizer_variables(self._slots, name)
        self._make_states()
        self.built = True

    def _make_states(self):
        wanted = [(name, fill) for name, fill in self._wanted_states() if name not in self._late_states()]
        if wanted:
            names, fills = zip(*wanted, strict=True)
            self._state.update(
                zip(names, self.add_optimizer_variables(self._slots, names, fills), strict=True)
            )
        for name in self._late_states():
            self._state[name] = self.add_optimizer_variables(self._slots, name)

    def _wanted_states(self):
        return self.states

    def _late_states(self):
        """States that Keras makes after the others, and so keeps after them in files."""
        return ()

    @property
    def variables(self):
        """The state in Keras' order: iteration, learning rate, then what each weight has."""
        return list(self._variables)

    def get_weights(self):
        """The state as NumPy arrays, in Keras' layout."""
        return [variable.numpy() for variable in self.variables]

    def set_weights(self, weights):
        """Overwrites the state. ``ValueError`` before ``build``, or for another number or shape."""
        if not self.built:
            raise ValueError(
                "You are calling `set_weights()` on an optimizer that has not yet been built. Please call "
                "`optimizer.build(trainable_variables)` to create the optimizer weights before calling "
                "`set_weights()`."
            )
        weights = list(weights)
        if len(weights) != len(self.variables):
            raise ValueError(
                f"The optimizer has {len(self.variables)} variables, but {len(weights)} were given"
            )
        for variable, weight in zip(self.variables, weights, strict=True):
            variable.assign(weight)

    def save_own_variables(self, store):
        """Puts the state into a dict-like, by number."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store):
        """Takes the state from a dict-like; warns and keeps its own where the number differs."""
        if len(store.keys()) != len(self.variables):
            hint = "" if self.variables and self.built else " The optimizer has not been built yet."
            warnings.warn(
                f"Skipping variable loading for optimizer '{self.name}', because it has {len(self.variables)} "
                f"variables whereas the saved optimizer has {len(store.keys())} variables.{hint}",
                stacklevel=2,
            )
            return
        for i, variable in enumerate(self.variables):
            variable.assign(store[str(i)])

    # --- what is left out of the decay ---------------------------------------------------------------------------

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
        """Weights (or patterns of their names) that do not decay; before ``build``, else ``ValueError``."""
        if self.built:
            raise ValueError(
                "`exclude_from_weight_decay()` can only be configured before the optimizer is built."
            )
        self._excluded = {id(variable) for variable in var_list or ()}
        self._excluded_names = re.compile("|".join(sorted(set(var_names)))) if var_names else None

    def _decays(self, slot):
        if id(slot.variable) in self._excluded:
            return False
        return self._excluded_names is None or self._excluded_names.search(slot.name) is None

    # --- the config ------------------------------------------------------------------------------------------------

    def get_config(self):
        """The constructor's arguments; a schedule as a dict."""
        rate = self._learning_rate
        if isinstance(rate, schedules.LearningRateSchedule):
            rate = schedules.serialize(rate)
        elif hasattr(rate, "assign"):
            rate = float(rate)
        else:
            rate = getattr(rate, "__name__", 0.5)
        names = (
            "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum",
            "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps", *self._options,
        )  # fmt: skip
        return {"name": self.name, "learning_rate": rate, **{name: getattr(self, name) for name in names}}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The optimizer that ``get_config``, here or in Keras 2 or 3, describes."""
        config = dict(config)
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = schedules.deserialize(config["learning_rate"], custom_objects)
        return cls(**config)

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}>"


def _older(kwargs, learning_rate):
    """Takes the names of Keras 2 out of the arguments; the learning rate that they leave."""
    for name in ("jit_compile", "is_legacy_optimizer"):
        kwargs.pop(name, None)
    said = []
    if "lr" in kwargs:
        learning_rate = kwargs.pop("lr")
        said.append("`lr` is deprecated, use `learning_rate`")
    decay = kwargs.pop("decay", None)
    if decay and not callable(learning_rate):
        said.append("`decay` is deprecated, use schedules.InverseTimeDecay(learning_rate, 1, decay)")
        learning_rate = schedules.InverseTimeDecay(float(learning_rate), 1, decay)
    if said:
        warn("; ".join(said))
    return learning_rate
