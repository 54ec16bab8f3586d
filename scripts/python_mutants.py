"""Small faults in Python functions: what ``scripts/mutate.py`` plants in gradient rules.

A mutant is a function with one node of its syntax tree replaced: an op by its opposite, a term left out, a sign, an
axis, a constant, a branch.
"""

import ast
import copy
import functools
import types
from typing import NamedTuple

# An op, and what may stand in its place. Names of ops and of Python's functions alike.
SWAPS = {
    "add": "sub", "sub": "add", "mul": "div", "div": "mul", "true_divide": "mul", "sin": "cos", "cos": "sin",
    "sinh": "cosh", "cosh": "sinh", "exp": "expm1", "log": "log1p", "sqrt": "square", "square": "abs", "abs": "neg",
    "lt": "le", "le": "lt", "gt": "ge", "ge": "gt", "eq": "ne", "ne": "eq", "maximum": "minimum",
    "minimum": "maximum", "logical_and": "logical_or", "logical_or": "logical_and", "ones_like": "zeros_like",
    "zeros_like": "ones_like", "tril": "triu", "triu": "tril", "amax": "amin", "sum": "mean", "mean": "sum",
    "min": "max", "max": "min", "cumsum": "cumprod", "any": "all", "all": "any",
}  # fmt: skip
TERMS = {"add", "sub", "mul", "div", "true_divide", "matmul", "where", "pow"}  # an operand may be left out
ORDERED = {
    "sub": (0, 1),
    "div": (0, 1),
    "true_divide": (0, 1),
    "matmul": (0, 1),
    "pow": (0, 1),
    "where": (1, 2),
}
BARE = {"neg", "sum", "expand", "transpose", "flip", "conj", "unsqueeze", "squeeze", "exp", "sqrt", "sign"}
ZEROS = ("zeros_of(", "mul_zero(", "mul(g, 0.0)", "bool(")  # whose sign says nothing
OPERATORS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or,
    ast.Or: ast.And,
}  # fmt: skip


class Mutant(NamedTuple):
    """A fault: the function it is in, the code that has it, and how its line reads before and after."""

    function: types.FunctionType
    code: types.CodeType
    line: int
    before: str
    after: str

    def __str__(self):
        place = self.function.__code__.co_filename.rpartition("/minidl/")[2]
        return f"{place}:{self.line}  {self.before}  ->  {self.after}"


@functools.cache
def _tree(path):
    with open(path, encoding="utf-8") as source:
        return ast.parse(source.read())


def node_of(function):
    """The syntax tree of a function: the lambda or definition whose code it runs."""
    code = function.__code__
    lines = [(line, column) for line, _, column, _ in code.co_positions() if line and column is not None]
    for node in ast.walk(_tree(code.co_filename)):
        if not isinstance(node, (ast.Lambda, ast.FunctionDef)):
            continue
        if node.lineno != code.co_firstlineno or [a.arg for a in node.args.args] != list(_names(code)):
            continue
        begin, end = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
        if all(begin <= place <= end for place in lines if place != (node.lineno, 0)):
            return node
    raise LookupError(f"no syntax tree for {function}")


def _names(code):
    return code.co_varnames[: code.co_argcount]


def mutants(function):
    """Every mutant of a function, in the order of its source."""
    node = node_of(function)
    for place, inner in enumerate(ast.walk(node)):
        for changed in _changes(inner):
            made = copy.deepcopy(node)
            target = list(ast.walk(made))[place]
            _replace(made, target, changed)
            code = _compiled(function, made)
            if code is not None and code.co_code + repr(code.co_consts).encode() != _plain(function, node):
                yield Mutant(function, code, inner.lineno, _text(inner), _text(changed))
    for result in _results(node):
        yield from _signs(function, node, result)


def _text(node):
    return " ".join(ast.unparse(node).split())[:90]


def _plain(function, node):
    code = _compiled(function, copy.deepcopy(node))
    return code.co_code + repr(code.co_consts).encode()


def _replace(root, target, changed):
    for parent in ast.walk(root):
        for name, value in ast.iter_fields(parent):
            if value is target:
                setattr(parent, name, changed)
            elif isinstance(value, list):
                value[:] = [changed if item is target else item for item in value]


def _compiled(function, node):
    """The code of a changed syntax tree, which keeps the function's parameters."""
    if isinstance(node, ast.Lambda):
        module = ast.Expression(node)
    else:
        node.decorator_list = []
        module = ast.Module([node], [])
    ast.fix_missing_locations(module)
    kind = "eval" if isinstance(node, ast.Lambda) else "exec"
    outer = compile(module, function.__code__.co_filename, kind)
    code = next(c for c in outer.co_consts if isinstance(c, types.CodeType))
    return code if code.co_freevars == function.__code__.co_freevars else None


def _changes(node):
    """What may stand in the place of a node."""
    if isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.Constant):
        yield from (ast.Constant(value) for value in _constants(node.value))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not)):
        yield node.operand
    elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        yield ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right)
        yield node.left
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in OPERATORS:
        yield ast.Compare(node.left, [OPERATORS[type(node.ops[0])](), *node.ops[1:]], node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(OPERATORS[type(node.op)](), node.values)
    elif isinstance(node, ast.IfExp):
        yield from (node.body, node.orelse)
    elif isinstance(node, ast.If):
        yield from (ast.If(ast.Constant(value), node.body, node.orelse) for value in (True, False))


def _constants(value):
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1
    elif isinstance(value, float):
        yield from (value * 2, value + 1)


def _calls(node):
    name = node.func.id if isinstance(node.func, ast.Name) else None
    plain = len(node.args) >= 1 and not any(isinstance(a, ast.Starred) for a in node.args)
    if name in SWAPS:
        yield ast.Call(ast.Name(SWAPS[name], ast.Load()), node.args, node.keywords)
    if name in TERMS and plain:
        yield from (a for a in node.args[name == "where" :] if not isinstance(a, ast.Constant))
    if name in ORDERED and plain and len(node.args) > ORDERED[name][1]:
        first, second = ORDERED[name]
        args = list(node.args)
        args[first], args[second] = args[second], args[first]
        yield ast.Call(node.func, args, node.keywords)
    if name in BARE and plain:
        yield node.args[0]


def _results(node):
    """The expressions that a function gives back."""
    found = [n.value for n in ast.walk(node) if isinstance(n, ast.Return)]
    for value in [node.body] if isinstance(node, ast.Lambda) else found:
        yield from value.elts if isinstance(value, ast.Tuple) else [value] if value is not None else []


def _signs(function, node, result):
    """A gradient with the wrong sign."""
    if not isinstance(result, (ast.Call, ast.Name)) or _text(result).startswith(ZEROS):
        return
    place = next(i for i, inner in enumerate(ast.walk(node)) if inner is result)
    made = copy.deepcopy(node)
    target = list(ast.walk(made))[place]
    _replace(made, target, ast.Call(ast.Name("_negative", ast.Load()), [target], []))
    code = _compiled(function, made)
    if code is not None:
        yield Mutant(function, code, result.lineno, _text(result), f"-({_text(result)})")
