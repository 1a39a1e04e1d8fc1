"""The key ring: what is sealed comes back to its place and nowhere else, under any of the ring's keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.security.encryption import KEY_ID_BYTES, KeyRing, MasterKeyError, TamperedError, UnknownMasterKeyError

OLD, NEW = bytes(range(32)), bytes(range(32, 64))


@given(plain=st.binary(max_size=200), purpose=st.text(min_size=1), context=st.binary(max_size=40))
def test_what_is_sealed_comes_back(plain: bytes, purpose: str, context: bytes):
    """Any bytes come back whole, and are nowhere in what is stored."""
    ring = KeyRing([NEW])
    sealed = ring.seal(purpose, context, plain)
    assert ring.unseal(purpose, context, sealed) == plain
    assert len(plain) < 8 or plain not in sealed


@given(position=st.integers(min_value=KEY_ID_BYTES, max_value=60), bit=st.integers(min_value=0, max_value=7))
def test_a_flipped_bit_is_refused(position: int, bit: int):
    """No byte of nonce, words or tag can be changed unseen."""
    ring = KeyRing([NEW])
    sealed = bytearray(ring.seal("a", b"1", b"x" * 40))
    sealed[position] ^= 1 << bit
    with pytest.raises(TamperedError):
        ring.unseal("a", b"1", bytes(sealed))


@pytest.mark.parametrize("length", [0, 3, 4, 15, 16, 20, 31])
def test_what_is_cut_short_is_refused(length: int):
    """A torn value is an error of its own, not a crash."""
    sealed = KeyRing([NEW]).seal("a", b"1", b"words")
    with pytest.raises((TamperedError, UnknownMasterKeyError)):
        KeyRing([NEW]).unseal("a", b"1", sealed[:length])


@pytest.mark.parametrize(("purpose", "context"), [("b", b"1"), ("a", b"2"), ("a1", b"")])
def test_another_purpose_or_place_is_refused(purpose: str, context: bytes):
    """Bytes moved to another column or row are not read as that one's."""
    sealed = KeyRing([NEW]).seal("a", b"1", b"words")
    with pytest.raises(TamperedError):
        KeyRing([NEW]).unseal(purpose, context, sealed)


def test_the_newest_key_seals_and_every_key_unseals():
    """A ring with a new key in front reads what the old one sealed; without the old one its id is named."""
    old, both, new = KeyRing([OLD]), KeyRing([NEW, OLD]), KeyRing([NEW])
    sealed = old.seal("a", b"1", b"words")
    assert both.unseal("a", b"1", sealed) == b"words"
    assert both.seal("a", b"1", b"words").startswith(new.head)
    assert both.ids == (*new.ids, *old.ids)
    with pytest.raises(UnknownMasterKeyError, match=f"master key {old.ids[0]}, which is not given") as caught:
        new.unseal("a", b"1", sealed)
    assert caught.value.key_id == old.ids[0]


def test_the_same_words_are_never_stored_alike():
    """Equal texts cannot be told to be equal."""
    ring = KeyRing([NEW])
    assert len({ring.seal("a", b"1", b"words") for _ in range(50)}) == 50


@pytest.mark.parametrize("masters", [[], [b"short"], [OLD, OLD], [OLD, b""]])
def test_what_cannot_be_a_ring_is_refused(masters: list[bytes]):
    """No key, a key of another length, and the same key twice are errors for the operator."""
    with pytest.raises(MasterKeyError):
        KeyRing(masters)


def test_no_key_shows_in_a_repr():
    """A ring in a traceback gives nothing away."""
    shown = repr(KeyRing([NEW]))
    assert KeyRing([NEW]).ids[0] in shown
    assert NEW.hex() not in shown
    assert str(NEW) not in shown
