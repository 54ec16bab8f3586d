"""The ``op`` decorator: from a forward on raw arrays and gradient rules to a public function of Tensors."""

import inspect

from minidl.autograd import autocast, call, forms, packing, registry
from minidl.autograd.inplace import make_inplace
from minidl.autograd.pull import compile_pull, pull_boxed
from minidl.autograd.rules import Joint, unboxed, wants
from minidl.autograd.tensor import Tensor


class Op:
    """What is known of an op: its forward, its tensor parameters, its rules and what they keep.

    ``name``       as it is called
    ``tensors``    names of the parameters that take tensors, ``constants`` those of them without gradient
    ``sequence``   the one among them that takes a list of tensors, or None
    ``numbers``    those of them that may be Python numbers
    ``rules``      list of (indices into ``tensors``, boxed rule, wants)
    ``keep``       wants of all rules whose value must be kept, each once
    ``frees``      whether what is kept holds arrays, which backward frees
    ``pull``       compiled backward on raw arrays: (node, gradients) -> gradient of each edge
    ``composed``   definition in terms of ops, or None
    ``view``       whether the output may share memory with the first input; "memory" where its place is in the memory
    ``copied``     what PyTorch calls the node where the output of a view turned out to be a copy, or None
    """

    def __init__(self, forward, rules, joints, sequence, constant, number, composed, view, returns):
        self.name = forward.__name__
        self.forward = forward
        self.signature = inspect.signature(forward)
        self.parameters = self.signature.parameters
        self.sequence, self.composed, self.view, self.returns = sequence, composed, view, returns
        ruled = [*rules, *(n for j in joints for n in j.names)]
        self.constants = tuple(constant.split())
        self.tensors = [n for n in self.parameters if n in ruled or n in self.constants]
        for name in (*ruled, *self.constants):
            if (
                name not in self.parameters
                or ruled.count(name) > 1
                or (name in ruled and name in self.constants)
            ):
                raise ImportError(f"op {self.name}: {name!r} is no parameter, or has two rules")
        default = "input other" if "other" in self.tensors else ""
        self.numbers = frozenset((default if number is None else number).split())
        self.attributes = [n for n in self.parameters if n not in self.tensors]
        self.rules = []
        for entry in (*(Joint((n,), r) for n, r in rules.items()), *joints):
            wanted = wants(entry.rule, self.name, self.tensors, self.attributes, forward)
            self.rules.append((tuple(self.tensors.index(n) for n in entry.names), entry.rule, wanted))
        self.keep = self._kept()
        self.frees = any(w.kind in ("input", "result", "residual") for w in self.keep)
        self.residuals = "Saved" in forward.__code__.co_names
        self.shown = "".join(p.capitalize() for p in self.name.strip("_").split("_"))
        self.copied = self._pull = None

    def _wants(self):
        return [w for _, _, wanted in self.rules for w in wanted]

    def _kept(self):
        kept = [w for w in self._wants() if w.kind not in ("grad", "needs")]
        if self.composed is not None:
            kept += wants(self.composed, self.name, self.tensors, self.attributes, self.forward)
        return list(dict.fromkeys(kept))

    @property
    def pull(self):
        """The compiled backward; compiled when it is first needed."""
        if self._pull is None:
            self._pull = compile_pull(self, unboxed)
        return self._pull

    def pull_boxed(self, node, g, run):
        """The backward on Tensors, recording its own graph."""
        return pull_boxed(self, node, g, run)

    def backward_name(self, node):
        """The class name that PyTorch prints for the node: ``MulBackward0``."""
        name = self.shown
        if callable(name):
            kept = {"edges": node.edges}
            for want, value in zip(self.keep, node.saved or (), strict=False):
                given = self.tensors[want.key] if want.key.__class__ is int else want.key
                kept[f"{given}_{want.kind}" if want.kind in ("shape", "dtype") else given] = value
            name = name(node.shape, kept)
        return name if "Backward" in name else name + "Backward0"

    def attribute(self, node, name):
        """What the node has for a program: its saved values, as ``_saved_result``."""
        if not name.startswith("_saved_"):
            raise AttributeError(f"'{node.name()}' object has no attribute '{name}'")
        return packing.saved_value(self, node, name.removeprefix("_saved_"))

    def attributes_of(self):
        """The names for ``attribute``."""
        return [f"_saved_{name}" for name in packing.saved_names(self)]

    def keeps_input(self):
        """Whether a rule reads the first tensor parameter's array."""
        return any(w.kind == "input" and w.key == 0 for w in self.keep)

    def users(self, want):
        """Indices of the tensors whose gradient needs ``want``."""
        if self.composed is not None and want.kind in ("input", "attr", "residual"):
            return tuple(i for indices, _, _ in self.rules for i in indices)
        return tuple(i for indices, _, wanted in self.rules if want in wanted for i in indices)

    def __repr__(self):
        return f"<op {self.name}({', '.join(self.parameters)})>"


def op(
    *joints, sequence=None, constant="", number=None, composed=None, view=False, returns=None,
    shown=None, faces=("torch",), method=True, aliases=(), dunder=None, inplace=False, **rules,
):  # fmt: skip
    """Declares an op; see docs/architecture.md, floor 2.

    ``rules``     gradient rule by input name; ``joints`` rules of several inputs (``joint(...)``)
    ``constant``  names of tensor parameters without gradient; ``number`` names of those that may be Python numbers
                  (default: ``input`` and ``other``, where there is an ``other``)
    ``returns``   a named tuple class for several outputs
    ``shown``     what PyTorch calls the node, where it is not the op's own name: ``"Mm"``, or a function of the node's
                  output shape and kept attributes that gives it
    The rest says under which names it is public; see ``registry.publish``.
    """

    def decorate(forward):
        made = Op(forward, rules, joints, sequence, constant, number, composed, view, returns)
        made.shown = shown or made.shown
        if made.name in registry.OPS:
            raise ImportError(f"op {made.name!r} is declared twice")
        public = call.compile_call(made)
        public.op = made
        made.public = public
        public.__wrapped__ = forward
        registry.OPS[made.name] = made
        made.inplace = make_inplace(made, public) if inplace or made.name in forms.INPLACE else None
        registry.publish(
            public,
            made.name,
            Tensor,
            faces=faces,
            method=method,
            aliases=aliases,
            dunder=dunder,
            inplace=made.inplace,
            operator=call.compile_call(made, operator=True) if dunder in registry.GIVING_WAY else None,
        )
        return public

    return decorate


def function(
    *, faces=("torch",), method=True, aliases=(), dunder=None, tensors="", inplace=False, shown=None
):
    """Declares a composed function, Tensors in and out, and publishes it as ``op`` does.

    ``tensors``  names of the parameters that must be Tensors (or None, where that is the default)
    ``shown``    what PyTorch calls the node of the result, where it has one for the whole function: ``"Addmm"``
    """

    def decorate(fn):
        name, public = fn.__name__, fn
        if (
            tensors
            or shown
            or name in forms.OUT
            or name in autocast.LISTED
            or forms.NUMPY_NAMES.keys() & _names_of(fn)
        ):
            public = forms.compile_function(fn, tensors.split(), shown)
        public.composed = fn
        written = inplace or (name in forms.INPLACE and method)
        registry.publish(
            public,
            name,
            Tensor,
            faces=faces,
            method=method,
            aliases=aliases,
            dunder=dunder,
            inplace=make_inplace(_Composed(name), public) if written else None,
        )
        return public

    return decorate


def _names_of(fn):
    return inspect.signature(fn).parameters.keys()


class _Composed:
    """What the in-place form of a composed function needs to know: its ops may keep what is overwritten."""

    def __init__(self, name):
        self.name = name

    def keeps_input(self):
        return True
