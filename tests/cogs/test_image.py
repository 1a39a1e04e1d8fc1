"""`/image`: pictures from words, pictures changed, and keys that may not."""

from __future__ import annotations

import pytest

from tests.cogs.conftest import House
from tests.conversations.samples import FILES, png_header
from utils.storage import SettingsChange

EPHEMERAL = 1 << 6
MODELS = ("gemini-nano-banana-2.1", "gemini-3.1-flash-image")


def asked(house: House) -> list[str]:
    return [request["model"] for request in house.generated()]


async def test_a_picture_is_drawn_and_attached(house):
    """A PNG with the words as its description, under the words, with the model's name."""
    answer = await house.answer("image", options={"prompt": "a *red* boat #q-1"})
    [file] = answer["attachments"]
    assert (file["filename"], file["content_type"]) == ("picture-1.png", "image/png")
    assert file["description"] == "a *red* boat #q-1"
    assert answer["content"].startswith("> a \\*red\\* boat")
    assert f"Drawn by {MODELS[0]}" in answer["content"]
    assert asked(house) == [MODELS[0]]
    stored = house.discord._parts.hub.world.files[file["id"]]
    assert stored.content.startswith(b"\x89PNG")


async def test_an_attached_picture_is_changed(house):
    """The picture goes along before the words."""
    content = FILES["photo.jpg"][0]
    answer = await house.answer(
        "image", options={"prompt": "make it blue", "picture": "files[0]"}, files=[("a.jpg", "image/jpeg", content)]
    )
    assert answer["attachments"]
    [turn] = house.generated()[0]["turns"]
    assert turn["parts"] == [f"image/jpeg {len(content)} bytes", "text"]


@pytest.mark.parametrize(
    ("options", "files", "words"),
    [
        ({"prompt": "  "}, [], "empty"),
        ({"prompt": "x", "picture": "files[0]"}, [("a.txt", "text/plain", b"words")], "no picture"),
        ({"prompt": "x", "picture": "files[0]"}, [("a.gif", "image/gif", b"GIF89a")], "GIF"),
        ({"prompt": " ", "picture": "files[0]"}, [("a.png", "image/png", FILES["photo.png"][0])], "empty"),
    ],
)
async def test_what_cannot_be_drawn_is_refused_to_the_asker_alone(house, options, files, words):
    """At once, and the model is not asked."""
    answer = await house.answer("image", options=options, files=files)
    assert answer["flags"] & EPHEMERAL
    assert words in answer["content"]
    assert house.generated() == []


async def test_a_bomb_is_refused_once_it_is_here(house):
    """The header says how large the picture would be."""
    files = [("a.png", "image/png", png_header(20_000, 20_000))]
    answer = await house.answer("image", options={"prompt": "x", "picture": "files[0]"}, files=files)
    assert "400 million pixels" in answer["content"]
    assert house.generated() == []


async def test_another_model_draws_where_one_may_not(house):
    """A model without quota for these keys is passed over, now and the next time."""
    house.gemini.set_faults([{"kind": "limit0", "model": MODELS[0]}])
    answer = await house.answer("image", options={"prompt": "a boat"})
    assert f"Drawn by {MODELS[1]}" in answer["content"]
    before = len(house.generated())
    await house.answer("image", options={"prompt": "another boat"})
    assert asked(house)[before:] == [MODELS[1]]


async def test_keys_that_may_not_draw_say_so_before_anybody_waits(house):
    """The first to ask learns it from the service, the next at once and alone, with the time to try again."""
    house.gemini.set_faults([{"kind": "limit0", "model": model} for model in MODELS])
    first = await house.answer("image", options={"prompt": "a boat"})
    assert first["attachments"] == []
    before = len(house.generated())
    second = await house.answer("image", options={"prompt": "a boat"})
    assert second["flags"] & EPHEMERAL
    assert "may not draw" in second["content"]
    assert "<t:" in second["content"]
    assert len(house.generated()) == before


async def test_a_picture_that_is_not_allowed_is_one_sentence(house):
    """A safety rule is named, and another model is not tried."""
    house.gemini.set_faults([{"kind": "promptblock"}])
    answer = await house.answer("image", options={"prompt": "x"})
    assert "safety" in answer["content"]
    assert asked(house) == [MODELS[0]]


async def test_before_the_models_are_known_it_is_said(house):
    """A bot that has not heard yet which models there are does not guess."""
    house.pool._catalogue.hear(())
    answer = await house.answer("image", options={"prompt": "x"})
    assert answer["flags"] & EPHEMERAL
    assert "not known yet" in answer["content"]
    assert house.generated() == []


async def test_the_servers_safety_settings_apply(house):
    """What a server chose holds for pictures and works of art too."""
    await house.preferences.change(int(house.discord.guild_id), SettingsChange(safety="high"))
    await house.answer("image", options={"prompt": "a boat"})
    await house.answer("ai-art", options={"theme": "a boat"})
    for request in house.generated():
        assert set(request["safety"].values()) == {"BLOCK_LOW_AND_ABOVE"}
