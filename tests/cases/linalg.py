"""Rows of the linear algebra: minidl/ops/linalg.py, linear_systems.py, factors.py, lu.py, matrix_norms.py."""

import functools

import numpy as np

from .case import Case, Spec, constant, integers, normal, values

# Strides that repeat elements make matrices singular: layouts have rows in the families of views.
Row = functools.partial(Case, layouts=False)
Plain = functools.partial(Row, grad=False)


def regular(*shape):
    """Matrices far from singular."""
    return Spec(lambda rng: rng.standard_normal(shape) * 0.5 + 2 * np.eye(shape[-2], shape[-1]))


def definite(*shape):
    """Symmetric positive definite matrices."""

    def draw(rng):
        a = rng.standard_normal(shape)
        return a @ mT(a) * 0.3 + np.eye(shape[-1])

    return Spec(draw)


def triangle(*shape):
    """Lower triangular matrices."""
    return Spec(lambda rng: np.tril(rng.standard_normal(shape) * 0.5) + 2 * np.eye(shape[-1]))


def int32(*numbers):
    return Spec(lambda rng: np.array(numbers, np.int32))


def mT(x):
    return np.swapaxes(x, -1, -2)


def expm(a):
    out = term = np.eye(a.shape[-1])
    for k in range(1, 60):
        term = term @ a / k
        out = out + term
    return out


def factored(a):
    """Both factors of a matrix in one, and the rows in their order, by Gauss with partial pivoting."""
    a, order = a.copy(), list(range(a.shape[0]))
    for k in range(min(a.shape)):
        p = k + int(np.argmax(abs(a[k:, k])))
        a[[k, p]] = a[[p, k]]
        order[k], order[p] = order[p], order[k]
        a[k + 1 :, k] /= a[k, k]
        a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k], a[k, k + 1 :])
    return a, order


def split_factors(a):
    packed, order = factored(a)
    n = min(a.shape)
    lower = np.tril(packed[:, :n], -1) + np.eye(a.shape[0], n)
    return np.eye(a.shape[0])[order].T, lower, np.triu(packed[:n])


def in_place(a, *_):
    return factored(a)[0], np.arange(1, min(a.shape) + 1)


def least_squares(a, b):
    solution, _, rank, _ = np.linalg.lstsq(a, b)
    return solution, np.zeros(0), np.asarray(rank), np.zeros(0)


def old_svd(a):
    u, s, vh = np.linalg.svd(a, False)
    return u, s, mT(vh)


SINGULAR = values([[1.0, 2.0], [2.0, 4.0]])
LOW = values([[1.0, 2.0], [1.0, 2.0], [0.0, 1.0]])
# With the largest element of each column on the diagonal no rows are exchanged.
NO_EXCHANGE = values([[3.0, 1.0, 0.5], [1.0, 4.0, 1.0], [0.5, -1.0, 2.0]])
TALL = values([[3.0, 1.0], [1.0, 4.0], [0.5, -1.0]])
WIDE = values([[3.0, 1.0, 0.5], [1.0, 4.0, -1.0]])
norm = np.linalg.norm
CASES = [
    Row("_inv", (regular(3, 3),), np.linalg.inv, torch="linalg.inv"),
    Row("linalg.inv", (regular(2, 3, 3),), np.linalg.inv),
    Row("inverse", (regular(2, 3, 3),), np.linalg.inv),
    Plain("linalg.inv_ex", (SINGULAR,), lambda a: (a * np.nan, np.array(1)), torch=False),
    Row("linalg.inv_ex", (regular(3, 3),), lambda a: (np.linalg.inv(a), np.array(0)), id="regular"),
    Row("_solve", (regular(3, 3), normal(3, 2)), np.linalg.solve, torch="linalg.solve"),
    Row("linalg.solve", (regular(3, 3), normal(3)), np.linalg.solve),
    Row(
        "linalg.solve",
        (regular(3, 3), normal(2, 3)),
        lambda a, b, left: b @ np.linalg.inv(a),
        {"left": False},
        id="right",
    ),
    Row("linalg.solve_ex", (regular(3, 3), normal(3)), lambda a, b: (np.linalg.solve(a, b), np.array(0))),
    Row(
        "linalg.solve_triangular",
        (regular(3, 3), normal(3, 2)),
        lambda a, b, upper: np.linalg.solve(np.triu(a), b),
        {"upper": True},
    ),
    Row(
        "linalg.solve_triangular",
        (regular(3, 3), normal(2, 3)),
        lambda a, b, upper, left, unitriangular: b @ np.linalg.inv(np.tril(a, -1) + np.eye(3)),
        {"upper": False, "left": False, "unitriangular": True},
        id="unit",
    ),
    Row(
        "triangular_solve",
        (normal(3, 2), triangle(3, 3), False),
        lambda b, a, _: (np.linalg.solve(a, b), a),
        grad=False,
    ),
    Row("_det", (regular(2, 3, 3),), np.linalg.det, torch="linalg.det"),
    Row("det", (regular(3, 3),), np.linalg.det),
    Row("det", (SINGULAR,), np.linalg.det, id="singular", grad2=False, torch=False),
    Row("_slogdet", (regular(2, 3, 3),), lambda a: tuple(np.linalg.slogdet(a)), torch="linalg.slogdet"),
    Row("slogdet", (regular(3, 3),), lambda a: tuple(np.linalg.slogdet(a))),
    Row("linalg.det", (regular(3, 3),), np.linalg.det),
    Row("linalg.slogdet", (regular(3, 3),), lambda a: tuple(np.linalg.slogdet(a))),
    Row("logdet", (regular(3, 3),), lambda a: np.log(np.linalg.det(a))),
    Plain("cholesky", (definite(3, 3),), np.linalg.cholesky),
    Plain("linalg.cholesky", (definite(3, 3),), lambda a, upper: mT(np.linalg.cholesky(a)), {"upper": True}),
    Plain("linalg.cholesky_ex", (definite(3, 3),), lambda a: (np.linalg.cholesky(a), np.array(0))),
    Row(
        "cholesky_solve",
        (normal(3, 2), triangle(3, 3)),
        lambda b, a: np.linalg.solve(a @ mT(a), b),
        torch=False,
        grad=False,
        grad2=False,  # of the whole matrix, as PyTorch's: see the op database
    ),
    Row(
        "cholesky_inverse",
        (triangle(3, 3),),
        lambda a: np.linalg.inv(a @ mT(a)),
        torch=False,
        grad=False,
        grad2=False,
    ),
    Row("_qr", (normal(4, 3), "reduced"), np.linalg.qr, torch="linalg.qr"),
    Row("_qr", (normal(3, 4), "reduced"), np.linalg.qr, torch="linalg.qr", id="wide"),
    Row("qr", (normal(3, 3),), np.linalg.qr),
    Row("linalg.qr", (normal(4, 3),), np.linalg.qr),
    Plain("linalg.qr", (normal(4, 3), "complete"), np.linalg.qr, id="complete"),
    Row("_svd", (normal(4, 3), False), np.linalg.svd, torch=False),
    Row("svd", (normal(3, 4),), old_svd, torch=False),
    Plain("linalg.svd", (normal(4, 3),), np.linalg.svd, torch=False),
    Row("linalg.svdvals", (normal(4, 3),), lambda a: np.linalg.svd(a)[1]),
    Plain("linalg.eigh", (definite(3, 3),), np.linalg.eigh, torch=False),
    Plain("linalg.eigvalsh", (definite(3, 3), "U"), np.linalg.eigvalsh),
    Row(
        "_pinv",
        (normal(3, 4), 0.0, 1e-15),
        lambda a, *_: np.linalg.pinv(a),
        torch=lambda torch, a, *_: torch.pinverse(a),
    ),
    Row(
        "_pinv",
        (normal(4, 3), 0.0, 1e-15),
        lambda a, *_: np.linalg.pinv(a),
        torch=lambda torch, a, *_: torch.pinverse(a),
        id="tall",
    ),
    Row("pinverse", (normal(4, 3),), np.linalg.pinv),
    Row("linalg.pinv", (normal(4, 3),), np.linalg.pinv),
    Row("matrix_exp", (normal(3, 3),), expm),
    Row("matrix_power", (regular(3, 3), 3), np.linalg.matrix_power),
    Row("matrix_power", (regular(3, 3), -2), np.linalg.matrix_power, id="negative"),
    Row("matrix_power", (regular(3, 3), 0), np.linalg.matrix_power, id="zero"),
    Row("linalg.lstsq", (normal(4, 3), normal(4, 2)), least_squares),
    Row("_lu", (NO_EXCHANGE,), in_place, torch="linalg.lu_factor", backends=False),
    Row("_lu", (TALL,), in_place, torch="linalg.lu_factor", backends=False, id="tall"),
    Row("_lu", (WIDE,), in_place, torch="linalg.lu_factor", backends=False, id="wide"),
    Row("lu", (NO_EXCHANGE,), in_place, backends=False),
    Row("linalg.lu", (normal(3, 3),), split_factors, backends=False),
    Row("linalg.lu_factor", (NO_EXCHANGE,), in_place, backends=False),
    Row("linalg.lu_factor_ex", (NO_EXCHANGE,), lambda a: (*in_place(a), np.array(0)), backends=False),
    Row(
        "lu_unpack",
        (normal(3, 3), int32(3, 3, 3)),
        lambda a, p: (np.eye(3)[[2, 0, 1]].T, np.tril(a, -1) + np.eye(3), np.triu(a)),
        backends=False,
    ),
    Row(
        "lu_solve",
        (normal(3, 2), regular(3, 3), int32(1, 2, 3)),
        lambda b, a, p: np.linalg.solve((np.tril(a, -1) + np.eye(3)) @ np.triu(a), b),
        backends=False,
    ),
    Row(
        "linalg.lu_solve",
        (regular(3, 3), int32(1, 2, 3), normal(2, 3)),
        lambda a, p, b, left: b @ np.linalg.inv((np.tril(a, -1) + np.eye(3)) @ np.triu(a)),
        {"left": False},
        backends=False,
    ),
    *(
        Row("linalg.vector_norm", (normal(3, 4), p, 1), lambda x, p, dim: norm(x, p, dim), id=str(p))
        for p in (1, 2, 3, 0.5, np.inf, -np.inf)
    ),
    *(
        Row("linalg.matrix_norm", (normal(3, 4), p), lambda a, p: norm(a, p), id=str(p))
        for p in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
    ),
    Row(
        "linalg.matrix_norm",
        (normal(2, 3, 4), 1, (0, 2), True),
        lambda a, p, d, k: norm(a, p, d, keepdims=k),
        id="dims",
    ),
    Row("linalg.norm", (normal(3, 4),), norm),
    Row("linalg.norm", (normal(3, 4), 1), norm, id="matrix"),
    Row("linalg.norm", (normal(3, 4), 3, 0), norm, id="vector"),
    Row(
        "nuclear_norm",
        (normal(3, 4),),
        lambda a: norm(a, "nuc"),
        torch=lambda torch, a: torch.linalg.matrix_norm(a, "nuc"),
    ),
    Row("frobenius_norm", (normal(3, 4),), norm, torch=lambda torch, a: torch.linalg.matrix_norm(a)),
    Plain("linalg.matrix_rank", (LOW,), np.linalg.matrix_rank),
    Row("linalg.cond", (regular(3, 3),), np.linalg.cond),
    Row("linalg.cond", (regular(3, 3), 1), np.linalg.cond, id="one", torch=False),
    Row("linalg.vecdot", (normal(2, 3), normal(3)), lambda a, b: (a * b).sum(-1)),
    Row("linalg.diagonal", (normal(2, 3, 4),), lambda a: np.diagonal(a, 0, 1, 2)),
    Row("linalg.matmul", (normal(2, 3), normal(3, 2)), np.matmul),
    Row("linalg.cross", (normal(2, 3), normal(1, 3)), np.cross),
    Row("linalg.multi_dot", ([normal(3), normal(3, 4), normal(4, 2)],), np.linalg.multi_dot),
    Row("linalg.vander", (normal(3),), lambda x: np.vander(x, increasing=True), torch=False),
    Row("vander", (normal(3), 4), np.vander, torch=False),
    Plain("vander", (integers(1, 4, 3), 3, True), lambda x, n, i: np.vander(x, n, i), id="increasing"),
    Row(
        "linalg.tensorinv",
        (Spec(lambda rng: rng.standard_normal((2, 3, 6))),),
        lambda a: np.linalg.tensorinv(a, 2),
    ),
    Row("linalg.tensorsolve", (normal(2, 3, 6), constant(normal(2, 3))), np.linalg.tensorsolve),
]
