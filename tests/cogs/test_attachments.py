"""Everything a person can attach, from Discord's file server to the model, and what is refused on the way."""

from __future__ import annotations

from typing import Any

import pytest

from cogs.incoming import AttachmentUnreadError, Intake
from tests.cogs.conftest import House, until
from tests.cogs.talk import open_thread, settled
from tests.conversations.samples import FILES, OPUS, png_header, sound
from utils.conversations.limits import MAX_ATTACHMENT_BYTES

VIDEO = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"


def parts(house: House, request: int = -1) -> list[str]:
    """Give what the model was shown beside texts, in order."""
    shown = [part for turn in house.generated()[request]["turns"] for part in turn["parts"]]
    return [part for part in shown if part != "text"]


@pytest.mark.parametrize(
    ("name", "declared", "kind"),
    [
        ("photo.jpg", "image/jpeg", "image/jpeg"),
        ("photo.jpg", "image/png", "image/jpeg"),
        ("tagged.mp3", "audio/mpeg", "audio/mp3"),
        ("film.mov", "video/quicktime", "video/mov"),
        ("memo.m4a", "audio/mp4", "audio/mp4"),
        ("paper.pdf", "application/pdf", "application/pdf"),
        ("code.ts", "video/mp2t", "text/plain"),
        ("Makefile", "application/octet-stream", "text/plain"),
    ],
)
async def test_a_file_reaches_the_model_as_what_it_is(house, name, declared, kind):
    """Whatever it was declared as, its bytes say under which type it goes."""
    content = FILES[name][0]
    await house.reply(house.channel("Mina"), "what is in it? #q-1", files=[(name, declared, content)])
    assert parts(house) == [f"{kind} {len(content)} bytes"]


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (("a.png", "image/png", FILES["a.exe"][0]), "cannot read"),
        (("a.png", "image/png", b"just words"), "no picture, sound or video"),
        (("a.png", "image/png", png_header(30_000, 30_000)), "900 million pixels"),
        (("a.jpg", "image/jpeg", FILES["photo.gif"][0]), "GIF"),
        (("a.txt", "text/plain", FILES["a.zip"][0]), "cannot read"),
        (("a.png", "image/png", b""), "is empty"),
        (("a.txt", "text/plain", b"x" * (MAX_ATTACHMENT_BYTES - 1) + b"\0"), "cannot read"),
    ],
)
async def test_what_cannot_be_taken_is_refused_in_one_kind_sentence(house, file, words):
    """Lying types, bombs, empty files: the sentence says what to do, once, and the model is not asked."""
    answer = await house.reply(house.channel("Mina"), "look", files=[file])
    assert words in answer["content"]
    assert file[0] in answer["content"]
    await settled(house)
    assert ["#q-marker" in str(request["turns"]) for request in house.generated()] == [True]
    assert len(house.said(house.channel("Mina"))) == 1


async def test_a_command_refuses_a_file_in_its_own_answer(house):
    """The deferred answer becomes the sentence."""
    answer = await house.answer(
        "ask", options={"prompt": "x", "file": "files[0]"}, files=[("a.png", "image/png", b"just words")]
    )
    assert "no picture" in answer["content"]
    assert house.generated() == []


async def test_too_many_files_are_refused_before_one_is_fetched(house):
    """Discord takes ten files a message; together they may be too large."""
    large = b"x" * (3 * 1024 * 1024)
    files = [(f"{number}.txt", "text/plain", large) for number in range(7)]
    answer = await house.reply(house.channel("Mina"), "all of them", files=files)
    assert "21 MiB" in answer["content"]
    assert house.generated() == []


async def test_several_files_keep_their_order(house):
    """Fetched at once, shown in the order in which they were attached."""
    names = ["photo.png", "paper.pdf", "sound.wav", "notes.txt", "photo.webp"]
    await house.reply(house.channel("Mina"), "all", files=[(name, "", FILES[name][0]) for name in names])
    assert [part.split()[0] for part in parts(house)] == [FILES[name][1] for name in names]


async def test_a_file_that_is_gone_is_told_of(house):
    """A file server that no longer has it is no reason for silence."""
    message = house.discord.say(house.channel("general"), content="x", user="Ada", files=[("a.txt", "", b"words")])
    house.discord._parts.hub.world.files.clear()
    answer = await house.answer("Ask Gemini", target=message["id"])
    assert "could not be fetched" in answer["content"]
    assert house.generated() == []


async def test_files_from_elsewhere_are_never_fetched(house):
    """An address outside Discord's file servers is not asked, whatever the message says."""

    class Elsewhere:
        filename, url, content_type = "a.png", "https://evil.example/a.png", "image/png"

    elsewhere: Any = Elsewhere()
    with pytest.raises(AttachmentUnreadError):
        await Intake().attachments([elsewhere])


async def test_files_stay_in_the_context_over_a_restart(house):
    """The next question, after a stop and a start, still shows the picture and the linked video."""
    thread = await open_thread(house)
    picture = FILES["photo.png"][0]
    await house.reply(thread, f"this and {VIDEO} #q-1", files=[("a.png", "image/png", picture)])
    seen = parts(house)
    assert seen == [f"linked file {VIDEO}", f"image/png {len(picture)} bytes"]
    await house.stop()
    await house.start()
    await house.reply(thread, "and what else? #q-2")
    assert parts(house) == seen


async def test_a_voice_message_is_heard_and_written_down(house):
    """The answer in a chat begins with the words of the voice message; the next question knows them."""
    thread = await open_thread(house)
    house.discord.say(thread, content="", user="Mina", files=[("x.ogg", "audio/ogg", OPUS)], voice=True)
    await until(lambda: len(house.said(thread)) == 2 and not house.bot.running.count)
    assert house.said(thread)[1]["content"].startswith("> 🎤 these are the words")
    assert parts(house) == [f"audio/ogg {len(OPUS)} bytes"]
    await house.reply(thread, "and now in writing #q-2")
    turns = house.generated()[-1]["turns"]
    assert turns[1]["text"].startswith("> 🎤 these are the words")
    assert "a voice message" not in turns[2]["text"]


async def test_a_sound_that_is_no_voice_message_is_only_asked_about(house):
    """An attached sound file is material; nobody asked for its words."""
    await house.reply(house.channel("Mina"), "what is it? #q-1", files=[("a.wav", "audio/wav", sound())])
    assert "a voice message" not in str(house.generated()[-1]["turns"])


async def test_a_linked_video_is_watched(house):
    """The model gets the video itself, once, and not only the words of its address."""
    await house.answer("ask", options={"prompt": f"sum up {VIDEO} and https://youtu.be/dQw4w9WgXcQ #q-1"})
    assert parts(house) == [f"linked file {VIDEO}"]
