"""Indefinite symmetric matrices A = L D L^T: J. Bunch and L. Kaufman, "Some stable methods for calculating inertia and
solving symmetric linear systems", 1977. D has blocks of one and two rows; factors and pivots are stored as LAPACK's
``sytrf`` does for the lower triangle.
"""

ALPHA = (1 + 17**0.5) / 8  # bounds the growth of elements over a pivot of one row and of two alike


def ldl_factor(xp, input):
    """L and D's blocks in one matrix; pivots (int32, from 1; twice the negated one for two rows); and the first zero
    pivot, from 1 (0: there is none). Only the lower triangle is read.
    """
    rows = input.shape[-1]
    out = xp.tril(input)
    pivots = xp.zeros(out.shape[:-1], "int32")
    info = xp.zeros(out.shape[:-2], "int32")
    if out.size == 0:
        return out, pivots, info
    flat, flat_pivots, flat_info = out.reshape(-1, rows, rows), pivots.reshape(-1, rows), info.reshape(-1)
    for b in range(flat.shape[0]):
        taken, zero = _factor(xp, flat[b])
        flat_pivots[b], flat_info[b] = xp.asarray(taken), zero
    return flat.reshape(out.shape), flat_pivots.reshape(pivots.shape), flat_info.reshape(info.shape)


def _factor(xp, a):
    """Factors one matrix in place. Its pivots, and the first one that is zero."""
    pivots, first_zero, k, n = [], 0, 0, a.shape[0]
    while k < n:
        size, p, zero = _pivot(xp, a, k)
        first_zero = first_zero or (k + 1 if zero else 0)
        _exchange(a, k, size, p)
        if size == 1:
            pivots.append(p + 1)
            if not zero:
                _eliminate_one(xp, a, k)
        else:
            pivots += [-(p + 1)] * 2
            _eliminate_two(xp, a, k)
        k += size
    return pivots, first_zero


def _pivot(xp, a, k):
    """How many rows the pivot at ``k`` takes, the row to exchange with the last of them, whether all is zero."""
    here, below = abs(float(a[k, k])), xp.absolute(a[k + 1 :, k])
    r = k + 1 + int(xp.argmax(below)) if below.size else k
    largest = float(below.max()) if below.size else 0.0
    if max(here, largest) == 0 or here != here:
        return 1, k, True
    if here >= ALPHA * largest:
        return 1, k, False
    across = float(xp.absolute(a[r, k:r]).max())
    down = xp.absolute(a[r + 1 :, r])
    across = max(across, float(down.max())) if down.size else across
    if here >= ALPHA * largest * (largest / across):
        return 1, k, False
    return (1, r, False) if abs(float(a[r, r])) >= ALPHA * across else (2, r, False)


def _exchange(a, k, size, p):
    """Exchanges rows and columns ``p`` and the last of the pivot, in the lower triangle from column ``k`` on."""
    last = k + size - 1
    if p == last:
        return
    _swap(a, (slice(p + 1, None), last), (slice(p + 1, None), p))
    _swap(a, (slice(last + 1, p), last), (p, slice(last + 1, p)))
    _swap(a, (last, last), (p, p))
    if size == 2:
        _swap(a, (last, k), (p, k))


def _swap(a, first, second):
    held = a[first].copy()
    a[first] = a[second]
    a[second] = held


def _eliminate_one(xp, a, k):
    column = a[k + 1 :, k] / a[k, k]
    a[k + 1 :, k + 1 :] -= xp.tril(column[:, None] * a[k + 1 :, k])
    a[k + 1 :, k] = column


def _eliminate_two(xp, a, k):
    """As above for the block [[a, b], [b, c]], in terms of a / b and c / b, which do not overflow."""
    corner = a[k + 1, k]
    first, second = a[k, k] / corner, a[k + 1, k + 1] / corner
    scale = 1 / (first * second - 1) / corner
    x, y = a[k + 2 :, k].copy(), a[k + 2 :, k + 1].copy()
    left, right = scale * (second * x - y), scale * (first * y - x)
    a[k + 2 :, k + 2 :] -= xp.tril(x[:, None] * left + y[:, None] * right)
    a[k + 2 :, k], a[k + 2 :, k + 1] = left, right


def ldl_solve(xp, factors, pivots, B):
    """X with A X = B from what ``ldl_factor`` gives for A."""
    out = B.copy()
    rows = factors.shape[-1]
    if out.size == 0:
        return out
    flat, taken = factors.reshape(-1, rows, rows), pivots.reshape(-1, rows)
    solutions = out.reshape(-1, rows, out.shape[-1])
    for b in range(flat.shape[0]):
        _solve(flat[b], taken[b].tolist(), solutions[b])
    return solutions.reshape(out.shape)


def _solve(a, pivots, x):
    n, k = len(pivots), 0
    while k < n:  # L D
        size = 1 if pivots[k] > 0 else 2
        last = k + size - 1
        _swap(x, last, abs(pivots[k]) - 1)
        x[last + 1 :] -= a[last + 1 :, k : last + 1] @ x[k : last + 1]
        if size == 1:
            x[k] = x[k] / a[k, k]
        else:
            corner = a[k + 1, k]
            first, second = a[k, k] / corner, a[k + 1, k + 1] / corner
            top, bottom, scale = x[k] / corner, x[k + 1] / corner, first * second - 1
            x[k], x[k + 1] = (second * top - bottom) / scale, (first * bottom - top) / scale
        k += size
    while k > 0:  # L^T
        size = 1 if pivots[k - 1] > 0 else 2
        start = k - size
        x[start:k] -= a[k:, start:k].T @ x[k:]
        _swap(x, k - 1, abs(pivots[start]) - 1)
        k = start
