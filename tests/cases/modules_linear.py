"""Rows of Linear, Bilinear, Identity, Flatten, Unflatten and of the containers."""

from collections import OrderedDict

from .case import normal
from .modules import ModuleCase


def _shared(nn):
    layer = nn.Linear(3, 3)
    return nn.Sequential(layer, nn.Tanh(), layer)


def _listed(nn):
    class Rows(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3), nn.Tanh()])
            self.chosen = nn.ModuleDict({"a": nn.Linear(3, 2), "b": nn.Linear(3, 2)})

        def forward(self, x):
            for layer in self.layers:
                x = layer(x)
            return self.chosen["b"](x) + self.chosen["a"](x)

    return Rows()


def _parameters(nn):
    class Weighted(nn.Module):
        def __init__(self):
            super().__init__()
            self.seen = nn.Linear(3, 3, bias=False)
            self.scales = nn.ParameterList([self.seen.weight[0].detach().clone() for _ in range(2)])
            self.named = nn.ParameterDict({"shift": self.seen.weight[1].detach().clone()})

        def forward(self, x):
            return self.seen(x) * self.scales[0] + self.scales[1] * self.named["shift"]

    return Weighted()


MODULE_CASES = [
    ModuleCase("Linear", (3, 4), {}, (normal(2, 3),)),
    ModuleCase("Linear", (3, 4), {"bias": False}, (normal(2, 5, 3),), id="no-bias-3d"),
    ModuleCase("Linear", (3, 4), {}, (normal(3),), id="vector"),
    ModuleCase("Linear", (3, 4), {}, (normal(0, 3),), id="no-samples"),
    ModuleCase("Bilinear", (3, 4, 5), {}, (normal(2, 3), normal(2, 4))),
    ModuleCase("Bilinear", (3, 4, 5), {"bias": False}, (normal(2, 6, 3), normal(2, 6, 4)), id="no-bias-3d"),
    ModuleCase("Identity", (54,), {"anything": 0.1}, (normal(2, 3),)),
    ModuleCase("Flatten", (), {}, (normal(2, 3, 4),)),
    ModuleCase("Flatten", (0, 1), {}, (normal(2, 3, 4),), id="dims"),
    ModuleCase("Unflatten", (1, (2, 3)), {}, (normal(2, 6),)),
    ModuleCase(
        lambda nn: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Sequential(nn.Linear(4, 2))),
        inputs=(normal(2, 3),),
        id="Sequential",
    ),
    ModuleCase(
        lambda nn: nn.Sequential(OrderedDict([("first", nn.Linear(3, 4)), ("act", nn.Tanh())])),
        inputs=(normal(2, 3),),
        id="Sequential-named",
    ),
    ModuleCase(_shared, inputs=(normal(2, 3),), id="Sequential-shared"),
    ModuleCase(_listed, inputs=(normal(2, 3),), id="ModuleList-ModuleDict"),
    ModuleCase(_parameters, inputs=(normal(2, 3),), id="ParameterList-ParameterDict", torch=False),
]
