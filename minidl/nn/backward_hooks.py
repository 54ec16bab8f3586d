"""Backward hooks of a module: where the tape enters and leaves it, all gradients of one side are seen together."""

from minidl.autograd import modes
from minidl.autograd.node import Node
from minidl.autograd.tensor import Tensor, make
from minidl.autograd.views import MULTIPLE, fresh_edge
from minidl.nn.module_hooks import hooks_of


class _Boundary:
    """The identity of several tensors as one node of the tape; ``watch`` sees their gradients and may replace them."""

    multiple = True
    backward_name = "BackwardHookFunctionBackward"
    frees = False

    def __init__(self, watch):
        self.watch = watch

    def pass_through(self, values):
        """``values`` with each tensor that requires gradient led through this node; and the positions of these."""
        if not modes.is_grad_enabled():
            return values, ()
        edges = [fresh_edge(value) if isinstance(value, Tensor) else None for value in values]
        places = tuple(i for i, edge in enumerate(edges) if edge is not None)
        if not places:
            return values, ()
        arrays = [values[i]._array for i in places]
        shapes, dtypes = [array.shape for array in arrays], [array.dtype for array in arrays]
        node = Node(self, tuple(edges[i] for i in places), (), (), shapes, dtypes)
        passed = list(values)
        for slot, i in enumerate(places):
            source = values[i]
            passed[i] = make(source._array, (node, slot))
            passed[i]._cell = source._cell
            # A view of the several: writing into it would pass the module's border unseen, and is refused.
            passed[i]._view = (source, (), list.__getitem__(source._cell, 0), MULTIPLE)
        return tuple(passed), places

    def pull(self, node, g):
        """The gradients, raw arrays, as the watch leaves them."""
        boxed = [None if a is None else make(a, None) for a in g]
        with modes.no_grad():
            return [None if t is None else t._array for t in self.watch(boxed)]

    def pull_boxed(self, node, g, run):
        """The gradients, Tensors of a graph of their own, as the watch leaves them."""
        return list(self.watch(list(g)))


def watch_backward(module):
    """The watch over a call of ``module``, or None where no full backward hook asks for one."""
    hooks, pre_hooks = (
        [hook.function for key, hook in hooks_of(module, kind) if full or key not in module._backward_hooks]
        for kind, full in (("backward", module._is_full_backward_hook is not False), ("backward_pre", True))
    )
    return BackwardWatch(module, hooks, pre_hooks) if hooks or pre_hooks else None


class BackwardWatch:
    """One call of a module whose backward is hooked."""

    def __init__(self, module, hooks, pre_hooks):
        self.module = module
        self.hooks, self.pre_hooks = hooks, pre_hooks
        self.grad_output = None
        self.input_count, self.input_places = 0, ()
        self.output_count, self.output_places = 0, ()

    def inputs(self, args):
        """The positional arguments, watched."""
        self.input_count = len(args)
        passed, self.input_places = _Boundary(self._on_inputs).pass_through(args)
        return passed

    def outputs(self, output):
        """The output, a tensor or a tuple of tensors, watched."""
        values = output if isinstance(output, tuple) else (output,)
        self.output_count = len(values)
        passed, self.output_places = _Boundary(self._on_outputs).pass_through(values)
        return passed if isinstance(output, tuple) else passed[0]

    def _on_outputs(self, grads):
        grad_output = _spread(grads, self.output_places, self.output_count)
        for hook in self.pre_hooks:
            grad_output = _replaced("grad_output", hook(self.module, grad_output), grad_output)
        self.grad_output = grad_output
        if not self.input_places:
            for hook in self.hooks:
                changed = hook(self.module, (None,) * self.input_count, grad_output)
                if changed is not None and not all(item is None for item in changed):
                    raise RuntimeError(
                        "Backward hook for Modules where no input requires gradient should always return "
                        "None or None for "
                        "all gradients."
                    )
            self.grad_output = None
        return [grad_output[i] for i in self.output_places]

    def _on_inputs(self, grads):
        grad_input = _spread(grads, self.input_places, self.input_count)
        for hook in self.hooks:
            grad_input = _replaced("grad_input", hook(self.module, grad_input, self.grad_output), grad_input)
        self.grad_output = None
        return [grad_input[i] for i in self.input_places]


def _spread(grads, places, count):
    """Gradients at their places among ``count`` arguments, None elsewhere."""
    out = [None] * count
    for i, grad in zip(places, grads, strict=True):
        out[i] = grad
    return tuple(out)


def _replaced(what, changed, grads):
    """What a hook returned in place of ``grads``, if anything."""
    if changed is None:
        return grads
    changed = changed if isinstance(changed, tuple) else (changed,)
    if len(changed) != len(grads):
        raise RuntimeError(
            f"Backward hook returned an invalid number of {what}, got {len(changed)}, but expected "
            f"{len(grads)}"
        )
    return changed
