"""``check_gradients``: the gradients of any function against differences, down to the element and the op."""

import numpy as np

from minidl.autograd.engine import grad
from minidl.autograd.tensor import Tensor
from minidl.errors import GradcheckError, NotDifferentiableError
from minidl.testing import backward_checks
from minidl.testing.differences import SMOOTH, complex_slope, slope
from minidl.testing.locating import first_wrong_op
from minidl.testing.reproducing import note, unusual
from minidl.testing.subject import Subject, element, host, leaf_of, like

MODES = ("directional", "jacobian", "complex")
_SMALL = 4096  # elements of a Jacobian that is checked whole where no modes are given


def check_gradients(fn, *inputs, order=1, modes=None, eps=1e-3, atol=1e-6, rtol=1e-5, twin=None, locate=True):
    """Asserts that the gradients of ``fn(*inputs)`` agree with float64 differences.

    Floating-point tensors and NumPy arrays among ``inputs`` are copied as float64 leaves that require gradients, so
    float32 data can be given; everything else is passed as it is. ``fn`` returns a tensor or a tuple of tensors; of a
    module (float64: ``module.double()``) the parameters' gradients are checked too. Random numbers that ``fn`` draws
    through minidl are the same in each call. Other libraries' functions: ``from_torch``, ``from_jax``, ``from_vjp``.
    Where an output is on the tape, those that are not are taken for constants. What is wrong in float32 alone does not
    show in float64: ``check_module`` compares the two.

    Differences are central, extrapolated to an error of order ``eps^4``; a gradient passes where
    ``|analytic - numeric| <= atol + rtol |numeric|``, and NaN fails. A point where ``fn`` has a kink (``relu`` at 0, a
    maximum of equal values) or a jump is an error even where the two happen to agree: the gradient means nothing there.

    Backward must also give the same bits twice, the same numbers for expanded and transposed gradients, and go through
    no float32; and neither ``fn`` nor backward may change in place what it is given.

    Args:
        fn: the function.
        order: 1 checks the gradient; 2 checks the gradient of the gradient too.
        modes: any of ``'directional'`` (one random direction an input: two evaluations, any size),
            ``'jacobian'`` (every element of every input and output) and ``'complex'`` (order 1: a complex step,
            exact to rounding, where ``fn`` or its ``twin`` works on complex NumPy arrays). By default the Jacobian,
            or directions where it has more than 4096 elements.
        eps: the step of the differences; smaller ones are tried where it fails.
        atol, rtol: tolerances.
        twin: the same function on NumPy arrays, for ``'complex'``.
        locate: whether a failure looks for the op on the tape that is wrong.

    Raises:
        GradcheckError: names output, input and element, both values, and the first op that disagrees with differences.
        NotDifferentiableError: a ``GradcheckError``, where ``fn`` has no gradient at that point.
        ValueError: for another order or mode, or if no input or no output is a floating-point tensor or array.

    Each error, and each that ``fn`` raises, has a note: a program that repeats it.

    >>> import minidl
    >>> check_gradients(minidl.tanh, minidl.tensor([0.1, -2.0]), order=2)
    >>> check_gradients(minidl.nn.Linear(3, 2).double(), minidl.ones(4, 3))
    >>> check_gradients(lambda x: 1 / (1 + x * x), minidl.ones(3), modes=["complex"])
    >>> check_gradients(minidl.relu, minidl.tensor([1.0, 0.0]))
    Traceback (most recent call last):
    minidl.errors.NotDifferentiableError: ...
    """
    if order not in (1, 2):
        raise ValueError(f"check_gradients: order must be 1 or 2, got {order!r}")
    if modes is not None and (isinstance(modes, str) or not modes or set(modes) - set(MODES)):
        raise ValueError(f"check_gradients: modes must be a collection of {MODES}, got {modes!r}")
    leaves = tuple(leaf_of(value) for value in inputs)
    named = fn.named_parameters() if hasattr(fn, "named_parameters") else ()
    parameters = [(name, p) for name, p in named if p.requires_grad]
    options = {"eps": eps, "atol": atol, "rtol": rtol}
    given = unusual(check_gradients, {"order": order, "modes": modes, **options, "twin": twin})
    try:
        _check_orders(fn, leaves, parameters, order, modes, options, twin, locate)
    except Exception as error:
        note(error, "check_gradients", fn, inputs, given)
        raise


def _check_orders(fn, leaves, parameters, order, modes, options, twin, locate):
    subject = Subject(fn, leaves, parameters)
    try:
        _check(subject, modes, options, twin)
        if order == 2:
            _check_second(subject, modes, options)
    except GradcheckError as error:
        if locate and set(modes or MODES) != {
            "complex"
        }:  # an error that only a complex step shows has no place
            error.add_note(first_wrong_op(subject.call, subject.generators, _alone(order, options)))
        raise


def _check_second(subject, modes, options):
    _check(_gradient_of(subject), [m for m in modes or () if m != "complex"] or None, options, None)


def _alone(order, options):
    """The check of one op by itself."""

    def check(function, leaves):
        subject = Subject(function, leaves)
        _check(subject, None, options, None)
        if order == 2:
            _check_second(subject, None, options)

    return check


def _check(subject, modes, options, twin):
    whole = sum(subject.sizes) * sum(x._array.size for _, _, x in subject.wanted)
    if modes is None:
        modes = ("jacobian",) if whole <= _SMALL else ("directional",)
    backward_checks.reentrant(subject)
    if "directional" in modes:
        _directional(subject, options)
    if "jacobian" in modes or "complex" in modes:
        count = sum(subject.sizes)
        rows = [subject.pull_back(row) for row in np.eye(count)]
        analytic = [np.stack([r[k] for r in rows], 1) if rows else None for k in range(len(subject.wanted))]
    if "jacobian" in modes and count:
        _jacobian(subject, analytic, options)
    if "complex" in modes and count:
        _complex(subject, analytic, twin)
    backward_checks.layouts_agree(subject, options)
    backward_checks.separable(subject, options)
    backward_checks.precise(subject)


def _gradient_of(subject):
    """The gradients of a subject's outputs as functions of its inputs and of the outputs' weights."""
    rng = np.random.default_rng(1)
    live = [output for _, output in subject.outputs if output.requires_grad]
    weights = tuple(like(o._array, rng.uniform(0.5, 1.5, o._array.shape)).requires_grad_() for o in live)
    places = [place for place, output in subject.outputs if output.requires_grad]
    leaves = [x for _, _, x in subject.wanted]
    if not live:
        raise GradcheckError(
            "no output depends on an input through the tape, so there is no gradient to differentiate"
        )

    def gradient(*_):
        returned = subject.call()
        found = grad(
            [returned[i] for i in places], leaves, list(weights), create_graph=True, allow_unused=True
        )
        return tuple(g for g in found if g is not None)

    gradient.__signature__ = None
    parameters = [(n, x) for i, n, x in subject.wanted if i >= len(subject.inputs)]
    parameters += [(f"weight of output {i}", w) for i, w in zip(places, weights)]
    return Subject(gradient, subject.inputs, parameters)


# --- the checks -----------------------------------------------------------------------------------------------------


def _verdict(analytic, options):
    def agrees(value, noise):  # False for NaN
        return np.abs(analytic - value) <= options["atol"] + options["rtol"] * np.abs(value) + noise

    return agrees


def _jacobian(subject, analytic, options):
    for k, (_, _, tensor) in enumerate(subject.wanted):
        for i, expected in enumerate(analytic[k]):
            direction = np.zeros(tensor._array.size)
            direction[i] = 1
            _slope_agrees(subject, k, i, direction, expected, options)
    _adds_up(subject, analytic, options)


def _adds_up(subject, analytic, options):
    """Slopes along single elements add up to the slope along all of them, as those of a differentiable function do."""
    rng = np.random.default_rng(0)
    directions = {k: _signs(rng, rows.shape[0]) for k, rows in enumerate(analytic) if rows.size}
    if not directions:
        return
    expected = sum(direction @ analytic[k] for k, direction in directions.items())
    slack = sum(np.abs(analytic[k]).sum(0) for k in directions)  # what so many tolerances come to
    agrees = _verdict(expected, options)
    found = slope(
        subject.line(directions), options["eps"], lambda value, noise: agrees(value, noise + 1e-3 * slack)
    )
    bad = ~((found.kind == SMOOTH) & agrees(found.value, found.noise + 1e-3 * slack))
    if bad.any():
        raise NotDifferentiableError(_NO_SUM.format(*subject.place(int(bad.argmax()))))


def _slope_agrees(subject, k, i, direction, analytic, options, only=None):
    """Compares one row of the Jacobian: input ``k`` moved along ``direction``, which is that of its element ``i``.

    ``only``: the element of the outputs that counts.
    """
    agrees = _verdict(analytic, options)
    found = slope(subject.line({k: direction}), options["eps"], agrees)
    bad = ~((found.kind == SMOOTH) & agrees(found.value, found.noise))
    bad = bad if only is None else bad & (np.arange(bad.size) == only)
    if not bad.any():
        return
    error = np.abs(analytic - found.value)
    worst = int(np.where(bad, np.where(np.isnan(error), np.inf, error), -1.0).argmax())
    where = _where(subject, k, i, worst)
    if found.kind[worst] != SMOOTH:
        raise NotDifferentiableError(
            f"The function is not differentiable there: {_ARTICLE[found.kind[worst]]} at {where}: slope "
            f"{found.left[worst]:.9g} from the left, {found.right[worst]:.9g} from the right; analytical "
            f"{analytic[worst]:.9g}. Hint: draw inputs away from there, as elements(away_from=...) does, and "
            "distinct_arrays() for those that must not be equal."
        )
    if _bends(subject, k, worst, options):
        raise NotDifferentiableError(_NO_SUM.format(*subject.place(worst)))
    raise GradcheckError(
        f"Jacobian mismatch for {where}: analytical {analytic[worst]:.9g}, numerical {found.value[worst]:.9g}; "
        f"{int(bad.sum())} of {bad.size} elements of that row differ"
    )


_ARTICLE = {
    "kink": "a kink", "jump": "a jump", "steep": "a vertical tangent",
    "edge": "the edge of its domain, or no finite value,",
}  # fmt: skip
_NO_SUM = (
    "The function is not differentiable there: at output {}, output element {}, slopes along single elements of the "
    "input do not add up to the slope along all of them. Hint: draw inputs away from there; distinct_arrays() has no "
    "equal values."
)
_FEW = 64  # elements of an input of which each may be looked at again


def _bends(subject, k, worst, options):
    """Whether slopes along elements of input ``k`` do not add up, as for the median of three equal numbers."""
    size = subject.wanted[k][2]._array.size
    if not 1 < size <= _FEW:
        return False
    direction = _signs(np.random.default_rng(0), size)
    lines = [subject.line({k: along}) for along in (*np.eye(size), direction)]
    found = [
        slope(line, options["eps"], lambda value, noise: value != value) for line in lines
    ]  # at the finest step
    if any(each.kind[worst] != SMOOTH for each in found):
        return True
    *alone, along = np.array([each.value[worst] for each in found])
    return not abs(along - np.array(alone) @ direction) <= 1e-3 * max(1, np.abs(alone).sum())


def _where(subject, k, i, flat):
    index, name, tensor = subject.wanted[k]
    which, inner = subject.place(flat)
    name = "" if name.startswith("#") else f" ({name})"
    at = element(i, tuple(tensor.shape))
    return (
        f"output {which} with respect to input {index}{name}, at input element {at}, which is "
        f"{host(tensor)[at]:.9g}, and output element {inner}"
    )


def _directional(subject, options):
    rng = np.random.default_rng(0)
    weights = _signs(rng, sum(subject.sizes)) * ~np.isinf(subject.here)
    analytic = subject.pull_back(weights)
    directions = {
        k: _signs(rng, x._array.size) for k, (_, _, x) in enumerate(subject.wanted) if x._array.size
    }
    if not weights.size or not directions or _along(subject, directions, weights, analytic, options):
        return
    for k, direction in directions.items():
        if not _along(subject, {k: direction}, weights, analytic, options):
            _descend(subject, k, direction, weights, analytic, options)
    raise GradcheckError(
        "Jacobian mismatch along a random direction of all inputs together, though of none alone"
    )


def _signs(rng, count):
    """Random weights, none near 0, so that no element is hidden by its own."""
    return rng.uniform(0.5, 1.5, count) * rng.choice([-1.0, 1.0], count)


def _along(subject, directions, weights, analytic, options):
    """Whether the derivative of ``weights @ vector`` along directions of inputs is what the gradients say."""
    agrees = _verdict(sum(_dot(analytic[k], direction) for k, direction in directions.items()), options)
    line = subject.line(directions)
    found = slope(lambda t: _dot(line(t), weights), options["eps"], agrees)
    return bool(((found.kind == SMOOTH) & agrees(found.value, found.noise)).all())


def _dot(values, weights):
    """The sum of weighted values, as an array (1,); one that is not finite counts only where it has a weight."""
    chosen = weights != 0
    with np.errstate(invalid="ignore"):
        return np.atleast_1d((values[chosen] * weights[chosen]).sum())


def _descend(subject, k, direction, weights, analytic, options):
    """A direction fails: halves it until one element of the input is left, and compares that with every output."""
    left = np.flatnonzero(direction)
    while left.size > 1:
        half = np.zeros_like(direction)
        half[left[: left.size // 2]] = direction[left[: left.size // 2]]
        passes = _along(subject, {k: half}, weights, analytic, options)
        left = left[left.size // 2 :] if passes else left[: left.size // 2]
    unit = np.zeros_like(direction)
    unit[left] = 1
    at = _worst_output(subject, k, int(left[0]), unit, weights, options)
    row = np.zeros_like(weights)
    row[at] = 1
    expected = np.zeros_like(weights)
    expected[at] = subject.pull_back(row)[k][left[0]]
    _slope_agrees(subject, k, int(left[0]), unit, expected, options, only=at)
    raise GradcheckError(
        f"Jacobian mismatch for {_where(subject, k, int(left[0]), at)}, together with other outputs, not alone"
    )


def _worst_output(subject, k, i, unit, weights, options):
    """The element of the outputs whose derivative by element ``i`` of input ``k`` is wrong, found by halves."""
    left = np.flatnonzero(weights)
    while left.size > 1:
        half = np.zeros_like(weights)
        half[left[: left.size // 2]] = weights[left[: left.size // 2]]
        passes = _along(subject, {k: unit}, half, subject.pull_back(half), options)
        left = left[left.size // 2 :] if passes else left[: left.size // 2]
    return int(left[0])


def _complex(subject, analytic, twin):
    """Every row of the Jacobian by a complex step of the function, or of its twin, on NumPy arrays."""
    function = twin or subject.fn
    plain = [host(x).copy() if isinstance(x, Tensor) else x for x in subject.inputs]

    def values(k, direction, t):
        moved = list(plain)
        index = subject.wanted[k][0]
        moved[index] = plain[index] + t * direction.reshape(plain[index].shape)
        try:
            found = function(*moved)
        except Exception as error:
            raise ValueError(
                f"modes 'complex' needs a function that works on complex NumPy arrays, and this one raised {error!r}. "
                "Hint: give it as twin=, or leave 'complex' out of modes."
            ) from error
        found = found if isinstance(found, (tuple, list)) else (found,)
        return np.concatenate([np.asarray(found[i]).reshape(-1) for i, _ in subject.outputs])

    for k, (index, _, tensor) in enumerate(subject.wanted):
        if index >= len(plain):
            continue  # a parameter lies in the module, where no complex number can
        for i, expected in enumerate(analytic[k]):
            direction = np.zeros(tensor._array.size)
            direction[i] = 1
            found = complex_slope(lambda t, k=k, direction=direction: values(k, direction, t))
            bad = ~(np.abs(found - expected) <= 1e-11 + 1e-9 * np.abs(found))
            if bad.any():
                worst = int(np.where(bad, np.abs(found - expected), -1.0).argmax())
                raise GradcheckError(
                    f"Jacobian mismatch for {_where(subject, k, i, worst)}: analytical {expected[worst]:.15g}, "
                    f"numerical (complex step) {found[worst]:.15g}"
                )
