"""The small mistakes that are planted: for one piece of code, what stands there instead.

``changes`` answers the replacements of one node, each a mistake that a person makes: a bound that is off by one, a
condition turned round or left out, a sign, a constant, an answer or a statement that is missing, the wrong of two
opposite functions. What always holds: the node given is never altered, and every replacement fits where it stood.
Where nothing is planted at all, and why, is said in ``mutants``.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Any

#: Of the two for an order the first moves the bound, the second turns the question round.
_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_OPPOSITES = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "floor": "ceil",
    "ceil": "floor",
    "popleft": "pop",
    "append": "appendleft",
    "appendleft": "append",
    "bisect_left": "bisect_right",
    "bisect_right": "bisect_left",
    "nsmallest": "nlargest",
    "nlargest": "nsmallest",
}


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """Give what may stand instead of this node, one mistake each."""
    make = _MAKERS.get(type(node))
    if make is not None:
        yield from make(node)


def negations(test: ast.expr) -> Iterator[ast.expr]:
    """Give a condition turned round, where no change of its own parts does that."""
    if not isinstance(test, ast.Compare | ast.BoolOp | ast.Constant) and not _is_not(test):
        yield ast.UnaryOp(ast.Not(), copy.deepcopy(test))


def other_text(node: ast.Constant) -> ast.Constant:
    """Give another text for one that is looked up or compared."""
    return ast.Constant(f"{node.value!s}?")


def _is_not(node: ast.expr) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


def _with(node: ast.AST, **fields: Any) -> Any:
    """Copy a node with other fields."""
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _compare(node: ast.Compare) -> Iterator[ast.AST]:
    for index, operator in enumerate(node.ops):
        for other in _COMPARISONS[type(operator)]:
            yield _with(node, ops=[*node.ops[:index], other(), *node.ops[index + 1 :]])


def _boolean(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    for index in range(len(node.values)):
        left = [*node.values[:index], *node.values[index + 1 :]]
        yield left[0] if len(left) == 1 else _with(node, values=left)


def _binary(node: ast.BinOp) -> Iterator[ast.AST]:
    yield _with(node, op=_ARITHMETIC[type(node.op)]())


def _unary(node: ast.UnaryOp) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.Not | ast.USub):
        yield node.operand


def _constant(node: ast.Constant) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1)
    elif isinstance(value, float):
        yield ast.Constant(value * 2 or 1.0)


def _return(node: ast.Return) -> Iterator[ast.AST]:
    """Answer nothing; an answer that is a constant is changed as one."""
    if not isinstance(node.value, ast.Constant | None):
        yield _with(node, value=ast.Constant(None))


def _statement(node: ast.stmt) -> Iterator[ast.AST]:
    yield ast.Pass()


def _expression(node: ast.Expr) -> Iterator[ast.AST]:
    if not isinstance(node.value, ast.Constant | ast.Yield | ast.YieldFrom):
        yield ast.Pass()


def _assign(node: ast.Assign) -> Iterator[ast.AST]:
    """Leave out what is kept; a name that is only local would be missed at once."""
    names = [target for target in node.targets if isinstance(target, ast.Name)]
    if not any(_is_kept(target) for target in node.targets):
        return
    yield _with(node, targets=names) if names else ast.Pass()


def _is_kept(target: ast.expr) -> bool:
    if isinstance(target, ast.Tuple):
        return all(_is_kept(part) for part in target.elts)
    return isinstance(target, ast.Attribute | ast.Subscript)


def _annotated(node: ast.AnnAssign) -> Iterator[ast.AST]:
    if node.value is not None and _is_kept(node.target):
        yield ast.Pass()


def _augmented(node: ast.AugAssign) -> Iterator[ast.AST]:
    yield _with(node, op=_ARITHMETIC[type(node.op)]())
    yield ast.Pass()


def _call(node: ast.Call) -> Iterator[ast.AST]:
    function = node.func
    if isinstance(function, ast.Name) and function.id in _OPPOSITES:
        yield _with(node, func=_with(function, id=_OPPOSITES[function.id]))
    elif isinstance(function, ast.Attribute) and function.attr in _OPPOSITES:
        yield _with(node, func=_with(function, attr=_OPPOSITES[function.attr]))


def _conditional(node: ast.If | ast.While | ast.IfExp) -> Iterator[ast.AST]:
    for test in negations(node.test):
        yield _with(node, test=test)


def _comprehension(node: ast.comprehension) -> Iterator[ast.AST]:
    for index, test in enumerate(node.ifs):
        yield _with(node, ifs=[*node.ifs[:index], *node.ifs[index + 1 :]])
        for other in negations(test):
            yield _with(node, ifs=[*node.ifs[:index], other, *node.ifs[index + 1 :]])


def _break(node: ast.Break) -> Iterator[ast.AST]:
    yield ast.Continue()


def _continue(node: ast.Continue) -> Iterator[ast.AST]:
    yield ast.Break()


_MAKERS: dict[type[ast.AST], Callable[[Any], Iterator[ast.AST]]] = {
    ast.Compare: _compare,
    ast.BoolOp: _boolean,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Constant: _constant,
    ast.Return: _return,
    ast.Raise: _statement,
    ast.Delete: _statement,
    ast.Expr: _expression,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.Call: _call,
    ast.If: _conditional,
    ast.While: _conditional,
    ast.IfExp: _conditional,
    ast.comprehension: _comprehension,
    ast.Break: _break,
    ast.Continue: _continue,
}
