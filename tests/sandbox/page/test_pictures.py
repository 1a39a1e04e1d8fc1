"""Pictures in the conversation: shown in place with their words, without pushing the end away from who reads there."""

from __future__ import annotations

import struct
import zlib

import pytest
from playwright.async_api import Page, expect

from sandbox.server import RunningSandbox

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]


def png(width: int, height: int) -> bytes:
    """Make a grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\x00" + b"\x80" * width for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("width", [1280, 390])
async def test_pictures_are_shown_in_place_and_the_end_stays_in_sight(page: Page, box: RunningSandbox, width) -> None:
    """Two tall pictures in one message: both are loaded, within the column, and the page is still at its end."""
    assert box.discord is not None
    await page.set_viewport_size({"width": width, "height": 700})
    general = next(c["id"] for c in box.discord.state()["channels"] if c["name"] == "general")
    files = [(f"chart-{number}.png", "image/png", png(960, 900)) for number in (1, 2)]
    text = f"two pictures, {width} wide"
    box.discord.say(general, content=text, user="Mina", files=files)
    shown = page.locator(".message", has_text=text).last
    pictures = shown.locator(".attachment img")
    await expect(pictures).to_have_count(2)
    await expect(pictures.nth(0)).to_have_attribute("alt", "chart-1.png")
    await page.wait_for_function(
        "(text) => [...document.querySelectorAll('.message')].filter(m => m.textContent.includes(text))"
        ".every(m => [...m.querySelectorAll('img')].every(i => i.complete && i.naturalWidth === 960))",
        arg=text,
    )
    await page.wait_for_function(
        "() => { const s = document.getElementById('message-scroll');"
        " return s.scrollHeight - s.scrollTop - s.clientHeight < 2 }"
    )
    box_of = await pictures.nth(1).bounding_box()
    assert box_of is not None
    assert box_of["x"] + box_of["width"] <= width
    assert box_of["height"] <= 320


async def test_who_scrolled_up_is_left_where_they_read(page: Page, box: RunningSandbox) -> None:
    """A picture that arrives below does not pull the reader down."""
    assert box.discord is not None
    general = next(c["id"] for c in box.discord.state()["channels"] if c["name"] == "general")
    for number in range(30):
        box.discord.say(general, content=f"line {number}", user="Mina")
    await expect(page.locator(".message", has_text="line 29").last).to_be_visible()
    await page.evaluate("document.getElementById('message-scroll').scrollTop = 0")
    box.discord.say(general, content="a late picture", user="Mina", files=[("late.png", "image/png", png(960, 900))])
    await expect(page.locator("#jump")).to_be_visible()
    assert await page.evaluate("document.getElementById('message-scroll').scrollTop") < 100
