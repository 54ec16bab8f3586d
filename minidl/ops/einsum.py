"""Sums of products by subscripts."""

import string

from minidl.autograd import Tensor, function
from minidl.autograd.node import named
from minidl.ops.arithmetic import mul
from minidl.ops.diagonals import diagonal
from minidl.ops.matmul import matmul
from minidl.ops.reductions import sum
from minidl.ops.shapes import expand, movedim

_LETTERS = string.ascii_uppercase + string.ascii_lowercase


def _parsed(equation):
    """The labels of each operand and of the output (None where it is implied); an ellipsis is "..."."""
    left, arrow, right = equation.partition("->")
    terms, start = [], 0
    for i, term in enumerate(left.split(",")):
        terms.append(_labels(term, start, f"operand {i}"))
        start += len(term) + 1
    return terms, _labels(right, len(left) + 2, "output") if arrow else None


def _labels(term, start, which):
    """The labels of a term that stands at ``start`` of the equation, for ``which`` operand or the output."""
    found, length = [], len(term)
    while term:
        if term[0] == " ":
            term = term[1:]
            continue
        if term.startswith("..."):
            if "..." in found:
                raise RuntimeError(f"einsum(): found '.' for {which} for which an ellipsis was already found")
            found.append("...")
            term = term[3:]
            continue
        if term[0] == ".":
            raise RuntimeError(f"einsum(): found '.' for {which} that is not part of any ellipsis")
        if term[0] not in _LETTERS:
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {start + length - len(term)} in the equation string, "
                "subscripts must be in [a-zA-Z]"
            )
        found.append(term[0])
        term = term[1:]
    return found


def _from_lists(args):
    """``einsum(a, [0, 1], b, [1], [0])`` as (operands, terms, output)."""
    pairs, output = args[: len(args) // 2 * 2], args[-1] if len(args) % 2 else None

    def named(labels):
        return ["..." if label is Ellipsis else _LETTERS[label] for label in labels]

    return list(pairs[::2]), [named(p) for p in pairs[1::2]], None if output is None else named(output)


def _spread_ellipsis(terms, operands, output):
    """Ellipses as labels of their own, integers counted from the last dimension; the output where it was implied."""
    widest = 0
    for i, (term, operand) in enumerate(zip(terms, operands, strict=True)):
        named = len(term) - ("..." in term)
        if operand.ndim < named or ("..." not in term and operand.ndim != named):
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({named}) "
                + (
                    "is more than the number of dimensions"
                    if "..." in term
                    else "does not match the number of dimensions"
                )
                + f" ({operand.ndim}) for operand {i}"
                + ("" if "..." in term else " and no ellipsis was given")
            )
        widest = max(widest, operand.ndim - named) if "..." in term else widest
    terms = [
        _widened(term, operand.ndim - len(term) + 1) for term, operand in zip(terms, operands, strict=True)
    ]
    if output is None:
        every = [label for term in terms for label in term]
        output = list(range(widest, 0, -1)) + sorted(
            {x for x in every if isinstance(x, str) and every.count(x) == 1}
        )
    else:
        output = _widened(output, widest)
    return terms, output


def _widened(term, count):
    if "..." not in term:
        return list(term)
    at = term.index("...")
    return [*term[:at], *range(count, 0, -1), *term[at + 1 :]]


def _sizes(terms, operands):
    sizes = {}
    for i, (term, operand) in enumerate(zip(terms, operands, strict=True)):
        for label, n in zip(term, operand.shape, strict=True):
            before = sizes.setdefault(label, n)
            if before != n and 1 not in (before, n):
                raise RuntimeError(
                    f"einsum(): subscript {label} has size {n} for operand {i} which does not broadcast with "
                    f"previously seen size {before}"
                )
            sizes[label] = n if before == 1 else before
    return sizes


def _distinct(operand, term):
    """Repeated labels become one, by the diagonal."""
    term = list(term)
    for label in list(dict.fromkeys(term)):
        while term.count(label) > 1:
            first = term.index(label)
            second = term.index(label, first + 1)
            if operand.shape[first] != operand.shape[second]:
                raise RuntimeError(
                    f"einsum(): subscript {label} is repeated for operand, but the sizes don't match, "
                    f"{operand.shape[second]} != {operand.shape[first]}"
                )
            operand = movedim(diagonal(operand, 0, first, second), -1, 0)
            term = [label] + [x for d, x in enumerate(term) if d not in (first, second)]
    return operand, term


def _arranged(operand, term, groups, sizes):
    """The dimensions in the order of the groups, each group as one; sizes of 1 are spread."""
    order = [term.index(label) for group in groups for label in group]
    moved = expand(operand.permute(order), [sizes[label] for group in groups for label in group])
    lengths = []
    for group in groups:
        length = 1
        for label in group:
            length *= sizes[label]
        lengths.append(length)
    return moved.reshape(lengths)


def _contracted(a, first, b, second, kept, sizes):
    """Two operands as one: a batched matrix product over the labels of both that are not kept."""
    for operand, term, other in ((a, first, second), (b, second, first)):
        alone = [d for d, label in enumerate(term) if label not in kept and label not in other]
        if alone:
            summed = (
                sum(operand, alone, dtype=operand.dtype),
                [x for d, x in enumerate(term) if d not in alone],
            )
            if term is first:
                return _contracted(*summed, b, second, kept, sizes)
            return _contracted(a, first, *summed, kept, sizes)
    both = [x for x in first if x in second]
    batch, inner = [x for x in both if x in kept], [x for x in both if x not in kept]
    left, right = [x for x in first if x not in second], [x for x in second if x not in first]
    x = _arranged(a, first, (batch, left, inner), sizes)
    y = _arranged(b, second, (batch, inner, right), sizes)
    labels = batch + left + right
    if inner:
        return matmul(x, y).reshape([sizes[label] for label in labels]), labels
    return named(mul(x, y).reshape([sizes[label] for label in labels]), "Mul"), labels


@function(method=False)
def einsum(*args):
    """Sums of products of elements of the operands by subscripts, as in ``einsum("ij,jk->ik", a, b)``.

    A label of several operands is summed over unless the output names it; without an output it is the labels that
    occur once, sorted. An ellipsis stands for further dimensions, which broadcast. Operands are contracted from left to
    right. Source: ``torch.einsum``.

    >>> import minidl
    >>> minidl.einsum("ij,jk->ik", minidl.ones(2, 3), minidl.ones(3, 4)).shape
    torch.Size([2, 4])
    """
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one operand and its "
            "subscripts list"
        )
    if isinstance(args[0], str):
        operands = list(args[1]) if len(args) == 2 and isinstance(args[1], (list, tuple)) else list(args[1:])
        terms, output = _parsed(args[0])
    else:
        operands, terms, output = _from_lists(args)
    for i, operand in enumerate(operands):
        if not isinstance(operand, Tensor):
            raise TypeError(
                "einsum(): argument 'operands' (position 2) must be tuple of Tensors, not "
                f"{operand.__class__.__name__} at {i}"
            )
    if len(operands) != len(terms):
        more = "fewer" if len(terms) > len(operands) else "more"
        raise RuntimeError(f"einsum(): {more} operands were provided than specified in the equation")
    terms, output = _spread_ellipsis(terms, operands, output)
    sizes = _sizes(terms, operands)
    for label in output:
        if label not in sizes and isinstance(label, str):
            raise RuntimeError(
                f"einsum(): output subscript {label} does not appear in the equation for any input operand"
            )
        if output.count(label) > 1:
            raise RuntimeError(f"einsum(): output subscript {label} appears more than once in the output")
    return _evaluated(operands, terms, output, sizes)


def _evaluated(operands, terms, output, sizes):
    pairs = [_distinct(operand, term) for operand, term in zip(operands, terms, strict=True)]
    current, term = pairs[0]
    for i, (operand, labels) in enumerate(pairs[1:], 1):
        kept = set(output).union(*(later for _, later in pairs[i + 1 :]))
        current, term = _contracted(current, term, operand, labels, kept, sizes)
    alone = [d for d, label in enumerate(term) if label not in output]
    if alone:
        current = sum(current, alone)
        term = [label for label in term if label in output]
    wanted = [label for label in output if label in term]
    return current.permute([term.index(label) for label in wanted]) if wanted != term else current
