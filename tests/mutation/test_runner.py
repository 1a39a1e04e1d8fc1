"""The runner over a package of a few lines: what its tests notice, what runs for ever, and what nobody notices."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_SOURCE = """
LIMIT = 10


def bounded(value, least=0):
    if value < least:
        return least
    return min(value, LIMIT)


def down(count):
    while count:
        count -= 1
    return count


def unused():
    return 1
"""
_GOOD = """
from tiny.amounts import bounded, down


def test_bounds():
    assert [bounded(value) for value in (-1, 0, 3, 10, 11)] == [0, 0, 3, 10, 10]
    assert bounded(-1, -1) == -1


def test_down():
    assert down(3) == 0
"""
_WEAK = """
from tiny.amounts import bounded


def test_something():
    assert bounded(3) == 3
"""


def run(folder: Path, tests: str, *more: str) -> subprocess.CompletedProcess[str]:
    """Plant mistakes into the tiny package, with these tests."""
    (folder / "tiny").mkdir()
    (folder / "tiny" / "__init__.py").write_text("", encoding="utf-8")
    (folder / "tiny" / "amounts.py").write_text(_SOURCE, encoding="utf-8")
    (folder / "checks").mkdir()
    (folder / "checks" / "test_amounts.py").write_text(tests, encoding="utf-8")
    (folder / "pyproject.toml").write_text("[tool.pytest.ini_options]\n", encoding="utf-8")
    what = ("--package", "tiny", "--tests", "checks", "--spare", "0.2")
    where = ("--write", "table.md", "--survivors", "left.txt")
    return subprocess.run(
        [sys.executable, "-B", "-m", "tests.mutation", *what, *where, *more],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{_ROOT}{os.pathsep}{folder}", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_good_tests_notice_everything_they_run(tmp_path: Path) -> None:
    """Mistakes in functions and at the import are killed, endless loops time out; what no test runs is listed."""
    done = run(tmp_path, _GOOD, "--at-least", "84")
    assert done.returncode == 0, done.stderr
    row = next(line for line in done.stdout.splitlines() if line.startswith("| amounts |"))
    mutants, killed, timed_out, survived, not_run, share = [cell.strip() for cell in row.split("|")[2:-1]]
    assert (mutants, timed_out, not_run) == ("13", "3", "1")
    assert (killed, survived, share) == ("8", "1", "84.6")
    assert (tmp_path / "table.md").read_text(encoding="utf-8") in done.stdout
    left = (tmp_path / "left.txt").read_text(encoding="utf-8").splitlines()
    assert left == [
        "survived: tiny.amounts:6: value < least  ->  value <= least",
        "not run: tiny.amounts:18: 1  ->  2",
    ]


def test_weak_tests_are_found_out(tmp_path: Path) -> None:
    """Too few were noticed: the end says so."""
    done = run(tmp_path, _WEAK)
    assert done.returncode == 1, done.stderr
    assert "value < least  ->  value <= least" in (tmp_path / "left.txt").read_text(encoding="utf-8")


def test_tests_that_fail_anyway_prove_nothing(tmp_path: Path) -> None:
    """The run ends before anything is planted, with the name of the test."""
    done = run(tmp_path, _WEAK.replace("== 3", "== 4"))
    assert done.returncode == 2
    assert "test_something fails before anything is planted" in done.stderr
    assert not (tmp_path / "table.md").exists()


def test_tests_that_are_none_prove_nothing(tmp_path: Path) -> None:
    """Nothing was collected: that is an error and no success."""
    done = run(tmp_path, "import nowhere\n")
    assert done.returncode == 2
    assert "could not be collected" in done.stderr
