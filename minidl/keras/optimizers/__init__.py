"""Stand-in."""

from minidl import optim
from minidl.keras.identifiers import Identifiers


class Optimizer:
    def __init__(self, learning_rate=0.001, name=None):
        self.learning_rate, self.name, self.built, self.iterations = learning_rate, name, False, 0

    def build(self, variables):
        self.inner = self.make([v.value for v in variables])
        self.built = True

    def apply(self, grads, variables=None):
        if not self.built:
            self.build(variables)
        self.iterations += 1
        for v, g in zip(self.inner.param_groups[0]["params"], grads):
            v.grad = g
        self.inner.step()

    def get_config(self):
        return {"name": self.name, "learning_rate": self.learning_rate}


class Adam(Optimizer):
    def make(self, parameters):
        return optim.Adam(parameters, lr=self.learning_rate, eps=1e-7)


class RMSprop(Adam):
    pass


class SGD(Optimizer):
    def __init__(self, learning_rate=0.01, name=None):
        super().__init__(learning_rate, name)

    def make(self, parameters):
        return optim.SGD(parameters, lr=self.learning_rate)


_N = Identifiers("optimizer", "keras.optimizers", [Adam, SGD, RMSprop])


def get(identifier):
    return identifier if isinstance(identifier, Optimizer) else _N.get(identifier)


def serialize(item):
    return _N.serialize(item)
