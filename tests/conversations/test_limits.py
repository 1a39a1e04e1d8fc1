"""Checks before a question is taken: text, files, model, temperature."""

from __future__ import annotations

import pytest

from utils.conversations.limits import (
    MAX_ATTACHMENT_BYTES,
    Refusal,
    check_attachment,
    check_attachments,
    check_model,
    check_temperature,
    check_text,
)

MIB = 1024 * 1024


def said(refusal: Refusal | None) -> str | None:
    return None if refusal is None else refusal.message_id


@pytest.mark.parametrize(
    ("text", "message_id"),
    [
        ("", "ask.empty"),
        (" \n\t", "ask.empty"),
        ("x", None),
        ("x" * 8000 + "  ", None),
        ("x" * 8001, "ask.too_long"),
    ],
)
def test_texts_have_1_to_8000_characters_once_stripped(text, message_id):
    """Space around a question does not count."""
    assert said(check_text(text)) == message_id


@pytest.mark.parametrize(
    ("name", "size", "mime_type", "message_id"),
    [
        ("a.png", 1, "image/png", None),
        ("a.png", 0, "image/png", "ask.attachment_empty"),
        ("a.png", MAX_ATTACHMENT_BYTES, "image/png", None),
        ("a.png", MAX_ATTACHMENT_BYTES + 1, "image/png", "ask.attachment_too_large"),
        ("a.gif", 1, "image/gif", "ask.attachment_gif"),
        ("a.gif", 1, None, "ask.attachment_gif"),
        ("a.zip", 1, "application/zip", "ask.attachment_type"),
        ("a.exe", 1, "application/x-msdownload", "ask.attachment_type"),
        ("a.docx", 1, "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "ask.attachment_type"),
        ("a.bmp", 1, "image/bmp", "ask.attachment_type"),
        ("noname", 1, "", None),
        ("Makefile", 1, None, None),
        ("code.ts", 1, "video/mp2t", None),
    ],
)
def test_files_are_judged_by_what_is_declared(name, size, mime_type, message_id):
    """No byte has to be fetched to refuse what is surely of no use; the rest is decided by its bytes."""
    assert said(check_attachment(name, size, mime_type)) == message_id


def test_files_are_judged_together_too():
    """At most ten, at most 20 MiB in all, and the first that is wrong by itself is named."""
    small = ("a.png", 1, "image/png")
    assert check_attachments([]) is None
    assert check_attachments([small] * 10) is None
    assert said(check_attachments([small] * 11)) == "ask.too_many_attachments"
    large = ("b.png", 9 * MIB, "image/png")
    assert said(check_attachments([large, large])) is None
    assert said(check_attachments([large, large, large])) == "ask.attachments_too_large"
    assert said(check_attachments([small, ("c.zip", 1, "application/zip")])) == "ask.attachment_type"


def test_models_are_checked_against_what_is_known():
    """Before the first list every name is let through, and the service decides."""
    assert check_model("gemini-x", {"gemini-x"}) is None
    assert check_model("models/gemini-x", {"gemini-x"}) is None
    assert check_model("anything", set()) is None
    assert said(check_model("other", {"gemini-x"})) == "ask.model_unknown"
    assert said(check_model(" ", set())) == "ask.model_unknown"


@pytest.mark.parametrize(
    ("value", "refused"), [(0, False), (2, False), (-0.1, True), (2.1, True), (float("nan"), True)]
)
def test_temperatures_lie_between_0_and_2(value, refused):
    """What is no number is refused as well."""
    assert (check_temperature(value) is not None) is refused


def test_a_refusal_is_a_sentence_from_which_a_name_cannot_break_out():
    """A file name is shown between backticks, clipped, without its own backticks and line ends."""
    refusal = check_attachment("a`@everyone`\n" + "x" * 200 + ".zip", 1, "application/zip")
    assert refusal is not None
    for locale in ("en-US", "zh-TW"):
        sentence = refusal.sentence(locale)
        assert sentence.count("`") == 2
        assert "\n" not in sentence
        assert len(sentence) < 200


def test_a_size_is_never_said_to_be_the_limit_that_it_exceeds():
    """One byte over ten MiB is told as more than ten."""
    refusal = check_attachment("a.png", MAX_ATTACHMENT_BYTES + 1, "image/png")
    assert refusal is not None
    assert "10.1 MiB" in refusal.sentence("en-US")
