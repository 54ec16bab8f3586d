"""Optimizers whose step is one formula for every element: SGD, RMSprop, the Ada- family, Ftrl, Lion."""

from minidl.backends import of
from minidl.keras.optimizers.base import Optimizer

__all__ = ["SGD", "Adadelta", "Adagrad", "Ftrl", "Lion", "RMSprop"]


class SGD(Optimizer):
    """v = momentum v - lr g; p += v (``nesterov``: p += momentum v - lr g). Plain descent where momentum is 0.

    ``ValueError`` for a momentum outside [0, 1]. Source: I. Sutskever et al., "On the importance of initialization
    and momentum in deep learning", ICML 2013.
    """

    _options = ("momentum", "nesterov")

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, weight_decay=None, **kwargs):
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        if not isinstance(momentum, (int, float)) or not 0 <= momentum <= 1:
            raise ValueError("`momentum` must be a float between [0, 1].")
        self.momentum, self.nesterov = momentum, nesterov

    def _wanted_states(self):
        return (("momentum", 0.0),) if self.momentum else ()

    def _step(self, params, grads, *states_and_rate):
        *states, rate = states_and_rate
        backend, momentum, fresh = of(params[0]), float(self.momentum), [False] * len(params)
        if not states:
            backend.sgd_step(params, grads, None, fresh, rate, 0.0, 0.0, False, 0.0, False)
        elif self.nesterov:  # the kernel's buffer is Keras' velocity where gradients come scaled by -lr
            grads = [of(grad).mul(grad, -rate) for grad in grads]
            backend.sgd_step(params, grads, states[0], fresh, -1.0, momentum, 0.0, True, 0.0, False)
        else:  # 1 - dampening is -lr
            backend.sgd_step(params, grads, states[0], fresh, -1.0, momentum, 1.0 + rate, False, 0.0, False)


class RMSprop(Optimizer):
    """v = rho v + (1 - rho) g^2; p -= lr g / sqrt(v + epsilon); ``centered`` takes the squared mean off v.

    Source: G. Hinton, "Neural networks for machine learning", lecture 6.
    """

    _options = ("rho", "momentum", "epsilon", "centered")

    def __init__(
        self, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False, weight_decay=None, **kwargs
    ):  # fmt: skip
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered

    def _wanted_states(self):
        wanted = (("velocity", 0.0), ("momentum", 0.0), ("average_gradient", 0.0))
        return tuple(s for s, on in zip(wanted, (True, self.momentum > 0, self.centered), strict=True) if on)

    def _late_states(self):
        return tuple(name for name, _ in self._wanted_states() if name != "velocity")

    def _step(self, params, grads, velocities, *more):
        *more, rate = more
        momentums = more[0] if self.momentum > 0 else None
        averages = more[-1] if self.centered else None
        of(params[0]).keras_rmsprop_step(
            params, grads, velocities, momentums, averages, rate, float(self.rho), float(self.momentum),
            float(self.epsilon), bool(self.centered),
        )  # fmt: skip


class Adagrad(Optimizer):
    """a += g^2; p -= lr g / sqrt(a + epsilon). Source: J. Duchi, E. Hazan, Y. Singer, JMLR 2011."""

    _options = ("initial_accumulator_value", "epsilon")

    def __init__(
        self, learning_rate=0.001, initial_accumulator_value=0.1, epsilon=1e-7, weight_decay=None, **kwargs
    ):  # fmt: skip
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon

    def _wanted_states(self):
        return (("accumulator", self.initial_accumulator_value),)

    def _step(self, params, grads, accumulators, rate):
        of(params[0]).keras_adagrad_step(params, grads, accumulators, rate, float(self.epsilon))


class Adadelta(Optimizer):
    """Steps whose size is that of the last steps over that of the last gradients. Source: M. Zeiler, 2012."""

    _options = ("rho", "epsilon")
    states = (("accumulated_grad", 0.0), ("accumulated_delta_var", 0.0))

    def __init__(self, learning_rate=0.001, rho=0.95, epsilon=1e-7, weight_decay=None, **kwargs):
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        self.rho, self.epsilon = rho, epsilon

    def _step(self, params, grads, squares, changes, rate):
        rho, epsilon = float(self.rho), float(self.epsilon)
        of(params[0]).keras_adadelta_step(params, grads, squares, changes, rate, rho, epsilon)


class Ftrl(Optimizer):
    """Follow the regularised leader. Source: B. McMahan et al., "Ad click prediction", KDD 2013.

    ``ValueError`` for strengths below 0 or a power above 0.
    """

    _options = (
        "learning_rate_power", "initial_accumulator_value", "l1_regularization_strength",
        "l2_regularization_strength", "l2_shrinkage_regularization_strength", "beta",
    )  # fmt: skip

    def __init__(
        self, learning_rate=0.001, learning_rate_power=-0.5, initial_accumulator_value=0.1,
        l1_regularization_strength=0.0, l2_regularization_strength=0.0, l2_shrinkage_regularization_strength=0.0,
        beta=0.0, weight_decay=None, **kwargs,
    ):  # fmt: skip
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        values = (
            learning_rate_power, initial_accumulator_value, l1_regularization_strength, l2_regularization_strength,
            l2_shrinkage_regularization_strength, beta,
        )  # fmt: skip
        for name, value in zip(self._options, values, strict=True):
            if (value > 0.0) if name == "learning_rate_power" else (value < 0.0):
                wanted = "less than or equal to zero" if name == "learning_rate_power" else "positive or zero"
                raise ValueError(f"`{name}` needs to be {wanted}. Received: {name}={value}.")
            setattr(self, name, value)

    def _wanted_states(self):
        return (("accumulator", self.initial_accumulator_value), ("linear", 0.0))

    def _step(self, params, grads, accumulators, linears, rate):
        l2 = self.l2_regularization_strength + self.beta / (2.0 * rate)
        of(params[0]).keras_ftrl_step(
            params, grads, accumulators, linears, rate, float(self.learning_rate_power),
            float(self.l1_regularization_strength), float(l2), float(self.l2_shrinkage_regularization_strength),
        )  # fmt: skip


class Lion(Optimizer):
    """p -= lr sign(b1 m + (1 - b1) g); m = b2 m + (1 - b2) g.

    ``ValueError`` for a beta_1 outside (0, 1]. Source: X. Chen et al., "Symbolic discovery of optimization
    algorithms", NeurIPS 2023.
    """

    _options = ("beta_1", "beta_2")
    states = (("momentum", 0.0),)

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.99, weight_decay=None, **kwargs):
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        if beta_1 <= 0 or beta_1 > 1:
            raise ValueError(
                "Argument `beta_1` must be in the [0, 1] range. Otherwise, the optimizer degenerates to SignSGD. "
                f"Received: beta_1={beta_1}."
            )
        self.beta_1, self.beta_2 = beta_1, beta_2

    def _step(self, params, grads, means, rate):
        of(params[0]).keras_lion_step(params, grads, means, rate, float(self.beta_1), float(self.beta_2))
