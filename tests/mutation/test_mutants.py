"""What is planted: the mistakes of each kind, and nothing where nothing is to be planted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation.mutants import Mutant, of_package


def planted(folder: Path, source: str) -> list[Mutant]:
    """Give all mutants of a module."""
    (folder / "module.py").write_text(source, encoding="utf-8")
    return of_package(folder, "module.py")


def changed(folder: Path, source: str) -> list[tuple[str, str]]:
    """Give what stands there, and what instead."""
    return [(mutant.before, mutant.after) for mutant in planted(folder, source)]


@pytest.mark.parametrize(
    ("expression", "instead"),
    [
        ("a < b", ["a <= b", "a >= b"]),
        ("a >= b", ["a > b", "a < b"]),
        ("a == b", ["a != b"]),
        ("a is not b", ["a is b"]),
        ("a not in b", ["a in b"]),
        ("a < b < c", ["a <= b < c", "a >= b < c", "a < b <= c", "a < b >= c"]),
        ("a and b", ["a or b", "b", "a"]),
        ("a or b or c", ["a and b and c", "b or c", "a or c", "a or b"]),
        ("a + b", ["a - b"]),
        ("a / b", ["a * b"]),
        ("a // b", ["a / b"]),
        ("not a", ["a"]),
        ("-a", ["a"]),
        ("min(a, b)", ["max(a, b)"]),
        ("any(a)", ["all(a)"]),
        ("math.floor(a)", ["math.ceil(a)"]),
        ("a if b else c", ["a if not b else c"]),
        ("[x for x in a if b]", ["for x in a", "for x in a if not b"]),
        ("a['key']", ["'key?'"]),
        ("a.get('key')", ["'key?'"]),
        ("a == 'key'", ["a != 'key'", "'key?'"]),
        ("{'key': a}", ["'key?'"]),
        ("f(a, 'said')", []),
        ("f'{a + 1} said'", []),
    ],
)
def test_an_expression_is_changed(tmp_path: Path, expression: str, instead: list[str]) -> None:
    """Every way of going wrong, and the answer that is left out."""
    told = changed(tmp_path, f"def function(a, b, c):\n    return {expression}\n")
    assert [after for _, after in told] == ["return None", *instead]


@pytest.mark.parametrize(
    ("constant", "instead"), [("0", "1"), ("7", "8"), ("0.0", "1.0"), ("2.5", "5.0"), ("True", "False")]
)
def test_a_constant_is_changed(tmp_path: Path, constant: str, instead: str) -> None:
    """An answer that is one is changed, not left out."""
    assert changed(tmp_path, f"def function():\n    return {constant}\n") == [(constant, instead)]


@pytest.mark.parametrize(
    ("statement", "instead"),
    [
        ("a.b = c", ["pass"]),
        ("d = a.b = c", ["d = c"]),
        ("a.b += c", ["a.b -= c", "pass"]),
        ("del a[c]", ["pass"]),
        ("a.clear()", ["pass"]),
        ("raise ValueError(1 + 2)", ["pass"]),
        ("d = c", []),
        ("return", []),
        ("return None", []),
        ("if a: c.d()", ["if not a:", "pass"]),
        ("while a: break", ["while not a:", "continue"]),
        ("for x in a: continue", ["break"]),
    ],
)
def test_a_statement_is_left_out_or_turned_round(tmp_path: Path, statement: str, instead: list[str]) -> None:
    """What would be missed at once, a local name, is not."""
    assert [after for _, after in changed(tmp_path, f"def function(a, c):\n    {statement}\n")] == instead


@pytest.mark.parametrize(
    "source",
    [
        '"""Says 1 + 1."""\n',
        "def function(a: 1 + 1) -> 1 + 1: pass\n",
        "@decorated(a=True)\ndef function(): pass\n",
        "class Shown:\n    __slots__ = ('a' + 'b',)\n    def __repr__(self): return 1 + 1\n",
        "class Shape(Protocol):\n    def function(self): return 1 + 1\n",
        "class Made:\n    def __init__(self, a):\n        self.a = a\n        self.b: int = a\n",
        "T = TypeVar('T', bound=1)\n",
        "Alias = int | None\n",
        "Pair = tuple[1, 2]\n",
        "if TYPE_CHECKING:\n    import other\n",
        "SAID = 'text'\n",
    ],
)
def test_nothing_is_planted_where_nothing_would_be_noticed(tmp_path: Path, source: str) -> None:
    """By rule; the report says so."""
    assert changed(tmp_path, source) == []


def test_a_mutant_knows_where_it_is(tmp_path: Path) -> None:
    """Its function and lines, or the names that the import binds."""
    head = "LIMIT = 1\n\nclass Kept:\n    size: int = 2\n\n"
    source = head + "    def of(self, many=3):\n        return [\n            many\n            + self.size]\n"
    limit, size, many, answer, total = planted(tmp_path, source)
    assert [limit.names, size.names, many.names] == [("LIMIT",), ("size",), ("Kept", "of")]
    assert [limit.function, size.function, many.function] == [None] * 3
    assert answer.function == total.function == ("Kept.of", 6)
    assert (answer.lines, total.lines, total.whole) == ((7, 9), (7, 9), (6, 9))
    assert [mutant.number for mutant in (limit, size, many, answer, total)] == list(range(5))
    assert str(limit) == "module:1: 1  ->  2"


def test_the_tree_is_as_it_was_after_a_mutant_was_compiled(tmp_path: Path) -> None:
    """Each has its own mistake only."""
    first, second = planted(tmp_path, "A = 1\nB = 1\n")
    for mutant, found in ((first, (2, 1)), (second, (1, 2)), (first, (2, 1))):
        names: dict[str, int] = {}
        exec(mutant.compiled(), names)  # noqa: S102  # this is how a module is run
        assert (names["A"], names["B"]) == found
