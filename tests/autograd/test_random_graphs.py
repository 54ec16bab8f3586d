"""Random expression graphs: gradients against central differences, by both paths and for both orders."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import minidl
from minidl import autograd
from minidl.testing import arrays, check_gradients, layouts

UNARY = {
    "tanh": lambda a: a.tanh(),
    "sin": lambda a: a.sin(),
    "square": lambda a: a * a,
    "sigmoid": lambda a: a.sigmoid(),
    "exp of tanh": lambda a: a.tanh().exp(),
    "minus": lambda a: -a,
    "rows reversed": lambda a: a[[2, 1, 0]],
    "row in place": lambda a: _row_in_place(a),
    "first column everywhere": lambda a: a[:, :1].expand(3, 4),
    "mean of rows": lambda a: a - a.mean(0),
    "softmax": lambda a: a.softmax(1),
    "through a view": lambda a: a.t().reshape(12).view(4, 3).t(),
}
BINARY = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - 0.5 * b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / (2 + b * b),
    "gram": lambda a, b: (a @ b.t()) @ a * 0.1,
    "joined": lambda a, b: minidl.cat([a[:2], b[2:]]),
    "chosen": lambda a, b: minidl.where(minidl.tensor([True, False, True, True]), a, b),
    "in place": lambda a, b: a.clone().mul_(b).add_(a),
}


def _row_in_place(a):
    a = a.clone()
    a[1].mul_(2)
    a[0] = a[2] - a[1]
    return a


@st.composite
def programs(draw):
    """A list of steps: each takes one or two of the values so far and appends a new one."""
    steps = []
    for count in range(2, 2 + draw(st.integers(1, 7))):
        name = draw(st.sampled_from([*UNARY, *BINARY]))
        operands = draw(st.lists(st.integers(0, count - 1), min_size=2, max_size=2))
        steps.append((name, *operands))
    return steps


def run(steps, x, y):
    """The last value, bounded so that differences stay accurate, and the sum of all values."""
    values = [x, y]
    for name, i, j in steps:
        value = UNARY[name](values[i]) if name in UNARY else BINARY[name](values[i], values[j])
        values.append(value.tanh())
    total = values[-1]
    for value in values:
        total = total + value * 0.5
    return total, values[-1].sum()


matrices = arrays((3, 4), layout=layouts(expanded=False))


@given(programs(), matrices, matrices)
def test_gradients_of_random_graphs(steps, x, y):
    check_gradients(lambda x, y: run(steps, x, y), x, y, modes=["directional"])


@given(programs(), matrices, matrices)
def test_second_gradients_of_random_graphs(steps, x, y):
    check_gradients(lambda x, y: run(steps, x, y), x, y, order=2, modes=["directional"])


@given(programs(), matrices, matrices)
def test_both_paths_give_the_same_gradient(steps, x, y):
    found = []
    for create_graph in (False, True):
        leaves = [minidl.tensor(each, requires_grad=True) for each in (x, y)]
        outputs = run(steps, *leaves)
        seeds = [minidl.ones_like(output) for output in outputs]
        gradients = autograd.grad(outputs, leaves, seeds, create_graph=create_graph, allow_unused=True)
        found.append([g.detach().numpy() for g in gradients])
    for plain, recorded in zip(*found, strict=True):
        np.testing.assert_allclose(plain, recorded, rtol=1e-12, atol=1e-12)
