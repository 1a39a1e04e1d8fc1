"""The house holds: who may import whom, which foreign library lives in which room, and that importing starts nothing.

``docs/architecture.md`` draws the same plan for people; this reads the imports of every module and holds them to it.
"""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

#: Rooms from the top down; a module may import its own room and rooms of a larger number.
LAYERS = {
    "bot": 1,
    "cogs": 2,
    "gateway": 2,
    "utils.conversations": 3,
    "utils.rendering": 3,
    "utils.gemini_pool": 4,
    "utils.storage": 4,
    "utils.settings": 5,
    "utils.security": 6,
    "utils.i18n": 5,
    "sandbox": 9,
}

#: Foreign libraries and the rooms (by prefix) that may import them.
FOREIGN = {
    "google": ("utils.gemini_pool.provider",),
    "discord": ("bot", "cogs", "utils.rendering.discord", "sandbox.redirect"),
    "sqlalchemy": ("utils.storage",),
    "cryptography": ("utils.security", "sandbox.gemini.live"),
    "alembic": ("utils.storage",),
    "aiohttp": ("utils.gemini_pool.provider", "utils.gemini_pool.media", "cogs.fetching", "gateway", "sandbox"),
    "puremagic": ("utils.conversations.filetypes",),
    "matplotlib": ("utils.rendering.charts_drawing",),
}


def modules() -> dict[str, Path]:
    """Every module of the product by its dotted name."""
    found = {"bot": ROOT / "bot.py"}
    for room in ("cogs", "gateway", "utils", "sandbox"):
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(name: str) -> Iterator[str]:
    """Every module a module imports, wherever in the file; names of the product resolved to modules."""
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: imports here are absolute"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else str(node.module)


def room_of(module: str) -> str | None:
    """The room a module belongs to, or None for foreign ones."""
    rooms = [room for room in LAYERS if module == room or module.startswith(room + ".")]
    return max(rooms, key=len, default=None)


IMPORTS = {name: sorted(set(imports(name))) for name in MODULES}


@pytest.mark.parametrize("name", MODULES)
def test_every_import_points_downward(name: str) -> None:
    """A room imports itself and rooms below it; rooms of one layer do not know each other."""
    mine = room_of(name)
    if mine is None:
        assert name == "utils"
        return
    for target in IMPORTS[name]:
        theirs = room_of(target)
        if theirs is None or theirs == mine:
            continue
        if "sandbox" in (mine, theirs):
            assert (mine, theirs) == ("bot", "sandbox"), f"{name} imports {target}"
            continue
        assert LAYERS[theirs] > LAYERS[mine], f"{name} imports {target}"


@pytest.mark.parametrize("name", MODULES)
def test_foreign_libraries_stay_in_their_rooms(name: str) -> None:
    """google-genai, discord.py, SQLAlchemy and aiohttp are imported only where the plan says."""
    for target in IMPORTS[name]:
        allowed = FOREIGN.get(target.split(".")[0])
        if allowed is None or room_of(target) is not None:
            continue
        assert any(name == room or name.startswith(room + ".") for room in allowed), f"{name} imports {target}"


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("utils.gemini_pool.policy")])
def test_the_rules_import_the_standard_library_and_themselves(name: str) -> None:
    """The pool's rules depend on nothing that could do I/O for them."""
    for target in IMPORTS[name]:
        own = target.startswith("utils.gemini_pool.policy")
        assert own or target.split(".")[0] in sys.stdlib_module_names, f"{name} imports {target}"


def test_outsiders_use_the_front_door_of_the_pool() -> None:
    """Outside the pool only ``utils.gemini_pool`` itself is imported."""
    for name in MODULES:
        if not name.startswith("utils.gemini_pool"):
            inner = [target for target in IMPORTS[name] if target.startswith("utils.gemini_pool.")]
            assert not inner, f"{name} imports {inner}"


def test_nothing_imports_in_a_circle() -> None:
    """The graph of modules has an order; a package's front door stands for what it re-exports."""
    graph = {name: {target for target in IMPORTS[name] if target in MODULES} - {name} for name in MODULES}
    # the lazy front door names its rooms for type checkers only
    graph["utils.gemini_pool"] = set()
    graphlib.TopologicalSorter(graph).prepare()


def test_importing_starts_nothing() -> None:
    """Importing every module reads no environment, opens no socket and starts no thread."""
    names = [name for name in MODULES if name != "sandbox.__main__"]
    script = _WATCH.format(root=str(ROOT), names=names)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stderr


_WATCH = """
import importlib, os, socket, sys, threading
def ours(frame):
    name = frame.f_code.co_filename
    return name.startswith({root!r}) and "site-packages" not in name
def refuse(*_, **__):
    raise AssertionError("a socket was made at import")
class Watched(dict):
    def __getitem__(self, name):
        assert not ours(sys._getframe(1)), "the environment was read at import: " + name
        return dict.__getitem__(self, name)
    def get(self, name, default=None):
        assert not ours(sys._getframe(1)), "the environment was read at import: " + name
        return dict.get(self, name, default)
socket.socket.connect = refuse
os.environ = Watched(os.environ)
for name in {names!r}:
    importlib.import_module(name)
assert threading.active_count() == 1, threading.enumerate()
"""


def test_the_rules_load_no_foreign_library() -> None:
    """A simulator can use the rules without the SDK being installed."""
    script = (
        "import sys, utils.gemini_pool.policy;"
        "print([name for name in ('google', 'aiohttp', 'pydantic', 'discord', 'sqlalchemy') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
