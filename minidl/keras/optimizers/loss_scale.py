"""``LossScaleOptimizer``: for losses in half precision, a scale that grows while gradients stay finite."""

from minidl.keras.optimizers.base import Optimizer

__all__ = ["LossScaleOptimizer"]

_FOREIGN = (
    "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum", "ema_overwrite_frequency",
    "loss_scale_factor", "gradient_accumulation_steps",
)  # fmt: skip


class LossScaleOptimizer(Optimizer):
    """Multiplies the loss by a scale, divides gradients by it, and steps ``inner_optimizer`` where they are finite.

    The scale doubles after ``dynamic_growth_steps`` finite steps and halves at one that is not, which is left out.
    Source: P. Micikevicius et al., "Mixed precision training", ICLR 2018.
    """

    known = None  # the optimizers that from_config knows: the package sets it

    def __init__(
        self, inner_optimizer, initial_scale=32768.0, dynamic_growth_steps=2000, name=None, **kwargs
    ):
        if not kwargs.pop("dynamic", True):
            raise ValueError(
                "LossScaleOptimizer no longer supports `dynamic=False`. Instead, simply set `loss_scale_factor` "
                "directly on the `inner_optimizer`."
            )
        for option in _FOREIGN:
            if kwargs.pop(option, None) not in (None, False, 0.99):
                raise ValueError(
                    f"LossScaleOptimizer does not support `{option}`. Instead, set `{option}` on the "
                    "`inner_optimizer`."
                )
        if kwargs:
            raise ValueError(f"LossScaleOptimizer does not support arguments: `{'`, `'.join(kwargs)}`.")
        self.inner_optimizer = inner_optimizer
        super().__init__(0.0, name=name)
        self.initial_scale, self.dynamic_growth_steps = initial_scale, dynamic_growth_steps
        inner_optimizer.loss_scale_factor = None  # scaled once is enough

    def build(self, variables):
        """Makes the state, the inner optimizer's too."""
        if self.built:
            return
        self.step_counter = self.add_variable((), dtype="int32", name="step_counter")
        self.dynamic_scale = self.add_variable((), dtype="float32", name="dynamic_scale")
        self.dynamic_scale.assign(float(self.initial_scale))
        self.inner_optimizer.build(variables)
        self._slots, self._index = self.inner_optimizer._slots, self.inner_optimizer._index
        self.built = True

    @property
    def variables(self):
        """Its own state, then the inner optimizer's."""
        return [*self._variables, *self.inner_optimizer.variables]

    @property
    def learning_rate(self):
        """The inner optimizer's."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        self.inner_optimizer.learning_rate = value

    @property
    def iterations(self):
        """The inner optimizer's."""
        return self.inner_optimizer.iterations

    def scale_loss(self, loss):
        """The loss times the scale."""
        return loss * (float(self.dynamic_scale) if self.built else self.initial_scale)

    def apply(self, grads, trainable_variables=None):
        """Steps where all gradients are finite; sets the scale."""
        grads = list(grads)
        if not self.built:
            if trainable_variables is None:
                raise ValueError("Call `optimizer.build(trainable_variables)` before passing `grads` alone.")
            self.build(list(trainable_variables))
        flat = [
            g
            for grad in grads
            for g in (grad if isinstance(grad, (list, tuple)) else [grad])
            if g is not None
        ]
        if not all(bool(grad.isfinite().all()) for grad in flat):
            self.step_counter.assign(0)
            self.dynamic_scale.assign(float(self.dynamic_scale) * 0.5)
            return
        scale = float(self.dynamic_scale)
        if int(self.step_counter) == self.dynamic_growth_steps - 1:
            self.step_counter.assign(0)
            self.dynamic_scale.assign(scale * 2.0)
        else:
            self.step_counter.assign_add(1)
        self.inner_optimizer.apply([_divided(grad, scale) for grad in grads], trainable_variables)

    def finalize_variable_values(self, var_list=None):
        """The inner optimizer's."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self):
        """The constructor's arguments."""
        return {
            "name": self.name, "inner_optimizer": self.known.serialize(self.inner_optimizer),
            "initial_scale": self.initial_scale, "dynamic_growth_steps": self.dynamic_growth_steps,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The optimizer that ``get_config`` describes."""
        config = dict(config)
        return cls(cls.known.deserialize(config.pop("inner_optimizer"), custom_objects), **config)


def _divided(grad, scale):
    if isinstance(grad, (list, tuple)):
        return [_divided(part, scale) for part in grad]
    return None if grad is None else grad.detach() / scale
