"""The tests bite: mistakes that pools of this kind are known for, planted one by one into a copy, each found by a test.

Every mistake is one replacement in one file of the rules; the tests named beside it run over the copy in a process of
their own and must fail there, with an assertion and not with an error of the planting itself. The same tests pass over
the copy before anything is planted.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[3]
_POLICY = Path("utils/gemini_pool/policy")
_TESTS = Path("tests/gemini_pool/policy")


@dataclass(frozen=True, slots=True)
class Mistake:
    """``right`` stands once in ``file`` of the policy and is replaced by ``wrong``; ``test`` must notice."""

    name: str
    file: str
    right: str
    wrong: str
    test: str


MISTAKES = (
    Mistake(
        "the call is counted at its end, so calls in flight are hidden",
        "pools.py",
        "usage = project.usage = project.usage + unit",
        "usage = project.usage",
        "test_accounts.py::test_calls_in_flight_are_in_the_usage",
    ),
    Mistake(
        "nothing is ever forgotten",
        "score.py",
        "self.rate = 0.0 if math.isinf(half_life_s) else 1.0 / half_life_s",
        "self.rate = 0.0",
        "test_score.py",
    ),
    Mistake(
        "a refusal for quota is held against the key",
        "outcome.py",
        "FAULTS = frozenset({Kind.OVERLOADED, Kind.TIMEOUT, Kind.FAULT})",
        "FAULTS = frozenset({Kind.OVERLOADED, Kind.TIMEOUT, Kind.FAULT, Kind.QUOTA})",
        "test_accounts.py",
    ),
    Mistake(
        "there is no cap on ejections",
        "health.py",
        "if out + 1 > math.floor(self.alive * self._config.max_ejected_share):",
        "if out < 0:",
        "test_gates.py",
    ),
    Mistake(
        "a key is ejected although the others are as bad",
        "health.py",
        "return error >= self._config.peer_factor * peers",
        "return True",
        "test_gates.py",
    ),
    Mistake(
        "a half-open gate lets any number of probes through",
        "breaker.py",
        "return self.state(now) is GateState.HALF_OPEN and not self.probing",
        "return self.state(now) is GateState.HALF_OPEN",
        "test_accounts.py",
    ),
    Mistake(
        "an outcome of a call begun before the gate changed opens it again",
        "health.py",
        "if lease.gate_version != lane.gate.version:",
        "if False:",
        "test_gates.py",
    ),
    Mistake(
        "a call that was cancelled stays in flight",
        "pools.py",
        "lane.in_flight -= 1\n        project.in_flight -= 1",
        "lane.in_flight -= outcome.kind is not Kind.CANCELLED\n        project.in_flight -= 1",
        "test_accounts.py",
    ),
    Mistake(
        "a healed key starts at usage 0 and is flooded",
        "standing.py",
        "self.use(project, max(0.0, sum(others) / len(others) - project.usage))",
        "self.use(project, -project.usage)",
        "test_gates.py",
    ),
    Mistake(
        "the caller's own mistake counts against the key",
        "outcome.py",
        "FAULTS = frozenset({Kind.OVERLOADED, Kind.TIMEOUT, Kind.FAULT})",
        "FAULTS = frozenset({Kind.OVERLOADED, Kind.TIMEOUT, Kind.FAULT, Kind.CALLER})",
        "test_gates.py",
    ),
)


def _copy(target: Path) -> Path:
    for folder in ("utils", _TESTS):
        shutil.copytree(_ROOT / folder, target / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for package in (Path("tests"), Path("tests/gemini_pool")):
        shutil.copy(_ROOT / package / "__init__.py", target / package / "__init__.py")
    return target


def _run(copy: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    """Run tests over the copy, without the plugins and settings of this run."""
    paths = [str(_TESTS / test) for test in tests]
    quiet = ("-q", "-x", "--no-header", "-p", "no:cacheprovider", "-p", "no:randomly", "-c", "/dev/null")
    return subprocess.run(
        [sys.executable, "-B", "-m", "pytest", *quiet, "--rootdir", str(copy), *paths],
        cwd=copy,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_the_copy_passes_before_anything_is_planted(tmp_path: Path) -> None:
    """Otherwise a failure would prove nothing."""
    done = _run(_copy(tmp_path), *sorted({mistake.test for mistake in MISTAKES}))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_planted_mistake_is_found(mistake: Mistake, tmp_path: Path) -> None:
    """The test named beside it fails, by an assertion."""
    planted = _copy(tmp_path) / _POLICY / mistake.file
    before = planted.read_text(encoding="utf-8")
    assert before.count(mistake.right) == 1
    planted.write_text(before.replace(mistake.right, mistake.wrong), encoding="utf-8")
    done = _run(tmp_path, mistake.test)
    assert done.returncode == 1, done.stdout
    assert "AssertionError" in done.stdout or "assert " in done.stdout
