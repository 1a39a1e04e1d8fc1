"""Nobody but this machine's own page and tools gets at the control interface, and every refusal is a sentence."""

from __future__ import annotations

import asyncio

import pytest

from sandbox.server import RunningSandbox

HOSTILE_HOSTS = [
    "evil.test",
    "evil.test:{port}",
    "127.0.0.1",
    "127.0.0.1:1",
    "localhost.evil.test:{port}",
    "127.0.0.1.evil.test:{port}",
    "0.0.0.0:{port}",
    "127.0.0.1:{port}@evil.test",
    "",
]
HOSTILE_ORIGINS = [
    "http://evil.test",
    "https://127.0.0.1:{port}",
    "http://127.0.0.1:1",
    "null",
    "http://localhost.evil.test:{port}",
]


def port_of(box: RunningSandbox) -> str:
    return box.page_url.rstrip("/").rsplit(":", 1)[1]


@pytest.mark.parametrize("host", HOSTILE_HOSTS)
async def test_a_foreign_host_is_refused(box, client, host) -> None:
    """A name that was rebound to this machine gets nothing, not even the page."""
    for path in ("/", "/_sandbox/state", "/_sandbox/events", "/js/main.js"):
        async with client.get(path, headers={"Host": host.format(port=port_of(box))}) as answer:
            assert answer.status in (400, 403)
            assert "run_id" not in await answer.text()


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}", "LOCALHOST:{port}"])
async def test_loopback_by_any_of_its_names_is_let_in(box, client, host) -> None:
    """The three spellings of this machine are the ones a browser here can use."""
    async with client.get("/_sandbox/addresses", headers={"Host": host.format(port=port_of(box))}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("origin", HOSTILE_ORIGINS)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_foreign_origin_is_refused(box, client, origin, method) -> None:
    """A page from elsewhere is refused for reads and writes, and never told that it may share."""
    headers = {"Origin": origin.format(port=port_of(box))}
    async with client.request(method, "/_sandbox/reset", json={}, headers=headers) as answer:
        assert answer.status == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert (await answer.json())["error"].endswith(".")


async def test_a_cross_site_read_without_an_origin_is_refused_but_a_link_is_followed(client) -> None:
    """A picture or script tag of a foreign page gets nothing; a link to the page works."""
    foreign = {"Sec-Fetch-Site": "cross-site"}
    async with client.get("/_sandbox/state", headers={**foreign, "Sec-Fetch-Mode": "no-cors"}) as answer:
        assert answer.status == 403
    async with client.get("/", headers={**foreign, "Sec-Fetch-Mode": "navigate"}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
async def test_a_write_that_a_foreign_form_could_send_is_refused(client, content_type) -> None:
    """What a browser sends across sites without asking first is not taken as a write."""
    async with client.post("/_sandbox/reset", data=b"{}", headers={"Content-Type": content_type}) as answer:
        assert answer.status == 415
        assert "application/json" in (await answer.json())["error"]


async def test_every_answer_forbids_what_the_page_does_not_need(client) -> None:
    """Scripts and styles only from here, no frames, no sniffing, nothing cached, on pages and refusals alike."""
    for path in ("/", "/_sandbox/state", "/nothing"):
        async with client.get(path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "script-src 'self';" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/../server.py", 404),
        ("GET", "/%2e%2e/server.py", 404),
        ("GET", "/js/../../control.py", 404),
        ("GET", "/_sandbox/nothing", 404),
        ("DELETE", "/_sandbox/state", 405),
    ],
)
async def test_what_is_not_there_is_a_sentence(client, method, path, status) -> None:
    """Unknown paths, paths that lead out of the page's folder and wrong methods answer JSON with one sentence."""
    async with client.request(method, path, json={}) as answer:
        assert answer.status == status
        assert (await answer.json())["error"].endswith(".")


async def test_every_file_of_the_page_is_served_with_its_type(client) -> None:
    """The page, a style and a script arrive as what they are."""
    for path, kind in (("/", "text/html"), ("/css/tokens.css", "text/css"), ("/js/main.js", "text/javascript")):
        async with client.get(path) as answer:
            assert (answer.status, answer.content_type) == (200, kind)


async def test_garbage_on_the_wire_does_not_stop_the_sandbox(box, client) -> None:
    """Bytes that are no HTTP are refused and the next request is answered."""
    _, writer = await asyncio.open_connection("127.0.0.1", int(port_of(box)))
    writer.write(b"\x00\xff garbage\r\n\r\n")
    await writer.drain()
    writer.close()
    async with client.get("/_sandbox/addresses") as answer:
        assert answer.status == 200
