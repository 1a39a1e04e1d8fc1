"""Master keys: made once, for their owner's eyes, never overwritten, and refused where others can read them."""

from __future__ import annotations

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from utils.security import Secret
from utils.security.encryption import KeyRing, MasterKeyError
from utils.security.masterkeys import MasterKeys

KEY, OTHER = bytes(range(32)), bytes(range(200, 232))


def given(*keys: bytes, path: Path = Path("unused")) -> MasterKeys:
    return MasterKeys(path, Secret(",".join(base64.b64encode(key).decode() for key in keys), "MASTER_KEYS"))


@pytest.fixture
def keys(tmp_path: Path) -> MasterKeys:
    return MasterKeys(tmp_path / "keys" / "master.key")


def test_the_file_is_made_once_for_its_owner_only(keys: MasterKeys):
    """The file has mode 0600 in a folder of mode 0700; making it again changes nothing; no draft is left."""
    assert keys.load() is None
    ring = keys.create()
    again = keys.create()
    found = keys.load()
    assert found is not None
    assert ring.ids == again.ids == found.ids
    assert stat.S_IMODE(keys.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.path.parent.stat().st_mode) == 0o700
    assert [path.name for path in keys.path.parent.iterdir()] == ["master.key"]


def test_many_that_make_the_file_at_once_get_the_same_key(keys: MasterKeys):
    """Whoever comes second takes the first one's key."""
    with ThreadPoolExecutor(8) as threads:
        rings = list(threads.map(lambda _: keys.create().ids, range(16)))
    assert len(set(rings)) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_file_that_others_can_read_is_refused(keys: MasterKeys, mode: int):
    """The sentence says what to run."""
    keys.create()
    keys.path.chmod(mode)
    with pytest.raises(MasterKeyError, match="run `chmod 600 "):
        keys.load()


def test_a_new_key_goes_on_top_and_the_old_one_stays(keys: MasterKeys):
    """After the rotation the ring has both, the new one first; the file is still its owner's only."""
    first = keys.create()
    sealed = first.seal("a", b"", b"words")
    both = keys.add()
    assert both.ids[1:] == first.ids
    assert both.unseal("a", b"", sealed) == b"words"
    found = keys.load()
    assert found is not None
    assert found.ids == both.ids
    assert stat.S_IMODE(keys.path.stat().st_mode) == 0o600


def test_a_first_new_key_makes_the_file(keys: MasterKeys):
    """Rotating before the first start is a start."""
    assert len(keys.add().ids) == 1


@pytest.mark.parametrize("content", ["", "# only words\n", "\n\n"])
def test_an_empty_file_is_no_reason_to_make_another_key(keys: MasterKeys, content: str):
    """A file that lost its content is named; overwriting it could end the last hope of getting it back."""
    keys.create()
    keys.path.write_text(content)
    with pytest.raises(MasterKeyError, match="holds no master key"):
        keys.load()


@pytest.mark.parametrize("content", ["hunter2-not-a-key", base64.b64encode(b"x" * 31).decode(), "ключ"])
def test_what_is_no_key_is_refused_without_showing_it(keys: MasterKeys, content: str):
    """The sentence names the place and what to write, never what was written."""
    keys.create()
    keys.path.write_text(content, encoding="utf-8")
    with pytest.raises(MasterKeyError) as caught:
        keys.load()
    assert content not in str(caught.value)
    assert "master.key" in str(caught.value)


def test_the_environment_wins_over_the_file(keys: MasterKeys, tmp_path: Path):
    """Keys of the environment are taken as they are, newest first, in both alphabets of base64; no file is made."""
    ring = given(KEY, OTHER, path=tmp_path / "k").load()
    assert ring is not None
    assert ring.ids == KeyRing([KEY, OTHER]).ids
    urlsafe = MasterKeys(tmp_path / "k", Secret(base64.urlsafe_b64encode(OTHER).decode(), "MASTER_KEYS")).load()
    assert urlsafe is not None
    assert urlsafe.ids == KeyRing([OTHER]).ids
    assert list(tmp_path.iterdir()) == []
    assert given(KEY).file is None
    assert keys.file == keys.path


def test_a_wrong_entry_of_the_environment_is_named_by_its_place():
    """The sentence says which entry and how to make one."""
    wrong = MasterKeys(Path("k"), Secret(base64.b64encode(KEY).decode() + ",hunter2", "MASTER_KEYS"))
    with pytest.raises(MasterKeyError, match=r"Entry 2 of MASTER_KEYS .*openssl rand") as caught:
        wrong.load()
    assert "hunter2" not in str(caught.value)


def test_keys_of_the_environment_are_rotated_there():
    """The program cannot write into the environment, and says so."""
    with pytest.raises(MasterKeyError, match="put a new one before them"):
        given(KEY).add()


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path):
    """A file in place of the folder stands for every error of the disk."""
    (tmp_path / "keys").write_text("")
    with pytest.raises(MasterKeyError, match=r"name another file in MASTER_KEY_FILE"):
        MasterKeys(tmp_path / "keys" / "master.key").create()


def test_no_key_shows_in_a_repr():
    """The dataclass shows the place only."""
    assert base64.b64encode(KEY).decode() not in repr(given(KEY))
