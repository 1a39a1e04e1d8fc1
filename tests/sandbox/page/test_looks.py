"""How the page looks and behaves around the conversation: widths, themes, languages, keys, a lost connection."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page, Route, expect

from sandbox.control import read_page
from sandbox.gemini import GeminiEmulator
from sandbox.server import RunningSandbox, ServerOptions, running
from tests.sandbox.page.contrast import CONTRAST

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

_EVENTS = "**/_sandbox/events"
_NO_OVERFLOW = "() => document.documentElement.scrollWidth <= innerWidth"


async def width(page: Page, selector: str) -> float:
    box = await page.locator(selector).bounding_box()
    assert box is not None
    return box["width"]


async def choose(page: Page, name: str) -> None:
    await page.locator("#who button").click()
    await page.get_by_role("menuitemradio", name=name).click()


async def test_three_columns_at_desktop_width(page: Page) -> None:
    """At 1280 pixels channels, conversation and keys stand side by side in the widths of the design."""
    widths = [await width(page, name) for name in ("#channels", "main", "#keys")]
    assert widths == [240, 720, 320]
    await expect(page.locator("#bottom")).to_be_hidden()
    assert await page.evaluate(_NO_OVERFLOW)


async def test_the_keys_can_be_hidden(page: Page) -> None:
    """The switch in the head hides the keys and gives their room to the conversation."""
    await page.get_by_role("button", name="Show or hide the keys").click()
    await expect(page.locator("#keys")).to_be_hidden()
    assert await width(page, "main") == 1040


async def test_one_column_with_a_bottom_bar_on_a_phone(phone: Page) -> None:
    """At 390 pixels one column is shown at a time, chosen in the bottom bar; nothing is wider than the screen."""
    await expect(phone.locator("main")).to_be_visible()
    for name, shown in (("Channels", "#channels"), ("Keys", "#keys"), ("Chat", "main")):
        await phone.locator("#bottom").get_by_role("button", name=name, exact=True).click()
        await expect(phone.locator(shown)).to_be_visible()
        assert await phone.evaluate(_NO_OVERFLOW)
        assert await width(phone, shown) == 390


async def test_choosing_a_channel_on_a_phone_shows_it(phone: Page) -> None:
    """A tap on a channel leads to its conversation."""
    await phone.locator("#bottom").get_by_role("button", name="Channels").click()
    await phone.locator(".channel", has_text="questions").click()
    await expect(phone.locator("#channel-title")).to_have_text("#questions")
    await expect(phone.locator("main")).to_be_visible()


async def test_light_and_dark_follow_the_system_and_the_switch_is_remembered(page: Page) -> None:
    """The page is light where the system is, dark after the switch, and still dark after a reload."""
    ground = "() => getComputedStyle(document.documentElement).backgroundColor"
    assert await page.evaluate(ground) == "rgb(255, 255, 255)"
    await page.get_by_role("button", name="Switch between light and dark").click()
    assert await page.evaluate(ground) == "rgb(21, 23, 29)"
    await page.reload()
    await page.locator("#composer-text").wait_for()
    assert await page.evaluate(ground) == "rgb(21, 23, 29)"


async def test_a_dark_system_gets_a_dark_page(phone: Page) -> None:
    """Without a choice the system's preference holds."""
    assert await phone.evaluate("() => getComputedStyle(document.documentElement).backgroundColor") == "rgb(21, 23, 29)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_all_text_has_enough_contrast(page: Page, gemini: GeminiEmulator, scheme) -> None:
    """Every visible text stands out from its ground by 4.5 to 1 or more, with every state of a key on show."""
    states = ["invalid", "slow", "503", "429", "hang", "leaked"]
    gemini.set_faults(
        [{"keys": [key["label"]], "kind": kind} for key, kind in zip(gemini.state(), states, strict=False)]
    )
    await page.emulate_media(color_scheme=scheme)
    await page.locator("#composer-text").fill(
        "**bold** `code` <@1> ~~old~~ [link](https://example.com) <t:0:R>\n> quote"
    )
    await page.keyboard.press("Enter")
    await expect(page.locator(".key .state.dead").first).to_be_visible()
    await page.locator("#composer-text").fill("/")
    await expect(page.get_by_role("option", name="/ask")).to_be_visible()
    assert await page.evaluate(CONTRAST) == []


async def test_words_and_commands_follow_the_users_language(page: Page) -> None:
    """As 小美 the page speaks Traditional Chinese, and commands are offered and found by their Chinese names."""
    await choose(page, "小美")
    await expect(page.locator("html")).to_have_attribute("lang", "zh-TW")
    await expect(page.locator(".channel-group h3").first).to_have_text("頻道")
    await page.locator("#composer-text").fill("/提")
    await page.keyboard.press("Tab")
    await expect(page.locator(".command-name")).to_have_text("/提問")
    await expect(page.locator(".chip .label").first).to_have_text("問題")
    await page.keyboard.type("長頸鹿有多高")
    await page.keyboard.press("Enter")
    await expect(page.locator(".message", has_text="You asked: 長頸鹿有多高").last).to_be_visible()


async def test_every_sentence_of_the_page_is_there_in_both_languages(modules: Page) -> None:
    """The tables of both languages have the same names, with the same placeholders, and none is empty."""
    tables = await modules.evaluate("async () => (await import('/js/strings.js')).tables")
    english, chinese = tables["en"], tables["zh-TW"]
    assert english.keys() == chinese.keys()
    for name, text in english.items():
        assert chinese[name]
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", chinese[name])), name


async def test_every_sentence_is_used_and_every_used_one_is_there(modules: Page) -> None:
    """No table holds a dead sentence, and no script asks for one that is missing."""
    tables = await modules.evaluate("async () => (await import('/js/strings.js')).tables")
    files = await asyncio.to_thread(read_page)
    sources = "".join(file.content.decode() for name, file in files.items() if name != "js/strings.js")
    asked = set(re.findall(r'\bt\(\s*"(\w+)"', sources))
    assert asked <= tables["en"].keys()
    named = set(re.findall(r'"(\w+)"', sources)) | {f"{word}s" for word in ("request", "error")}
    assert {name for name in tables["en"] if not name.startswith("keyState_")} <= named


async def test_a_click_makes_a_key_dead_and_heals_it(page: Page, gemini: GeminiEmulator) -> None:
    """The menu of a key changes what the emulated Gemini does with it, and its row says so in a word and a shape."""
    row = page.get_by_role("group", name="south-1")
    await row.get_by_role("button").click()
    await page.get_by_role("menuitem", name="Kill").click()
    await expect(row.locator(".state")).to_have_text("dead")
    await expect(row.locator(".state svg path")).to_have_count(1)
    assert gemini.faults() == [{"keys": ["south-1"], "kind": "invalid"}]
    await row.get_by_role("button").click()
    await page.get_by_role("menuitem", name="Heal").click()
    await expect(row.locator(".state")).to_have_text("live")
    assert gemini.faults() == []


async def test_a_new_key_can_be_made_and_copied(page: Page, gemini: GeminiEmulator) -> None:
    """The secret stands selected in a field; the emulated Gemini knows it, the bot was not told of it."""
    before = gemini.key_specs()
    await page.get_by_role("button", name="Make a key that the bot does not have").click()
    field = page.get_by_label("A new key for /keys add")
    await expect(field).to_have_value(re.compile(".{31,}"))
    length = len(await field.input_value())
    selected = "([input, length]) => input.selectionEnd - input.selectionStart === length"
    await page.wait_for_function(selected, arg=[await field.element_handle(), length])
    await expect(page.get_by_role("group", name="spare-1")).to_be_visible()
    # whatever else happens meanwhile
    gemini.set_faults([{"keys": ["north-1"], "kind": "invalid"}])
    await expect(page.get_by_role("group", name="north-1").locator(".state")).to_have_text("dead")
    assert await page.evaluate(selected, [await field.element_handle(), length])
    assert gemini.key_specs() == before


async def test_requests_are_counted_and_drawn(page: Page, box: RunningSandbox, gemini: GeminiEmulator) -> None:
    """A request shows in the key's counts, in its last minute, in its project's quota and in the line on top."""
    key = gemini.key_specs()[0]
    secret = key.rsplit(":", 1)[1]
    body = {"contents": [{"parts": [{"text": "hello"}]}]}
    await page.request.post(
        f"{box.gemini_url}/v1beta/models/gemini-4-hydrogen:generateContent",
        headers={"x-goog-api-key": secret},
        data=body,
    )
    row = page.get_by_role("group", name="north-1")
    await expect(row.locator(".counts")).to_contain_text("1 request")
    await expect(row.locator(".spark .ok")).to_have_count(1)
    await expect(page.locator(".keys .last")).to_contain_text("north-1 (north)")
    await expect(page.get_by_role("meter").first).to_have_attribute("aria-valuenow", "1")


@pytest.mark.parametrize("by_hand", [True, False], ids=["try now", "by itself"])
async def test_a_lost_connection_says_so_and_comes_back(browser, by_hand) -> None:
    """When the sandbox goes the page says so; when it is back the sentence goes, at once where somebody asks."""
    async with running(ServerOptions(port=0)) as first:
        port = int(first.page_url.rstrip("/").rsplit(":", 1)[1])
        page = await browser.new_page()
        await page.clock.install()
        await page.goto(first.page_url)
        await page.locator("#composer-text").wait_for()
    await expect(page.locator("#banner")).to_contain_text("The connection to the sandbox is lost.")
    if by_hand:  # an attempt of the page's own that is under way fails, and the next never comes
        await page.route(_EVENTS, lambda route: route.abort())
        await page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))
        await asyncio.sleep(0.5)
    async with running(ServerOptions(port=port)):
        if by_hand:
            await page.unroute(_EVENTS)
            await page.get_by_role("button", name="Try now").click()
        await expect(page.locator("#banner")).to_be_hidden()
        await page.close()


async def test_a_slow_answer_shows_that_something_runs(page: Page) -> None:
    """While sending takes long enough to be noticed the composer says that it is busy, and not afterwards."""
    held = asyncio.Event()

    async def hold(route: Route) -> None:
        await held.wait()
        await route.continue_()

    await page.route("**/messages", hold)
    await page.locator("#composer-text").fill("a slow one")
    await page.keyboard.press("Enter")
    await expect(page.locator("#composer")).to_have_attribute("aria-busy", "true")
    held.set()
    await expect(page.locator(".message", has_text="a slow one")).to_be_visible()
    await expect(page.locator("#composer")).not_to_have_attribute("aria-busy", "true")


async def test_an_empty_channel_and_an_absent_bot_say_what_to_do(browser) -> None:
    """Without messages and without a bot the page says how to go on."""
    async with running(ServerOptions(port=0)) as alone:
        page = await browser.new_page()
        await page.goto(alone.page_url)
        await expect(page.locator(".empty")).to_contain_text("The bot is not connected.")
        await page.locator("#composer-text").fill("/")
        await expect(page.locator(".picker .empty")).to_have_text("The bot has registered no commands yet.")
        await page.close()


@pytest.mark.parametrize(("parts", "sentence"), [("gemini", "without its Discord"), ("discord", "without its Gemini")])
async def test_half_a_sandbox_explains_itself(browser, parts, sentence) -> None:
    """With one emulator only, the other one's column says so."""
    async with running(ServerOptions(port=0, parts=parts)) as half:
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        await page.goto(half.page_url)
        await expect(page.locator("#app")).to_contain_text(sentence)
        await page.close()


async def test_motion_stops_where_it_is_not_wanted(page: Page) -> None:
    """With reduced motion nothing is animated."""
    await page.emulate_media(reduced_motion="reduce")
    await page.locator("#composer-text").fill("/wait")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(page.locator(".thinking").last).to_be_visible()
    assert await page.evaluate("() => document.getAnimations().length") == 0
