"""``GradientCoverage``: which ops and which of their gradient rules ran, in first and second order."""

import functools
import weakref

from minidl.autograd import registry


def rules_of(op):
    """Names of the parameters of an op that gradients reach, in the order of its nodes' edges; a sequence is last."""
    single = [name for name in op.tensors if name not in op.constants and name != op.sequence]
    return single + ([op.sequence] if op.sequence and op.sequence not in op.constants else [])


class GradientCoverage:
    """Inside, notes each gradient rule that runs: a pair ``(op, parameter)``.

    ``first`` holds the rules that gave a gradient. ``second`` holds those whose gradient was differentiated again: they
    ran under ``create_graph``, and a later backward went through what they recorded.

    >>> import minidl
    >>> x = minidl.ones(2, requires_grad=True)
    >>> with GradientCoverage() as coverage:
    ...     (gradient,) = minidl.autograd.grad(x.sin().sum(), x, create_graph=True)
    ...     gradient.sum().backward()
    >>> sorted(coverage.second)
    [('sin', 'input')]
    """

    def __init__(self):
        self.first, self.second = set(), set()
        self._made = weakref.WeakKeyDictionary()
        self._kept = []

    @staticmethod
    def every_rule():
        """All rules there are, of all ops that are registered now."""
        return {(name, slot) for name, op in registry.OPS.items() for slot in rules_of(op)}

    def __enter__(self):
        for op in registry.OPS.values():
            if op.rules:
                self._kept.append((op, op._pull))
                op._pull = functools.partial(self._pulled, op, op.pull)
                op.pull_boxed = functools.partial(self._pulled_boxed, op, op.pull_boxed)
        return self

    def __exit__(self, *exc):
        for op, pull in self._kept:
            op._pull = pull
            del op.pull_boxed
        self._kept = []

    def _pulled(self, op, pull, node, g):
        gradients = pull(node, g)
        self._note(op, node, gradients)
        return gradients

    def _pulled_boxed(self, op, pull, node, g, run):
        gradients = pull(node, g, run)
        for rule, gradient in self._note(op, node, gradients):
            edge = getattr(gradient, "_edge", None)
            if edge is not None:
                recorded = edge[0]
                if recorded.order > node.order:
                    self._made.setdefault(recorded, set()).add(rule)
                else:  # the gradient is g itself: whoever differentiates by g has gone through this rule
                    self.second.add(rule)
        return gradients

    def _note(self, op, node, gradients):
        """Notes the rules that gave a gradient, and gives them with it."""
        if node in self._made:
            self.second |= self._made.pop(node)
        slots = rules_of(op)
        ran = []
        for i, gradient in enumerate(gradients):
            if gradient is not None and node.edges[i] is not None:
                ran.append(((op.name, slots[min(i, len(slots) - 1)]), gradient))
        self.first.update(rule for rule, _ in ran)
        return ran

    def state(self):
        """What was noted, as lists: what another process can be told."""
        return {"first": sorted(self.first), "second": sorted(self.second)}

    def merge(self, state):
        """Adds what ``state`` of another process holds."""
        self.first |= {tuple(rule) for rule in state["first"]}
        self.second |= {tuple(rule) for rule in state["second"]}

    def lines(self):
        """The report: shares of all rules, and of each op that was used what was left out."""
        every = self.every_rule()
        ops = {name for name, _ in self.first}
        yield f"ops differentiated: {len(ops)} of {len({name for name, _ in every})}"
        for order, ran in (("first", self.first), ("second", self.second)):
            yield f"gradient rules run in {order} order: {len(ran)} of {len(every)} ({len(ran) / len(every):.1%})"
        for name in sorted(ops):
            rules = {rule for rule in every if rule[0] == name}
            words = []
            for order, ran in (("first", self.first), ("second", self.second)):
                left = sorted(slot for _, slot in rules - ran)
                if left:
                    words.append(f"{order} order without {', '.join(left)}")
            yield f"  {name}: {'; '.join(words) or 'all rules in both orders'}"
