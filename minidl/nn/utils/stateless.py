"""A module's call with other tensors in the place of its own. Source: ``torch.nn.utils.stateless``."""

import contextlib

__all__ = ["functional_call"]


def functional_call(
    module, parameters_and_buffers, args=None, kwargs=None, *, tie_weights=True, strict=False
):
    """``module(*args, **kwargs)`` with the tensors of a dict of names in the place of its parameters and buffers.

    The module keeps its own; what it writes to a buffer in the call is written to the tensor given. ``args`` that is no
    tuple is one argument. With ``tie_weights`` a tensor given for one of a parameter's names stands for all of them.
    Raises ``ValueError`` where two names of one parameter are given different tensors, ``RuntimeError`` with ``strict``
    where names are missing or unknown, ``AttributeError`` for a submodule that is not there.
    Source: ``torch.func.functional_call``, which also takes a sequence of dicts.

    >>> import minidl
    >>> layer = minidl.nn.Linear(2, 1)
    >>> given = {"weight": minidl.ones(1, 2), "bias": minidl.zeros(1)}
    >>> minidl.func.functional_call(layer, given, minidl.tensor([1.0, 2.0]))
    tensor([3.])
    """
    if strict:
        _refuse_other_names(module, parameters_and_buffers)
    given = dict(parameters_and_buffers)
    if tie_weights:
        given |= _tied(module, given)
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with contextlib.ExitStack() as exits:
        for name, tensor in given.items():
            exits.enter_context(_put(module, name, tensor))
        return module(*args, **(kwargs or {}))


def _refuse_other_names(module, given):
    own = [*_names(module)]
    missing, unknown = [n for n in own if n not in given], [n for n in given if n not in own]
    complaints = [f"Unexpected key(s): {', '.join(map(repr, unknown))}."] * bool(unknown)
    complaints += [f"Missing key(s): {', '.join(map(repr, missing))}."] * bool(missing)
    if complaints:
        raise RuntimeError(
            f"Error(s) in reparametrizing for {type(module).__name__}:\n\t" + "\n\t".join(complaints)
        )


def _names(module):
    """Every name of every parameter and buffer, with the tensor."""
    named = dict(module.named_parameters(remove_duplicate=False))
    return named | dict(module.named_buffers(remove_duplicate=False))


def _tied(module, given):
    """The other names of the tensors that ``given`` replaces."""
    names_by_tensor = {}
    for name, tensor in _names(module).items():
        names_by_tensor.setdefault(id(tensor), []).append(name)
    found = {}
    for names in names_by_tensor.values():
        wanted = [given[name] for name in names if name in given]
        if any(tensor is not wanted[0] for tensor in wanted):
            raise ValueError(
                f"functional_call got multiple values for keys {sorted(n for n in names if n in given)}, which are "
                "tied. Consider using tie_weights=False"
            )
        if wanted:
            found |= dict.fromkeys(names, wanted[0])
    return found


@contextlib.contextmanager
def _put(module, name, tensor):
    """``tensor`` in the place of a parameter or buffer, within the context."""
    path, _, last = name.rpartition(".")
    owner = module.get_submodule(path)
    store = owner._parameters if last in owner._parameters else owner._buffers
    known, kept, store[last] = last in store, store.get(last), tensor
    try:
        yield
    finally:
        if known:
            store[last] = kept
        else:
            del store[last]
