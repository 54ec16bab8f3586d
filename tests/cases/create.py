"""Rows of minidl/ops/create.py and casts.py."""

import numpy as np

from .case import Case, dtype, integers, normal, values

_SHAPE = (2, 3)
_LIKE = (integers(0, 5, 2, 3),)

CASES = [
    Case("tensor", ([[1.5, 2.5]],), np.array, grad=False, backends=False),
    Case("as_tensor", ([1, 2],), np.array, grad=False, backends=False),
    Case("from_numpy", (np.arange(3),), np.array, grad=False, backends=False),
    Case("from_dlpack", (np.arange(3),), np.array, grad=False, backends=False),
    Case("zeros", _SHAPE, lambda *s: np.zeros(s), grad=False, backends=False),
    Case("ones", (_SHAPE,), np.ones, grad=False, backends=False),
    Case("empty", (0, 3), lambda *s: np.empty(s), grad=False, backends=False),
    Case("full", (_SHAPE, 7), np.full, grad=False, backends=False),
    Case("arange", (5,), np.arange, grad=False, backends=False),
    Case("arange", (1, 2, 0.25), np.arange, id="fraction", grad=False, backends=False),
    Case("linspace", (0, 1, 5), np.linspace, grad=False, backends=False),
    Case("eye", (2, 3), np.eye, grad=False, backends=False),
    Case("zeros_like", _LIKE, np.zeros_like, grad=False),
    Case("ones_like", _LIKE, np.ones_like, grad=False),
    Case("empty_like", (integers(0, 5, 0, 3),), np.empty_like, grad=False),
    Case("full_like", (*_LIKE, 3), np.full_like, grad=False),
    Case("new_zeros", (*_LIKE, (2,)), lambda x, s: np.zeros(s), grad=False),
    Case("new_ones", (*_LIKE, (2,)), lambda x, s: np.ones(s), grad=False),
    Case("new_empty", (*_LIKE, (0,)), lambda x, s: np.empty(s), grad=False),
    Case("new_full", (*_LIKE, (2,), 4), lambda x, s, v: np.full(s, v), grad=False),
    Case("new_tensor", (*_LIKE, [1, 2]), lambda x, v: np.array(v), grad=False, backends=False),
    Case("is_tensor", _LIKE, lambda x: True, grad=False),
    Case("numel", _LIKE, np.size, grad=False),
    Case("is_floating_point", (normal(2),), lambda x: True, grad=False),
    Case("is_complex", (normal(2),), lambda x: False, grad=False),
    Case("to", (normal(2, 3), dtype("float64")), lambda x, d: x),
    Case("to", (values([1.7, -1.7]), dtype("int32")), lambda x, d: np.trunc(x), id="integer", grad=False),
    *(
        Case(name, (values([0.0, 1.0, 2.0]),), lambda x, t=target: x.astype(t), grad=False)
        for name, target in {
            "bool": bool, "byte": "u1", "char": "i1", "short": "i2", "int": "i4", "long": "i8", "half": "f2",
            "bfloat16": "f4", "float": "f4", "double": "f8",
        }.items()
    ),
    Case("cpu", (normal(2, 3),), lambda x: x),
    Case("type_as", (normal(2, 3), integers(0, 2, 1)), lambda x, y: np.trunc(x), grad=False),
]  # fmt: skip
