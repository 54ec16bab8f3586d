"""Rows of minidl/ops/ldl.py."""

import functools

import numpy as np

from .case import Case, constant, normal, values

# No rows are exchanged: the diagonal is large; and all are: it is zero, and every pivot a block of two rows.
DOMINANT = np.array([[4.0, 1.0, 0.5], [1.0, -3.0, 0.2], [0.5, 0.2, 2.0]])
HOLLOW = np.array([[0.0, 0.0, 3.0, 0.0], [0.0, 0.0, 0.0, 2.0], [3.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0]])
Row = functools.partial(Case, layouts=False)


def plain(a):
    """L D L^T without exchanges."""
    out, n = np.tril(a), len(a)
    for k in range(n):
        out[k + 1 :, k + 1 :] -= np.tril(np.outer(out[k + 1 :, k], out[k + 1 :, k]) / out[k, k])
        out[k + 1 :, k] /= out[k, k]
    return out, np.arange(1, n + 1, dtype=np.int32)


def with_info(a):
    return *plain(a), np.array(0, np.int32)


FACTORS = plain(DOMINANT)
GIVEN = constant(values(FACTORS[0])), values(FACTORS[1])


def solved(factors, pivots, b):
    return np.linalg.solve(DOMINANT, b)


CASES = [
    Row("_ldl_factor", (values(DOMINANT),), with_info, grad=False, torch="linalg.ldl_factor_ex"),
    Row("linalg.ldl_factor", (values(DOMINANT),), plain, grad=False),
    Row("linalg.ldl_factor", (values(HOLLOW),), numpy=None, grad=False, id="blocks"),
    Row("linalg.ldl_factor_ex", (values(DOMINANT),), with_info, grad=False),
    Row("linalg.ldl_solve", (*GIVEN, normal(3, 2)), solved, torch=False),
    Row("_ldl_solve", (*GIVEN, normal(3, 2)), solved, torch=False),
]
