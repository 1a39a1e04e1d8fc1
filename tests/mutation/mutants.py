"""All mutants of a package: every place of its source where one small mistake is planted, in a fixed order.

A ``Mutant`` knows its file, its lines, what it changes and how to compile the whole file with it. What always holds:
two processes that read the same source number the mutants alike, and no mutant compiles to the code of the original.
``EXCLUDED`` names everything that is left alone, by rule and never by hand; the report prints it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType

from tests.mutation.operators import changes, other_text

EXCLUDED = """\
- docstrings, annotations, type variables and aliases, `if TYPE_CHECKING`, `Protocol` classes: nothing of them runs
- the arguments of decorators (`frozen`, `slots`), `__slots__`, `__all__`, `__repr__`, `__str__`: how objects are stored
  and shown to developers
- texts that are said, and all that stands inside an f-string or in the argument of an exception; a text that is
  compared or looked up (an index, a dictionary's key, the argument of `get`, `startswith` and the like) is changed
- leaving out the first assignments of `__init__` or an assignment to a local name: whoever reads it fails by itself
- changes that compile to the same code
"""
_NOT_RUN = frozenset({"__repr__", "__str__"})
_NO_STATEMENT = frozenset({"__slots__", "__all__"})
_TYPING_CALLS = frozenset({"TypeVar", "NewType", "ParamSpec"})
_LOOKS_UP = frozenset(
    {"get", "pop", "startswith", "endswith", "removeprefix", "removesuffix", "find", "partition", "split"}
)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Mutant:
    """One mistake in one file.

    ``module``: the dotted name; ``lines``: first and last line of the statement (of its head, if it has a body);
    ``function``: the outermost function it is in, as qualified name and first line, or None: it is run by the import;
    ``names``: what the import binds with it (a constant, a field, a function with this default).
    """

    number: int
    module: str
    path: Path
    line: int
    lines: tuple[int, int]
    function: tuple[str, int] | None
    whole: tuple[int, int]
    names: tuple[str, ...]
    before: str
    after: str
    place: Place = field(repr=False)

    def compiled(self) -> CodeType:
        """Compile the file with this mistake in it."""
        return self.place.compiled()

    def __str__(self) -> str:
        return f"{self.module}:{self.line}: {self.before}  ->  {self.after}"


@dataclass(frozen=True)
class Place:
    """Where in a tree a node stands, and what stands there instead."""

    path: Path
    tree: ast.Module
    parent: ast.AST
    field: str
    index: int | None
    new: ast.AST

    def compiled(self) -> CodeType:
        """Compile the tree with the replacement, and leave it as it was."""
        old = self.old()
        self._set(self.new)
        try:
            if not hasattr(self.new, "lineno"):
                ast.copy_location(self.new, old)
            ast.fix_missing_locations(self.new)
            return compile(self.tree, str(self.path), "exec", dont_inherit=True)
        finally:
            self._set(old)

    def old(self) -> ast.AST:
        """Give the node that stands there."""
        value = getattr(self.parent, self.field)
        node: ast.AST = value if self.index is None else value[self.index]
        return node

    def _set(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


@dataclass(frozen=True)
class _Where:
    """What a node stands in."""

    statement: ast.stmt | None = None
    function: _Function | ast.Lambda | None = None
    qualname: str = ""
    in_init: bool = False
    names: tuple[str, ...] = ()
    #: The default value of an argument runs at import although it stands in a function.
    outside: bool = False


def of_package(root: Path, package: str) -> list[Mutant]:
    """Give all mutants of a package (a path below ``root``), or of one file."""
    found: list[Mutant] = []
    paths = [root / package] if package.endswith(".py") else sorted((root / package).rglob("*.py"))
    for path in paths:
        parts = path.relative_to(root).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.extend(_of_file(path, module, len(found)))
    return found


def _of_file(path: Path, module: str, first: int) -> Iterator[Mutant]:
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    original = compile(tree, str(path), "exec", dont_inherit=True)
    number = first
    for place, where in _places(tree, tree, path, _Where()):
        old = place.old()
        if place.compiled() == original:
            continue
        yield _mutant(number, module, place, where, old)
        number += 1


def _mutant(number: int, module: str, place: Place, where: _Where, old: ast.AST) -> Mutant:
    statement = where.statement
    assert statement is not None
    function = where.function
    inside = function is not None and not where.outside
    lines = _lines(old if isinstance(old, ast.stmt) else statement)
    return Mutant(
        number,
        module,
        place.path,
        getattr(old, "lineno", statement.lineno),
        lines,
        (where.qualname, _first_line(function)) if inside and function is not None else None,
        (function.lineno, function.end_lineno or function.lineno) if inside and function is not None else (0, 0),
        where.names,
        _shown(old),
        _shown(place.new),
        place,
    )


def _first_line(function: _Function | ast.Lambda) -> int:
    """Give the line that the compiler calls a function's first: that of its first decorator."""
    decorators = [] if isinstance(function, ast.Lambda) else function.decorator_list
    return min([function.lineno, *(decorator.lineno for decorator in decorators)])


def _lines(statement: ast.stmt) -> tuple[int, int]:
    body = getattr(statement, "body", None)
    if isinstance(body, list):
        return statement.lineno, max(statement.lineno, body[0].lineno - 1)
    return statement.lineno, statement.end_lineno or statement.lineno


def _shown(node: ast.AST) -> str:
    """Write a node in one line; of a statement with a body only the head."""
    lines = ast.unparse(node).strip().splitlines()
    return lines[0] if lines else ""


def _places(tree: ast.Module, node: ast.AST, path: Path, where: _Where) -> Iterator[tuple[Place, _Where]]:
    """Give every change below a node, in the order of the source."""
    for name, value in ast.iter_fields(node):
        if _is_left_alone(node, name):
            continue
        children = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for index, child in children:
            if not isinstance(child, ast.AST) or _is_excluded(child, where):
                continue
            inner = _entered(where, node, name, child)
            for new in _changes(node, name, child, inner):
                yield Place(path, tree, node, name, index, new), inner
            yield from _places(tree, child, path, inner)


def _changes(parent: ast.AST, name: str, node: ast.AST, where: _Where) -> Iterator[ast.AST]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if node.value and _is_looked_up(parent, name):
            yield other_text(node)
        return
    if isinstance(node, ast.Assign | ast.AnnAssign) and where.in_init:
        return
    yield from changes(node)


def _is_looked_up(parent: ast.AST, name: str) -> bool:
    """Whether a text in this field of this parent decides something."""
    match parent:
        case ast.Compare():
            return True
        case ast.Subscript():
            return name == "slice"
        case ast.Dict():
            return name == "keys"
        case ast.Call(func=ast.Attribute(attr=attribute)):
            return name == "args" and attribute in _LOOKS_UP
    return False


def _is_left_alone(node: ast.AST, name: str) -> bool:
    """Whether a field of a node holds nothing that is changed."""
    if name in {"annotation", "returns", "decorator_list", "bases", "keywords"}:
        return not (isinstance(node, ast.Call) and name == "keywords")
    return isinstance(node, ast.Raise)


def _is_excluded(node: ast.AST, where: _Where) -> bool:
    match node:
        case ast.JoinedStr():
            return True
        case ast.FunctionDef(name=name):
            return name in _NOT_RUN
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.ClassDef(bases=bases):
            return any(isinstance(base, ast.Name) and base.id == "Protocol" for base in bases)
        case ast.Assign(targets=[ast.Name(id=name)]) if name in _NO_STATEMENT:
            return True
        case ast.Assign(value=value) if where.function is None:
            return _is_type(value)
    return False


def _is_type(value: ast.expr) -> bool:
    """Whether what the import binds is a type or an alias of one."""
    match value:
        case ast.Call(func=ast.Name(id=name)):
            return name in _TYPING_CALLS
        case ast.Subscript(value=ast.Name(id=name)):
            return name[0].isupper() or name in {"tuple", "list", "dict", "set", "frozenset", "type"}
        case ast.BinOp(op=ast.BitOr()):
            return True
    return False


def _entered(where: _Where, parent: ast.AST, name: str, node: ast.AST) -> _Where:
    """Say what stands around a child of a node."""
    statement = node if isinstance(node, ast.stmt) else where.statement
    function, qualname, in_init, names, outside = (
        where.function,
        where.qualname,
        where.in_init,
        where.names,
        where.outside,
    )
    if function is not None and parent is function.args and name in {"defaults", "kw_defaults"}:
        outside = True
    if function is None:
        if isinstance(node, _Function | ast.Lambda):
            own = node.name if isinstance(node, _Function) else "<lambda>"
            function = node
            qualname = f"{qualname}.{own}" if qualname else own
            in_init = own == "__init__"
            names = names if isinstance(node, ast.Lambda) else tuple(qualname.split("."))
        elif isinstance(node, ast.ClassDef):
            qualname = f"{qualname}.{node.name}" if qualname else node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = tuple(target.id for target in targets if isinstance(target, ast.Name))
    return _Where(statement, function, qualname, in_init, names, outside)
