"""Analytic gradients against central differences: ``gradcheck``, and ``gradgradcheck`` for the second order."""

import warnings

import numpy as np

from minidl import backends, dtypes
from minidl.autograd.engine import grad
from minidl.autograd.tensor import Tensor, make
from minidl.errors import GradcheckError


def gradcheck(
    func,
    inputs,
    *,
    eps=1e-6,
    atol=1e-5,
    rtol=1e-3,
    raise_exception=True,
    nondet_tol=0.0,
    check_undefined_grad=True,
    check_grad_dtypes=False,
    check_batched_grad=False,
    check_batched_forward_grad=False,
    check_forward_ad=False,
    check_backward_ad=True,
    fast_mode=False,
    masked=None,
):
    """Checks the gradients of ``func`` against central differences ``(f(x + eps) - f(x - eps)) / (2 eps)``.

    Passes where ``|analytic - numeric| <= atol + rtol * |numeric|`` for every element of the Jacobian of every
    floating-point output with respect to every input that requires a gradient. A NaN on either side fails.

    Args:
        func: takes tensors, returns a tensor or a tuple of them.
        inputs: a tensor or a tuple; those that require gradients should be float64 and must not overlap themselves.
        eps: the step of the differences.
        atol, rtol: tolerances.
        raise_exception: False returns False instead of raising.
        nondet_tol: by how much two backward passes may differ.
        check_undefined_grad: also checks backward from all outputs at once against one output at a time, where
            rules receive no gradient for the others.
        check_grad_dtypes: also checks that gradients have their inputs' dtypes.
        fast_mode: compares one random direction ``v @ J @ u`` an output and input instead of the whole Jacobian.
        check_batched_grad, check_batched_forward_grad, check_forward_ad: PyTorch's, for vmap and forward mode, which
            minidl does not have; only False is accepted. ``masked`` concerns sparse tensors and is ignored.

    Returns:
        True, or False with ``raise_exception=False``.

    Raises:
        GradcheckError: names output, input and element, and gives both values.
        ValueError: if no input requires a gradient or one has stride 0.

    >>> import minidl
    >>> x = minidl.tensor([0.5, 2.0], dtype=minidl.float64, requires_grad=True)
    >>> gradcheck(lambda x: x * x, (x,))
    True

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.gradcheck.gradcheck.html
    """
    _refuse(
        check_batched_grad=check_batched_grad,
        check_batched_forward_grad=check_batched_forward_grad,
        check_forward_ad=check_forward_ad,
    )
    if not check_backward_ad:
        raise ValueError("gradcheck: check_backward_ad=False leaves nothing to check")
    inputs = _tuple(inputs)
    wanted = _checked(inputs)
    outputs = _differentiable(func(*inputs))
    try:
        difference = _directions if fast_mode else _jacobians
        for numeric, analytic, where in difference(func, inputs, wanted, outputs, eps):
            _compare(numeric, analytic, where, atol, rtol)
        _check_repeatable(outputs, inputs, wanted, nondet_tol)
        if check_undefined_grad:
            _check_outputs_together(outputs, inputs, wanted, atol, rtol)
        if check_grad_dtypes:
            _check_dtypes(outputs, inputs, wanted)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func,
    inputs,
    grad_outputs=None,
    *,
    eps=1e-6,
    atol=1e-5,
    rtol=1e-3,
    gen_non_contig_grad_outputs=False,
    raise_exception=True,
    nondet_tol=0.0,
    check_undefined_grad=True,
    check_grad_dtypes=False,
    check_batched_grad=False,
    check_fwd_over_rev=False,
    check_rev_over_rev=True,
    fast_mode=False,
    masked=False,
):
    """Checks second gradients: ``gradcheck`` of the gradients of ``func`` as functions of inputs and ``grad_outputs``.

    Args:
        grad_outputs: gradients of the outputs, which are inputs of the checked function too; random ones by default.
        gen_non_contig_grad_outputs: makes the random ones non-contiguous.
        The others: see ``gradcheck``.

    >>> import minidl
    >>> x = minidl.tensor([0.5, 2.0], dtype=minidl.float64, requires_grad=True)
    >>> gradgradcheck(lambda x: x * x * x, (x,))
    True
    """
    _refuse(check_batched_grad=check_batched_grad, check_fwd_over_rev=check_fwd_over_rev)
    if not check_rev_over_rev:
        raise ValueError("gradgradcheck: check_rev_over_rev=False leaves nothing to check")
    inputs = _tuple(inputs)
    if grad_outputs is None:
        outputs = [output for _, output in _differentiable(func(*inputs))]
        grad_outputs = tuple(
            _cotangent(output, i, gen_non_contig_grad_outputs) for i, output in enumerate(outputs)
        )
    grad_outputs = _tuple(grad_outputs)

    def first_gradients(*arguments):
        at, cotangents = arguments[: len(inputs)], arguments[len(inputs) :]
        outputs = [output for _, output in _differentiable(func(*at))]
        wanted = [tensor for tensor in at if isinstance(tensor, Tensor) and tensor.requires_grad]
        found = grad(outputs, wanted, list(cotangents), create_graph=True, allow_unused=True)
        return tuple(gradient for gradient in found if gradient is not None)

    return gradcheck(
        first_gradients,
        inputs + grad_outputs,
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        fast_mode=fast_mode,
        masked=masked,
    )


# --- what is checked ----------------------------------------------------------------------------------------------


def _refuse(**options):
    for name, value in options.items():
        if value:
            raise NotImplementedError(
                f"{name}=True needs forward-mode differentiation or vmap, which minidl has not"
            )


def _tuple(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def _checked(inputs):
    """Places of the inputs that require gradients. Warns about those that are not float64."""
    wanted = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
    if not wanted:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them have "
            "requires_grad=True."
        )
    for i in wanted:
        array = inputs[i]._array
        if array.dtype != dtypes.FLOAT64:
            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating point or complex. This check "
                "will likely fail if all the inputs are not of double precision floating point or complex. Hint: "
                f"it is {inputs[i].dtype}; convert it with .double().",
                stacklevel=3,
            )
        if array.size and any(
            stride == 0 and side > 1 for stride, side in zip(array.strides, array.shape, strict=True)
        ):
            raise ValueError(
                f"The {i}th input has a dimension with stride 0. gradcheck only supports inputs that are "
                "non-overlapping to be able to compute the numerical gradients correctly. You should call "
                ".contiguous on the input before passing it to gradcheck."
            )
    return wanted


def _differentiable(returned):
    """``(place, tensor)`` of the outputs to check: those on the tape, or, where none is, all floating-point ones."""
    floating = []
    for place, output in enumerate(_tuple(returned)):
        if not isinstance(output, Tensor):  # a forgotten return must not pass as "nothing to check"
            raise TypeError(
                f"gradcheck expects a function of tensors, but its output {place} is {output.__class__.__name__}"
            )
        if output.is_floating_point():
            floating.append((place, output))
    return [(place, output) for place, output in floating if output.requires_grad] or floating


def _values(func, inputs, outputs):
    """The checked outputs at the inputs' present values, as flat float64 arrays of their own memory."""
    returned = _tuple(func(*inputs))
    return [_host(returned[place]).reshape(-1).copy() for place, _ in outputs]


def _host(tensor):
    return backends.to_numpy(tensor._array).astype(np.float64)


def _like(array, values):
    """A tensor of ``values`` with the dtype, shape and device of ``array``."""
    host = np.asarray(values).reshape(array.shape).astype(array.dtype)
    return make(backends.transfer(host, backends.device_of(array)), None)


def _cotangent(output, seed, strided):
    values = np.random.default_rng(seed).standard_normal(output._array.shape)
    if strided:
        values = np.stack([values, values], -1)[..., 0]
    return _like(output._array, values).requires_grad_()


# --- analytic and numeric gradients --------------------------------------------------------------------------------


def _pull_back(output, inputs, wanted, cotangent):
    """Gradients of ``output`` with respect to the wanted inputs: flat float64 arrays, zeros where unused."""
    if not output.requires_grad:
        return [np.zeros(inputs[i]._array.size) for i in wanted]
    found = grad(
        [output],
        [inputs[i] for i in wanted],
        [_like(output._array, cotangent)],
        retain_graph=True,
        allow_unused=True,
    )
    return [
        np.zeros(inputs[i]._array.size) if gradient is None else _host(gradient).reshape(-1)
        for i, gradient in zip(wanted, found, strict=True)
    ]


def _jacobians(func, inputs, wanted, outputs, eps):
    """Yields ``(numeric, analytic, where)`` for each output and input: matrices (input elements, output elements)."""
    analytic = []
    for _, output in outputs:
        count = output._array.size
        rows = [_pull_back(output, inputs, wanted, row) for row in np.eye(count)]
        analytic.append([np.stack([r[k] for r in rows], 1) if rows else None for k in range(len(wanted))])
    for k, i in enumerate(wanted):
        numeric = _differences(func, inputs, inputs[i]._array, outputs, eps)
        for o, (place, output) in enumerate(outputs):
            if numeric[o].size:
                where = {"output": place, "input": i, "shapes": (inputs[i]._array.shape, output._array.shape)}
                yield numeric[o], analytic[o][k], where


def _differences(func, inputs, array, outputs, eps):
    """For each output the matrix of central differences along the elements of an input's array."""
    columns = [[] for _ in outputs]
    for index in np.ndindex(array.shape):
        before = array[index].copy() if array.shape else array.copy()
        try:
            array[index] = before + eps
            plus = _values(func, inputs, outputs)
            array[index] = before - eps
            minus = _values(func, inputs, outputs)
        finally:
            array[index] = before
        for column, high, low in zip(columns, plus, minus, strict=True):
            column.append((high - low) / (2 * eps))
    return [np.stack(column) if column else np.zeros((0, 0)) for column in columns]


def _directions(func, inputs, wanted, outputs, eps):
    """Yields ``(numeric, analytic, where)`` for each output and input along a random direction: 1x1 matrices."""
    rng = np.random.default_rng(0)
    cotangents = [_unit(rng, output._array.shape) for _, output in outputs]
    analytic = [_pull_back(o, inputs, wanted, v) for (_, o), v in zip(outputs, cotangents, strict=True)]
    for k, i in enumerate(wanted):
        array = inputs[i]._array
        direction = _unit(rng, array.shape)
        step = _like(array, direction * eps)._array
        before = array.copy()
        try:
            array[...] = before + step
            plus = _values(func, inputs, outputs)
            array[...] = before - step
            minus = _values(func, inputs, outputs)
        finally:
            array[...] = before
        for o, (place, _) in enumerate(outputs):
            numeric = cotangents[o].reshape(-1) @ (plus[o] - minus[o]) / (2 * eps)
            along = analytic[o][k] @ direction.reshape(-1)
            yield (
                np.full((1, 1), numeric),
                np.full((1, 1), along),
                {"output": place, "input": i, "shapes": None},
            )


def _unit(rng, shape):
    values = rng.standard_normal(shape)
    return values / max(np.sqrt((values * values).sum()), 1e-300)


# --- verdicts -------------------------------------------------------------------------------------------------------


def _compare(numeric, analytic, where, atol, rtol):
    error = np.abs(analytic - numeric)
    agrees = error <= atol + rtol * np.abs(numeric)  # False for NaN
    if agrees.all():
        return
    worst = np.where(agrees, -1.0, np.where(np.isnan(error), np.inf, error)).argmax()
    row, column = (int(n) for n in np.unravel_index(worst, error.shape))
    place = "along a random direction"
    if where["shapes"] is not None:
        of_input, of_output = (
            tuple(int(n) for n in np.unravel_index(flat, shape)) if shape else ()
            for flat, shape in zip((row, column), where["shapes"], strict=True)
        )
        place = f"at input element {of_input} and output element {of_output}"
    raise GradcheckError(
        f"Jacobian mismatch for output {where['output']} with respect to input {where['input']}, {place}: "
        f"analytical {analytic[row, column]:.9g}, numerical {numeric[row, column]:.9g}; "
        f"{int((~agrees).sum())} of {agrees.size} elements differ.\nnumerical:{numeric}\nanalytical:{analytic}\n"
    )


def _check_repeatable(outputs, inputs, wanted, nondet_tol):
    for place, output in outputs:
        cotangent = np.ones(output._array.shape)
        first, second = (_pull_back(output, inputs, wanted, cotangent) for _ in range(2))
        for i, a, b in zip(wanted, first, second, strict=True):
            if not (np.abs(a - b) <= nondet_tol).all():
                raise GradcheckError(
                    "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times "
                    "gives different values, although analytical gradient matches numerical gradient. The tolerance "
                    f"for nondeterminism was {nondet_tol}. Output {place}, input {i}."
                )


def _check_outputs_together(outputs, inputs, wanted, atol, rtol):
    """Backward from all outputs at once has to equal the sum over outputs: rules must cope with a missing gradient."""
    live = [output for _, output in outputs if output.requires_grad]
    if len(live) < 2:
        return
    ones = [_like(output._array, np.ones(output._array.shape)) for output in live]
    targets = [inputs[i] for i in wanted]
    together = grad(live, targets, ones, retain_graph=True, allow_unused=True)
    apart = [_pull_back(o, inputs, wanted, np.ones(o._array.shape)) for o in live]
    for k, i in enumerate(wanted):
        total = sum(each[k] for each in apart)
        joint = np.zeros(total.shape) if together[k] is None else _host(together[k]).reshape(-1)
        if not (np.abs(joint - total) <= atol + rtol * np.abs(total)).all():
            raise GradcheckError(
                f"Expected backward function to handle undefined output grads: for input {i}, the gradient of all "
                f"outputs together is {joint}, but those of single outputs add up to {total}."
            )


def _check_dtypes(outputs, inputs, wanted):
    for _, output in outputs:
        if not output.requires_grad:
            continue
        targets = [inputs[i] for i in wanted]
        found = grad(
            [output],
            targets,
            [_like(output._array, 1.0 + 0 * _host(output))],
            retain_graph=True,
            allow_unused=True,
        )
        for i, gradient in zip(wanted, found, strict=True):
            if gradient is not None and gradient.dtype != inputs[i].dtype:
                raise GradcheckError(
                    f"Expected gradient of input {i} to have dtype {inputs[i].dtype}, got {gradient.dtype}"
                )
