"""Message text becomes elements, never markup: Discord's flavour of Markdown, and hostile text."""

from __future__ import annotations

import pytest
from playwright.async_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

_RENDER = """async (text) => {
  const { markup } = await import('/js/markup.js');
  const names = { user: (id) => ({ '1': 'Ada' })[id] ?? null, role: () => null, channel: () => 'general' };
  const box = document.createElement('div');
  box.append(...markup(text, names));
  box.querySelectorAll('.bar-line').forEach((bar) => bar.remove());
  return box.innerHTML.replace(/ (class|target|rel|tabindex|type|title|datetime|aria-[a-z]+|data-[a-z]+)="[^"]*"/g, '');
}"""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "<p>plain</p>"),
        ("one\ntwo", "<p>one\ntwo</p>"),
        (
            "**bold** *it* _it_ __under__ ~~no~~",
            "<p><strong>bold</strong> <em>it</em> <em>it</em> <u>under</u> <s>no</s></p>",
        ),
        ("***both***", "<p><strong><em>both</em></strong></p>"),
        ("**a *b* c**", "<p><strong>a <em>b</em> c</strong></p>"),
        ("snake_case_name and 2 * 3 * 4", "<p>snake_case_name and 2 * 3 * 4</p>"),
        ("`a*b*` ``x`y``", "<p><code>a*b*</code> <code>x`y</code></p>"),
        (r"\*not\*", "<p>*not*</p>"),
        ("# One\n## Two\n### Three\n#### Four", "<h3>One</h3><h4>Two</h4><h5>Three</h5><p>#### Four</p>"),
        ("-# small", "<small>small</small>"),
        ("- a\n- b\n  - c", "<ul><li><p>a</p></li><li><p>b</p><ul><li><p>c</p></li></ul></li></ul>"),
        ("3. a\n4. b", '<ol start="3"><li><p>a</p></li><li><p>b</p></li></ol>'),
        ("> a\n> b\nc", "<blockquote><p>a\nb</p></blockquote><p>c</p>"),
        (">>> a\nb", "<blockquote><p>a\nb</p></blockquote>"),
        ("```py\nx = '*'\n```", "<div><pre><code>x = '*'</code></pre></div>"),
        ("before ```a``` after", "<p>before </p><div><pre><code>a</code></pre></div><p> after</p>"),
        ("```\nnever closed", "<p>```\nnever closed</p>"),
        ("||hidden||", "<p><button><span>hidden</span></button></p>"),
        ("<@1> <@!1> <@2> <#5>", "<p><span>@Ada</span> <span>@Ada</span> <span>@2</span> <span>#general</span></p>"),
        ("@everyone <:wave:123>", "<p><span>@everyone</span> <span>:wave:</span></p>"),
        ("[a](https://x.test/b)", '<p><a href="https://x.test/b">a</a></p>'),
        ("see https://x.test/a, or", '<p>see <a href="https://x.test/a">https://x.test/a</a>, or</p>'),
        ("<https://x.test>", '<p><a href="https://x.test">https://x.test</a></p>'),
        ("[a](javascript:alert(1))", "<p>[a](javascript:alert(1))</p>"),
        ("<img src=x onerror=alert(1)>", "<p>&lt;img src=x onerror=alert(1)&gt;</p>"),
        ('[x](https://x.test/"onmouseover="a)', '<p><a href="https://x.test/&quot;onmouseover=&quot;a">x</a></p>'),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("中文**粗體**文字", "<p>中文<strong>粗體</strong>文字</p>"),
    ],
)
async def test_text_is_shown_as_discord_does(modules: Page, text, shown) -> None:
    """Each form gives exactly these elements."""
    assert await modules.evaluate(_RENDER, text) == shown


async def test_one_line_of_a_message_has_its_words_and_no_marks(modules: Page) -> None:
    """The reply line of a long message holds its text alone, code and lists included."""
    script = "async (text) => (await import('/js/markup.js')).plain(text, { user: () => 'Ada' })"
    text = "**Hello** <@1>\n- one\n```py\ncode\n```\nend"
    assert await modules.evaluate(script, text) == "Hello @Ada one code end"


async def test_relative_times_are_words(modules: Page) -> None:
    """A timestamp in the style R says how long ago in words, with the moment as a title."""
    ago = await modules.evaluate("async () => (await import('/js/time.js')).stamp(1000, 'R', 1300)")
    assert ago == "5 minutes ago"


@pytest.mark.parametrize(
    "text", ["*" * 4000, "_a" * 2000, "[" * 4000, "||" * 2000, "> " * 2000, "`" * 3999, "**a" * 1300, "<t:1" * 1000]
)
async def test_hostile_text_does_not_hold_up_the_page(modules: Page, text) -> None:
    """Text made to be slow is shown within half a second."""
    took = await modules.evaluate(
        "async (text) => { const { parse } = await import('/js/markdown.js');"
        " const at = performance.now(); parse(text); return performance.now() - at; }",
        text,
    )
    assert took < 500


async def test_hostile_names_and_files_are_text(page: Page, box) -> None:
    """A message and a file name made of markup are shown as they are, and no script of theirs runs."""
    from sandbox.discord import Upload  # noqa: PLC0415 - used here alone

    channel = next(one for one in box.discord.state()["channels"] if one.get("name") == "media")
    hostile = '<img src=x onerror="window.hacked=1">'
    box.discord.say(
        channel["id"], content=hostile, user="Ada", files=[Upload('"><svg onload=alert(1)>.txt', "text/plain", b"x")]
    )
    await page.locator(".channel", has_text="media").click()
    await page.locator(".message", has_text="<img src=x").wait_for()
    assert await page.evaluate("() => window.hacked") is None
    assert await page.locator(".message img, .message svg[onload]").count() == 0
