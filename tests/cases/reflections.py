"""Rows of Householder reflections, and of products of groups of matrices."""

import numpy as np

from .case import Case, normal, values


def packed(x):
    """The reflections one after the other."""
    a, taus = x.astype(float).copy(), []
    for k in range(min(x.shape)):
        tail = a[k:, k]
        length = np.sqrt((tail * tail).sum())
        beta = -np.copysign(length, tail[0])
        taus.append(0.0 if len(tail) == 1 or not tail[1:].any() else (beta - tail[0]) / beta)
        if taus[-1]:
            v = np.append(1.0, tail[1:] / (tail[0] - beta))
            a[k:, k:] -= taus[-1] * np.outer(v, v @ a[k:, k:])
            a[k + 1 :, k] = v[1:]
    return a, np.array(taus)


def product(a, tau):
    q = np.eye(len(a))
    for i, t in enumerate(tau):
        v = np.concatenate([np.zeros(i), [1.0], a[i + 1 :, i]])
        q = q @ (np.eye(len(a)) - t * np.outer(v, v))
    return q


def grouped(a, b, offs):
    parts = np.split(a, offs)[:-1]
    return np.concatenate([part @ matrix for part, matrix in zip(parts, b, strict=True)])


CASES = [
    Case("geqrf", (normal(4, 3),), numpy=packed, torch=False, layouts=False),
    Case("geqrf", (normal(2, 3),), numpy=packed, id="wide", torch=False, layouts=False),
    Case("ormqr", (normal(4, 2), normal(2), normal(4, 3)), numpy=lambda a, tau, c: product(a, tau) @ c),
    Case(
        "ormqr", (normal(3, 2), normal(2), normal(2, 3), False, True), id="right",
        numpy=lambda a, tau, c, left, transpose: c @ product(a, tau).T,
    ),
    Case("grouped_mm", (normal(5, 2), normal(2, 2, 3)), kwargs={"offs": values([2, 5])}, numpy=grouped, torch=False),
]  # fmt: skip
