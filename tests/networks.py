"""A network for the tests of modules: parameters, a nested module, buffers of both kinds, a plain attribute."""

import minidl
from minidl import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.second = nn.Sequential(nn.ReLU(), nn.Linear(4, 2, bias=False))
        self.register_buffer("scale", minidl.ones(1))
        self.register_buffer("seen", minidl.zeros(1), persistent=False)
        self.note = "plain"

    def forward(self, x, double=False):
        out = self.second(self.first(x)) * self.scale
        return out * 2 if double else out
