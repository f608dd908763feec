"""Files of the user's in Chromium: attached, seen, taken away, refused in words, kept through a reload."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, FilePayload, Page, Route, expect

from bridge.channels import UserMessage
from bridge.content import Image, Text
from tests.browser import media
from tests.browser.conftest import DESK, PHONE, Complaints, opened
from tests.web.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
CHAT = "chat-0001"


def at(site: Site) -> str:
    return f"{site.url}#{CHAT}"


def photo(name: str = "photo.png", hue: float = 0.0) -> FilePayload:
    return {"name": name, "mimeType": "image/png", "buffer": media.png(hue=hue)}


def note(name: str = "notes.txt", size: int = 12) -> FilePayload:
    return {"name": name, "mimeType": "text/plain", "buffer": b"x" * size}


async def attach(page: Page, *files: FilePayload) -> None:
    """By the button, as a person does."""
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Attach files").click()
    await (await chooser.value).set_files(list(files))


async def attached(page: Page, *names: str) -> None:
    """The tray holds these, and they are there."""
    await expect(page.locator(".chip-name")).to_have_text(list(names))
    await expect(page.locator(".chip progress")).to_have_count(0)


async def sent(page: Page) -> None:
    await expect(page.locator(".user .meta").last).to_contain_text("Sent")


async def heard(site: Site) -> list[UserMessage]:
    return [one for one in await site.heard() if isinstance(one, UserMessage)]


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_files_are_attached_by_the_button_and_stand_in_the_users_own_message(
    browser: Browser,
    site: Site,
    complaints: Complaints,
    tmp_path: Path,
    size: dict[str, int],
    dark: bool,
) -> None:
    await site.agent(CHAT, Text("Hello! Please send me a photo of it, and the receipt."))
    page = await opened(browser, at(site), complaints, size=size, dark=dark)
    await attach(page, photo(), note("a very long name of a receipt from last year.txt", 1_400))
    await attached(page, "photo.png", "a very long name of a receipt from last year.txt")
    await page.screenshot(path=tmp_path / "tray.png")
    await page.fill("#words", "This is what it looks like.")
    await page.get_by_role("button", name="Send message").click()
    await sent(page)
    await expect(page.locator(".chip")).to_have_count(0)
    own = page.locator(".item.user")
    await expect(own).to_have_count(1)
    await expect(own.get_by_role("link", name="a very long name")).to_contain_text("1.4 kB")
    await expect(own.locator(".bubble")).to_have_text("This is what it looks like.")
    await page.wait_for_function("() => document.querySelector('.user .picture img').naturalWidth === 640")
    (message,) = await heard(site)
    assert (message.text, [one.filename for one in message.attachments]) == (
        "This is what it looks like.",
        ["photo.png", "a very long name of a receipt from last year.txt"],
    )
    await site.agent(CHAT, Image(message.attachments[0].url, "What you sent"), Text("Thank you!"))
    await page.wait_for_function("() => document.querySelector('.agent .picture img')?.naturalWidth === 640")
    await page.screenshot(path=tmp_path / "sent.png")
    await own.get_by_role("button", name="Open photo.png").click()
    await expect(page.get_by_role("dialog", name="photo.png").locator("img")).to_be_visible()
    await page.keyboard.press("Escape")
    before = await page.locator(".item").all_text_contents()
    await page.reload()
    await expect(page.locator(".item")).to_have_text(before)
    assert complaints == []


async def test_the_keyboard_is_enough_for_files_and_files_are_enough_for_a_message(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    page = await opened(browser, at(site), complaints)
    page.on("filechooser", lambda _: None)  # a key is pressed sooner than the browser has learned to tell
    await expect(page.get_by_role("button", name="Attach files")).to_be_visible()
    await page.locator("#words").focus()
    await page.keyboard.press("Shift+Tab")
    await expect(page.get_by_role("button", name="Attach files")).to_be_focused()
    async with page.expect_file_chooser() as chooser:
        await page.keyboard.press("Enter")
    await (await chooser.value).set_files([photo("a.png"), photo("b.png", 1.5), photo("c.png", 2.5)])
    await attached(page, "a.png", "b.png", "c.png")
    await expect(page.locator("#told")).to_have_text(
        re.compile("[abc].png is attached.")
    )  # the last to arrive
    await page.get_by_role("button", name="Remove b.png").focus()
    await page.keyboard.press("Enter")
    await attached(page, "a.png", "c.png")
    await expect(page.get_by_role("button", name="Attach files")).to_be_focused()
    await page.locator("#words").press("Enter")
    await sent(page)
    await expect(page.locator(".user .album .picture")).to_have_count(2)
    await expect(page.locator(".user .bubble")).to_have_count(0)
    (message,) = await heard(site)
    assert (message.text, [one.filename for one in message.attachments]) == ("", ["a.png", "c.png"])
    assert complaints == []


DROP = """([name, type, kind]) => {
  const data = new DataTransfer();
  data.items.add(new File(["dropped"], name, { type }));
  const target = kind === "paste" ? document.getElementById("words") : document.body;
  const made = kind === "paste"
    ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })
    : new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true });
  return !target.dispatchEvent(made);
}"""


async def test_files_are_dropped_and_pasted(browser: Browser, site: Site, complaints: Complaints) -> None:
    page = await opened(browser, at(site), complaints)
    assert await page.evaluate(DROP, ["dropped.txt", "text/plain", "dragover"])
    await expect(page.locator("#drop")).to_be_visible()
    assert await page.evaluate(DROP, ["dropped.txt", "text/plain", "drop"])
    await expect(page.locator("#drop")).to_be_hidden()
    assert await page.evaluate(DROP, ["pasted.txt", "text/plain", "paste"])
    await attached(page, "dropped.txt", "pasted.txt")
    assert complaints == []


async def test_a_message_waits_for_its_files_and_goes_by_itself(
    browser: Browser, site: Site, complaints: Complaints, tmp_path: Path
) -> None:
    page = await opened(browser, at(site), complaints, size=PHONE)
    gate = asyncio.Event()

    async def hold(route: Route) -> None:
        await gate.wait()
        await route.continue_()

    await page.route("**/files?*", hold)
    await attach(page, photo())
    await expect(page.get_by_role("progressbar", name="Attaching photo.png")).to_be_visible()
    await page.fill("#words", "and these words")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Will be sent when the files are there")).to_be_visible()
    await expect(page.locator("#words")).to_have_value("and these words")
    await page.screenshot(path=tmp_path / "waits.png")
    assert await heard(site) == []
    gate.set()
    await sent(page)
    await expect(page.locator("#words")).to_have_value("")
    (message,) = await heard(site)
    assert (message.text, len(message.attachments)) == ("and these words", 1)


async def test_what_cannot_be_attached_says_why(
    browser: Browser, site: Site, complaints: Complaints, tmp_path: Path
) -> None:
    await site.restart({"file_bytes": 50_000})
    page = await opened(browser, at(site), complaints)
    await attach(page, note("large.txt", 50_001), note("empty.txt", 0), note("fine.txt"))
    await expect(page.locator(".chip.failed")).to_have_count(2)
    await expect(page.locator(".chip").nth(0)).to_contain_text("Too large: 50 kB at most.")
    await expect(page.locator(".chip").nth(1)).to_contain_text("This file is empty.")
    await attach(page, *(note(f"{number}.txt") for number in range(3)))
    await expect(page.locator("#hint")).to_have_text("A message takes 5 files at most.")
    await expect(page.locator("#hint")).to_be_visible()
    await page.screenshot(path=tmp_path / "refused.png")
    await expect(page.get_by_role("button", name="Attach files")).to_be_disabled()
    await expect(page.locator(".chip progress")).to_have_count(0)
    await page.locator("#words").press("Enter")
    await sent(page)
    await expect(page.locator(".chip.failed")).to_have_count(2)  # what failed stays to be seen
    (message,) = await heard(site)
    assert [one.filename for one in message.attachments] == ["fine.txt", "0.txt", "1.txt"]
    assert complaints == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (507, "No room for files right now."),
        (400, "Could not be attached."),
        (413, "Too large: 5.0 MB at most."),
    ],
)
async def test_what_the_server_refuses_can_be_tried_again_where_that_helps(
    browser: Browser, site: Site, complaints: Complaints, status: int, words: str
) -> None:
    page = await opened(browser, at(site), complaints)

    async def refuse(route: Route) -> None:
        await route.fulfill(status=status, body="no")

    await page.route("**/files?*", refuse)
    await attach(page, photo())
    await expect(page.locator(".chip.failed")).to_contain_text(words)
    again = page.locator(".chip").get_by_role("button", name="Try again")
    await page.unroute("**/files?*")
    if status == 413:
        await expect(again).to_have_count(0)
    else:
        await again.click()
        await attached(page, "photo.png")


async def test_what_passes_by_itself_is_tried_again_by_itself(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    page = await opened(browser, at(site), complaints)
    tries: list[int] = []

    async def lose(route: Route) -> None:
        tries.append(len(tries))
        if len(tries) == 1:
            await route.abort()
        elif len(tries) == 2:
            await route.fulfill(status=503, headers={"Retry-After": "1"}, body="not now")
        else:
            await route.continue_()

    await page.route("**/files?*", lose)
    await attach(page, photo())
    await expect(page.locator("img.chip-face")).to_be_visible(timeout=10_000)
    assert len(tries) == 3


async def test_a_reload_keeps_what_is_attached_and_names_what_was_not_finished(
    browser: Browser, site: Site, complaints: Complaints, tmp_path: Path
) -> None:
    page = await opened(browser, at(site), complaints)
    await attach(page, photo("there.png"))
    await attached(page, "there.png")

    async def never(route: Route) -> None:
        await asyncio.sleep(0)

    await page.route("**/files?*", never)
    await attach(page, photo("half.png"))
    await expect(page.locator("progress")).to_be_visible()
    await page.reload()
    await page.unroute_all(behavior="ignoreErrors")
    await expect(page.locator(".chip-name")).to_have_text(["there.png", "half.png"])
    await expect(page.locator(".chip.failed")).to_contain_text("Was not finished.")
    await page.screenshot(path=tmp_path / "reloaded.png")
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Choose again").click()
    await (await chooser.value).set_files([photo("half.png")])
    await attached(page, "there.png", "half.png")
    await page.locator("#words").press("Enter")
    await sent(page)
    (message,) = await heard(site)
    assert [one.filename for one in message.attachments] == ["there.png", "half.png"]
    await page.reload()
    await expect(page.locator(".user .picture")).to_have_count(2)
    await expect(page.locator(".chip")).to_have_count(0)


async def test_a_message_with_files_that_could_not_be_sent_is_sent_after_a_reload(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    page = await opened(browser, at(site), complaints)
    await page.route("**/messages", lambda route: route.abort())
    await attach(page, photo())
    await attached(page, "photo.png")
    await page.locator("#words").press("Enter")
    await expect(page.locator(".user .picture")).to_be_visible()
    await page.unroute("**/messages")
    await page.reload()
    await sent(page)
    await expect(page.locator(".user .picture")).to_have_count(1)
    assert len(await heard(site)) == 1


async def test_files_that_are_gone_before_they_are_sent_are_named_so(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    page = await opened(browser, at(site), complaints)
    await attach(page, photo())
    await attached(page, "photo.png")
    await site.log.forget(CHAT)
    await page.locator("#words").press("Enter")
    await expect(page.locator(".user .meta")).to_contain_text("its files are not kept any more")
    await expect(page.get_by_role("button", name="Try again")).to_have_count(0)


async def test_old_files_are_not_asked_for_any_more(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    page = await opened(browser, at(site), complaints)
    await attach(page, photo(), note())
    await attached(page, "photo.png", "notes.txt")
    await page.locator("#words").press("Enter")
    await sent(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/files/" in request.url else None)
    await page.clock.install()
    await page.clock.fast_forward("25:00:00")
    await page.clock.resume()
    await page.reload()
    await expect(page.locator(".user .tile-note")).to_have_text(["Not kept any more"] * 2)
    assert asked == []
    assert complaints == []


async def test_nothing_in_a_file_or_its_name_runs(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    evil = "<img src=x onerror=window.pwned=1>.svg"
    script = b'<svg xmlns="http://www.w3.org/2000/svg"><script>parent.pwned=1</script></svg>'
    page = await opened(browser, at(site), complaints)
    svg: FilePayload = {"name": evil, "mimeType": "image/svg+xml", "buffer": script}
    html: FilePayload = {"name": "a.html", "mimeType": "text/html", "buffer": script}
    await attach(page, svg, html, {"name": "b.png", "mimeType": "image/png", "buffer": script})
    await expect(page.locator(".chip progress")).to_have_count(0)
    await page.locator("#words").press("Enter")
    await sent(page)
    await expect(page.locator(".user a.tile")).to_have_count(3)
    await expect(page.locator(".user img")).to_have_count(0)
    for link in await page.locator(".user a.tile").all():
        async with page.expect_download() as download:
            await link.click()
        await (await download.value).cancel()
    assert await page.evaluate("window.pwned") is None
    assert complaints == []


@pytest.mark.parametrize("table", [{"file_bytes": 0}])
async def test_without_files_there_is_no_button(
    browser: Browser, site: Site, complaints: Complaints, table: dict[str, Any]
) -> None:
    await site.restart(table)
    page = await opened(browser, at(site), complaints)
    await expect(page.locator("#attach")).to_be_hidden()
    assert not await page.evaluate(DROP, ["dropped.txt", "text/plain", "drop"])
    await expect(page.locator(".chip")).to_have_count(0)
