"""Limited-memory BFGS."""

from minidl.autograd.modes import enable_grad, no_grad
from minidl.ops.joining import cat
from minidl.optim.line_search import Point, strong_wolfe
from minidl.optim.optimizer import Optimizer
from minidl.optim.options import check_rate

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """L-BFGS: steps along -H g, with the inverse Hessian H estimated from the last steps and changes of the gradient.

    ``step(closure)`` makes up to ``max_iter`` steps. ``closure`` clears the gradients, computes the loss, calls
    ``backward()`` and returns the loss; it is called up to ``max_eval`` times (5/4 ``max_iter`` by default). Steps end
    early where no coordinate of the gradient exceeds ``tolerance_grad``, or the loss or the parameters change by less
    than ``tolerance_change``. A step has length ``lr``, or what a search for the strong Wolfe conditions finds
    (``line_search_fn="strong_wolfe"``). ``history_size`` vectors of two kinds are kept. One group of parameters. Raises
    ``ValueError`` for several groups or a bad rate, ``RuntimeError`` for another line search. Source: D. Liu,
    J. Nocedal, "On the limited memory BFGS method for large scale optimization", Math. Programming 1989; PyTorch's
    ``torch.optim.LBFGS``.

    >>> import minidl
    >>> x = minidl.nn.Parameter(minidl.tensor([-1.5, 2.0]))
    >>> optimizer = minidl.optim.LBFGS([x], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> for _ in range(4):
    ...     _ = optimizer.step(closure)
    >>> x.detach()
    tensor([1.0000, 1.0000])
    """

    def __init__(
        self, params, lr=1, max_iter=20, max_eval=None, tolerance_grad=1e-7, tolerance_change=1e-9, history_size=100,
        line_search_fn=None,
    ):  # fmt: skip
        check_rate(lr)
        if max_eval is None:
            max_eval = max_iter * 5 // 4
        super().__init__(params, {
            "lr": lr, "max_iter": max_iter, "max_eval": max_eval, "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change, "history_size": history_size, "line_search_fn": line_search_fn,
        })  # fmt: skip
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    def step(self, closure):
        """Makes up to ``max_iter`` steps and returns the loss before the first."""
        with no_grad():
            return self._steps(closure)

    def _steps(self, closure):
        group, state = self.param_groups[0], self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        with enable_grad():
            first = closure()
        state["func_evals"] += 1
        loss, grad, evaluations = float(first), self._gradient(), 1
        if _largest(grad) <= group["tolerance_grad"]:
            return first
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            direction = _direction(state, grad, group["history_size"])
            state["prev_flat_grad"], state["prev_loss"] = grad, loss
            rate = state["t"] = float(group["lr"]) * (_first_length(grad) if state["n_iter"] == 1 else 1)
            start = Point(0.0, loss, grad, float(grad.dot(direction)))
            if start.slope > -group["tolerance_change"]:
                break
            if group["line_search_fn"] is not None:
                found, spent = self._search(closure, start, rate, direction, group["max_eval"] - evaluations)
                state["t"] = found.t
                loss, grad = found.value, found.grad
                self._move(found.t, direction)
            else:
                spent = int(iteration != group["max_iter"])
                self._move(rate, direction)
                if spent:
                    loss, grad = self._evaluate(closure)
            evaluations += spent
            state["func_evals"] += spent
            if evaluations >= group["max_eval"] or _is_settled(state, group, loss, grad):
                break
        return first

    def _search(self, closure, start, rate, direction, limit):
        """Where along the direction to go. The parameters are put back after each trial."""
        if self.param_groups[0]["line_search_fn"] != "strong_wolfe":
            raise RuntimeError("only 'strong_wolfe' is supported")
        origin = [param.clone() for param in self._params]

        def evaluate(t):
            self._move(t, direction)
            value, grad = self._evaluate(closure)
            for param, kept in zip(self._params, origin, strict=True):
                param.copy_(kept)
            return Point(t, value, grad, float(grad.dot(direction)))

        return strong_wolfe(evaluate, start, rate, _largest(direction), limit)

    @property
    def _params(self):
        return self.param_groups[0]["params"]

    def _gradient(self):
        """The gradients of all parameters as one vector of its own; zeros where there is none."""
        return cat([
            (param.new_zeros(param.shape) if param.grad is None else param.grad).reshape(-1) for param in self._params
        ])  # fmt: skip

    def _evaluate(self, closure):
        with enable_grad():
            loss = float(closure())
        return loss, self._gradient()

    def _move(self, rate, direction):
        offset = 0
        for param in self._params:
            part = direction[offset : offset + param.numel()]
            param.add_(part.reshape(param.shape), alpha=rate)
            offset += param.numel()


def _largest(vector):
    return float(vector.abs().max())


def _first_length(grad):
    """The first step goes no farther than 1 in the sum of coordinates: nothing is known of the curvature."""
    return min(1.0, 1.0 / float(grad.abs().sum()))


def _is_settled(state, group, loss, grad):
    """Whether the gradient, the step or the change of the loss is too small to go on."""
    return (
        _largest(grad) <= group["tolerance_grad"]
        or _largest(state["d"] * state["t"]) <= group["tolerance_change"]
        or abs(loss - state["prev_loss"]) < group["tolerance_change"]
    )


def _direction(state, grad, history_size):
    """-H grad by the two loops over the last steps (``old_stps``) and changes of the gradient (``old_dirs``)."""
    if state["n_iter"] == 1:
        state.update(d=grad.neg(), old_dirs=[], old_stps=[], ro=[], H_diag=1)
        return state["d"]
    _remember(state, grad, history_size)
    changes, steps, inverses = state["old_dirs"], state["old_stps"], state["ro"]
    weights = state.setdefault("al", [None] * history_size)
    direction = grad.neg()
    for i in reversed(range(len(changes))):
        weights[i] = steps[i].dot(direction) * inverses[i]
        direction.add_(changes[i], alpha=-float(weights[i]))
    direction.mul_(float(state["H_diag"]))
    for i in range(len(changes)):
        weight = changes[i].dot(direction) * inverses[i]
        direction.add_(steps[i], alpha=float(weights[i] - weight))
    state["d"] = direction
    return direction


def _remember(state, grad, history_size):
    """Takes the last step into the memory where the loss curves upwards along it."""
    change, step = grad - state["prev_flat_grad"], state["d"] * float(state["t"])
    product = change.dot(step)
    if not product > 1e-10:
        return
    if len(state["old_dirs"]) == history_size:
        for name in ("old_dirs", "old_stps", "ro"):
            del state[name][0]
    state["old_dirs"].append(change)
    state["old_stps"].append(step)
    state["ro"].append(1.0 / product)
    state["H_diag"] = product / change.dot(change)
