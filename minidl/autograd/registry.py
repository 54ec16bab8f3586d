"""What has been declared public: ops by name, and the faces (namespaces) under which functions are shown."""

from minidl.autograd.boxing import foreign
from minidl.autograd.forms import FUNCTIONAL_INPLACE, TOP_INPLACE

OPS = {}
FACES = {"torch": {}, "functional": {}, "linalg": {}, "special": {}}
METHODS = {}

COMPARED = ("lt", "le", "gt", "ge", "eq", "ne")
OPERATORS = (*COMPARED, "neg", "abs", "invert", "pos")
REFLECTED = (
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "and",
    "or",
    "xor",
    "lshift",
    "rshift",
)
OPERATORS += REFLECTED
GIVING_WAY = frozenset((*REFLECTED, "rsub", *COMPARED))


def publish(
    fn, name, tensor_class, *, faces=("torch",), method=True, aliases=(), dunder=None, inplace=None, operator=None
):  # fmt: skip
    """Makes ``fn`` public under ``name`` and ``aliases``: in the faces, as Tensor methods, as dunders.

    ``operator`` is the form that gives way to the other operand's class: what the dunder calls.
    """
    for public in (name, *aliases):
        for face in faces:
            if public in FACES[face]:
                raise ImportError(f"{public!r} is registered twice in face {face!r}")
            FACES[face][public] = fn
            beside = TOP_INPLACE | FUNCTIONAL_INPLACE if face == "functional" else TOP_INPLACE
            if inplace is not None and public + "_" in beside:
                FACES[face].setdefault(public + "_", inplace)
        if method:
            attach(tensor_class, public, fn)
            if inplace is not None:
                attach(tensor_class, public + "_", inplace)
    if dunder is not None:
        setattr(tensor_class, f"__{dunder}__", operator or fn)
        if dunder in REFLECTED:
            setattr(
                tensor_class, f"__r{dunder}__", _reflected(operator or fn, f"__r{dunder}__", tensor_class)
            )
            if inplace is not None:
                setattr(tensor_class, f"__i{dunder}__", _augmented(inplace, tensor_class))


def attach(tensor_class, name, fn):
    """Makes ``fn`` the Tensor method ``name``."""
    if name in METHODS:
        raise ImportError(f"Tensor method {name!r} is registered twice")
    METHODS[name] = fn
    setattr(tensor_class, name, fn)


def _augmented(inplace, tensor_class):
    def augmented(self, other):
        if other.__class__ is not tensor_class and foreign(other):
            return NotImplemented
        return inplace(self, other)

    augmented.__name__ = f"__i{inplace.__name__.strip('_')}__"
    return augmented


def _reflected(fn, name, tensor_class):
    def reflected(self, other):
        if not isinstance(self, tensor_class):
            raise TypeError(f"descriptor {name!r} requires a Tensor, but received {self.__class__.__name__}")
        return fn(self, other) if commutes else fn(other, self)

    commutes = name in ("__radd__", "__rmul__")  # 2 * x is x * 2, as in PyTorch: so are the edges of its node
    reflected.__name__ = name
    return reflected
