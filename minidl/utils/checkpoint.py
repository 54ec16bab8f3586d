"""``minidl.utils.checkpoint``: less memory for more time. What backward needs of a function is computed again there."""

import contextlib
import warnings

from minidl.autograd import Function, modes, once_differentiable
from minidl.autograd.engine import backward as run_backward
from minidl.autograd.recompute import CheckpointError, dropping_saved
from minidl.autograd.tensor import Tensor
from minidl.nn.containers import Sequential
from minidl.ops.generator import fork_rng, positions

__all__ = ["CheckpointError", "CheckpointFunction", "checkpoint", "checkpoint_sequential", "noop_context_fn"]

_EXPLICIT = (
    "the use_reentrant parameter should be passed explicitly. use_reentrant=False is recommended, but if you need to "
    "preserve the current default behavior, you can pass use_reentrant=True."
)


def noop_context_fn():
    """Two contexts that do nothing: for the first forward, and for the one in backward."""
    return contextlib.nullcontext(), contextlib.nullcontext()


@contextlib.contextmanager
def _at(states):
    """Draws begin at the positions that were; None leaves them where they are."""
    with fork_rng(enabled=states is not None):
        for generator, state in states or ():
            generator.set_state(state)
        yield


class CheckpointFunction(Function):
    """A function that runs without recording, and again, recording, in backward, which is then nested."""

    @staticmethod
    def forward(ctx, run_function, preserve_rng_state, *args):
        ctx.run_function = run_function
        ctx.states = positions() if preserve_rng_state else None
        ctx.others = [None if isinstance(arg, Tensor) else arg for arg in args]
        ctx.save_for_backward(*(arg if isinstance(arg, Tensor) else None for arg in args))
        return run_function(*args)

    @staticmethod
    @once_differentiable
    def backward(ctx, *grads):
        if modes.is_capturing():
            raise RuntimeError(
                "When use_reentrant=True, minidl.utils.checkpoint is incompatible with .grad() or passing an `inputs` "
                "parameter to .backward(). To resolve this error, you can either set use_reentrant=False, or call "
                ".backward() without passing the `inputs` argument."
            )
        args = [
            other if tensor is None else tensor.detach().requires_grad_(tensor.requires_grad)
            for tensor, other in zip(ctx.saved_tensors, ctx.others, strict=True)
        ]
        with _at(ctx.states), modes.enable_grad():
            outputs = ctx.run_function(*args)
        outputs = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
        live = [
            (output, grad)
            for output, grad in zip(outputs, grads, strict=True)
            if isinstance(output, Tensor) and output.requires_grad
        ]
        if not live:
            raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
        run_backward(*map(list, zip(*live, strict=True)))
        return None, None, *(arg.grad if isinstance(arg, Tensor) else None for arg in args)


def checkpoint(
    function, *args, use_reentrant=None, context_fn=noop_context_fn, determinism_check="default", debug=False,
    early_stop=True, **kwargs,
):  # fmt: skip
    """``function(*args, **kwargs)``, whose intermediate values are not kept for backward but computed again there.

    Gradients are those without it, of every order with ``use_reentrant=False`` (recommended). ``use_reentrant=True``,
    the default, takes no ``kwargs`` and needs an argument that requires a gradient; its backward is a nested one and
    gives first gradients only, in ``backward()`` alone. ``preserve_rng_state`` (default True): the second run draws
    the random numbers of the first. ``context_fn`` gives the contexts of both runs. ``determinism_check="none"`` leaves
    out the comparison of shapes and dtypes. ``debug`` and ``early_stop`` are accepted and change no result.
    Raises ``ValueError`` for options that do not fit together, ``CheckpointError`` in backward where the second run
    recorded another graph. Source: T. Chen et al. (2016), arXiv:1604.06174; ``torch.utils.checkpoint.checkpoint``.

    >>> import minidl
    >>> from minidl.utils.checkpoint import checkpoint
    >>> x = minidl.tensor([1.0, 2.0], requires_grad=True)
    >>> checkpoint(lambda x: (x * x).exp(), x, use_reentrant=False).sum().backward()
    >>> bool((x.grad == 2 * x * (x * x).exp()).all())
    True
    """
    if use_reentrant is None:
        warnings.warn(f"minidl.utils.checkpoint: {_EXPLICIT}", stacklevel=2)
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs and use_reentrant:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if use_reentrant:
        if context_fn is not noop_context_fn or debug is not False:
            raise ValueError("Passing `context_fn` or `debug` is only supported when use_reentrant=False.")
        if modes.is_grad_enabled() and not any(isinstance(arg, Tensor) and arg.requires_grad for arg in args):
            warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2)
        return CheckpointFunction.apply(function, preserve, *args)
    if determinism_check not in ("default", "none"):
        raise ValueError(f"determinism_check should be one of 'default', 'none', got {determinism_check}")
    first, second = context_fn()
    states = positions() if preserve else None

    def run():
        with first:
            return function(*args, **kwargs)

    def again():
        with _at(states), second:
            return function(*args, **kwargs)

    return dropping_saved(run, again, compare=determinism_check == "default")


def _sequence(functions, start, end):
    def run(input):
        for function in functions[start:end]:
            input = function(input)
        return input

    return run


def checkpoint_sequential(functions, segments, input, use_reentrant=None, **kwargs):
    """A ``Sequential``, or list of functions, in ``segments`` parts of which all but the last are checkpointed.

    ``preserve_rng_state`` is as in ``checkpoint``. Raises ``ValueError`` for other keyword arguments and for more
    segments than functions. Source: ``torch.utils.checkpoint.checkpoint_sequential``.

    >>> import minidl
    >>> from minidl.utils.checkpoint import checkpoint_sequential
    >>> net = minidl.nn.Sequential(minidl.nn.Linear(3, 3), minidl.nn.Tanh(), minidl.nn.Linear(3, 1))
    >>> checkpoint_sequential(net, 2, minidl.ones(4, 3), use_reentrant=False).shape
    torch.Size([4, 1])
    """
    if use_reentrant is None:
        warnings.warn(f"minidl.utils.checkpoint.checkpoint_sequential: {_EXPLICIT}", stacklevel=2)
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    functions = list(functions.children() if isinstance(functions, Sequential) else functions)
    size = len(functions) // segments
    end = 0
    for start in range(0, size * (segments - 1), size):
        end = start + size
        input = checkpoint(
            _sequence(functions, start, end), input, use_reentrant=use_reentrant, preserve_rng_state=preserve
        )
    return _sequence(functions, end, len(functions))(input)
