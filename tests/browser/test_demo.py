"""The whole of it: `moveo-bridge demo` as a person runs it, and a browser that talks with its agent.

What the browser says goes page -> ingress -> in queue -> worker -> Moveo's API, and what it sees comes signed
webhook -> ingress -> out queue -> worker -> history -> page, each in a process of its own.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FilePayload, Locator, Page, expect

from bridge.emulator.script import MENU
from tests.browser import media
from tests.browser.conftest import DESK, PHONE, Complaints, opened

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]
START_SECONDS = 60
ANSWER_MS = 15_000


class Demo:
    """The running command: its process, and the address of the chat as its banner gives it."""

    def __init__(self, process: Process, chat: str) -> None:
        self.process = process
        self.chat = chat


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("BRIDGE_", "REDIS_"))
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bridge", "demo", "--data", str(folder), "--port", "0",
        stdin=DEVNULL, stdout=PIPE, env=environ, cwd=folder,
    )  # fmt: skip
    assert process.stdout
    try:
        async with asyncio.timeout(START_SECONDS):
            while not (found := re.search(r"Chat\s+(\S+)", (await process.stdout.readline()).decode())):
                assert process.returncode is None, "the demo ended before it was ready"
        yield Demo(process, found[1])
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            await process.communicate()
        assert process.returncode == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def say(page: Page, text: str) -> None:
    await page.fill("#words", text)
    await page.keyboard.press("Enter")


async def answered(page: Page, text: str) -> None:
    await expect(page.locator("#log")).to_contain_text(text, timeout=ANSWER_MS)


REMEMBER_TYPING = """() => {
  window.whileTyping = [];
  const log = document.getElementById("log");
  new MutationObserver(() => log.querySelector(".dots") && window.whileTyping.push(log.textContent))
    .observe(log, { childList: true, subtree: true });
}"""
"""Dots come and go faster than a busy machine looks: what the page showed with each is written down."""


async def choose(page: Page, name: str) -> Locator:
    """Asks for the menu and clicks what is called `name` in it; gives what follows the click."""
    await page.evaluate(REMEMBER_TYPING)
    await say(page, "menu")
    option = page.get_by_role("button", name=name.capitalize(), exact=True)
    await expect(option).to_be_visible(timeout=ANSWER_MS)
    clicks = await page.locator(".item.user").count()
    await option.click()
    await expect(page.locator(".item.user")).to_have_count(clicks + 1)
    return page.locator(".item.user").nth(clicks).locator("xpath=following-sibling::*")


async def loaded(shown: Locator, ready: str) -> None:
    """The picture, film or sound is there and has been read by the browser.

    It is looked for anew each time: the page may put the history's own in its place meanwhile.
    """
    await expect(shown).to_be_visible(timeout=ANSWER_MS)
    seen = f"node => {{ node.scrollIntoView({{ block: 'center' }}); return {ready}; }}"
    async with asyncio.timeout(ANSWER_MS / 1000):
        while not await shown.evaluate(seen):
            await asyncio.sleep(0.05)


async def _text(page: Page, after: Locator) -> None:
    await expect(after.first).to_contain_text("This is a text.", timeout=ANSWER_MS)
    await expect(page.locator(".option")).to_have_count(2)


async def _image(page: Page, after: Locator) -> None:
    await loaded(after.locator(".picture img"), "node.naturalWidth > 0")


async def _video(page: Page, after: Locator) -> None:
    await loaded(after.locator("video"), "node.videoWidth > 0")


async def _audio(page: Page, after: Locator) -> None:
    await loaded(after.locator("audio"), "node.duration > 0")


async def _file(page: Page, after: Locator) -> None:
    await expect(after.get_by_role("link", name="guide.pdf")).to_contain_text("737 B", timeout=ANSWER_MS)


async def _url(page: Page, after: Locator) -> None:
    await expect(after.get_by_role("link")).to_have_attribute(
        "href", re.compile(r"/guide\.pdf$"), timeout=ANSWER_MS
    )


async def _carousel(page: Page, after: Locator) -> None:
    await expect(after.locator(".track .card")).to_have_count(3, timeout=ANSWER_MS)
    await loaded(after.locator(".card img").first, "node.naturalWidth > 0")
    await after.get_by_role("button", name="Choose").nth(1).click()
    await answered(page, "You chose lake.")


async def _webview(page: Page, after: Locator) -> None:
    await after.get_by_role("button", name="Book a table").click(timeout=ANSWER_MS)
    panel = page.get_by_role("dialog", name="Book a table")
    await expect(panel.frame_locator("iframe").locator("form")).to_be_visible()
    await page.keyboard.press("Escape")


async def _survey(page: Page, after: Locator) -> None:
    await expect(after.get_by_role("button", name="Rate this chat")).to_be_visible(timeout=ANSWER_MS)


async def _pause(page: Page, after: Locator) -> None:
    seen: list[str] = []
    for _ in range(3):  # a machine that stands still for as long as the pause is shows no dots
        await expect(after.filter(has_text="There you are.")).to_have_count(1, timeout=ANSWER_MS)
        await expect(page.locator(".dots")).to_have_count(0)
        seen = await page.evaluate("window.whileTyping")
        if any(text.count("Let me think.") > text.count("There you are.") for text in seen):
            return
        after = await choose(page, "pause")
    pytest.fail(f"never seen to type between two texts: {seen}")


async def _handover(page: Page, after: Locator) -> None:
    await expect(after.locator(".handover")).to_contain_text("connecting you", timeout=ANSWER_MS)
    await answered(page, "Sarah")
    await answered(page, "Hi! I am Sarah from support.")
    seen: list[str] = await page.evaluate("window.whileTyping")
    assert any("Sarah Johnson is typing" in text for text in seen), seen
    await expect(page.get_by_role("link", name="guide.pdf").last).to_be_visible(timeout=ANSWER_MS)
    await say(page, "my order")
    await answered(page, "looking into “my order”")
    await expect(page.locator(".user .meta").last).to_contain_text("Read")
    await say(page, "bye")
    await answered(page, "Goodbye!")


async def _close(page: Page, after: Locator) -> None:
    await expect(after.locator(".notice").first).to_be_visible(timeout=ANSWER_MS)


async def _everything(page: Page, after: Locator) -> None:
    await expect(after.get_by_role("button", name="Rate this chat")).to_be_visible(timeout=ANSWER_MS)
    await answered(page, "There you are.")
    for shown in (".picture", "video", "audio", "a.tile", ".carousel"):
        await expect(after.locator(shown).first).to_be_attached()
    await expect(page.get_by_text("There you are.")).to_be_in_viewport()


async def _numbers(page: Page, after: Locator) -> None:
    await expect(after.locator(".bubble").first).to_contain_text("36. Naxos", timeout=ANSWER_MS)
    await expect(page.locator(".option")).to_have_count(0)
    await say(page, "36")
    await answered(page, "You chose Naxos.")


async def _expire(page: Page, after: Locator) -> None:
    await answered(page, "This session ends now")
    await expect(after.locator(".notice")).to_contain_text("has ended", timeout=ANSWER_MS)
    await say(page, "are you there?")
    greetings = page.get_by_text("Hello! I am the demo agent")  # the first is from before the menu
    await expect(greetings).to_have_count(2, timeout=ANSWER_MS)
    await say(page, "carousel")
    await expect(page.locator(".track .card")).to_have_count(3, timeout=ANSWER_MS)


ANSWERS: dict[str, Callable[[Page, Locator], Awaitable[None]]] = {
    "text": _text,
    "image": _image,
    "video": _video,
    "audio": _audio,
    "file": _file,
    "url": _url,
    "carousel": _carousel,
    "webview": _webview,
    "survey": _survey,
    "pause": _pause,
    "handover": _handover,
    "close": _close,
    "everything": _everything,
    "numbers": _numbers,
    "expire": _expire,
}


async def test_every_answer_of_the_menu_is_looked_at() -> None:
    assert set(ANSWERS) == set(MENU)


@pytest.mark.parametrize("name", MENU)
async def test_the_agent_shows(
    browser: Browser, demo: Demo, complaints: Complaints, tmp_path: Path, name: str
) -> None:
    page = await opened(browser, demo.chat, complaints, size=PHONE)
    after = await choose(page, name)
    await ANSWERS[name](page, after)
    await page.screenshot(path=tmp_path / f"{name}.png")
    before = await page.locator(".item").all_text_contents()
    await page.reload()
    await expect(page.locator(".item")).to_have_count(len(before), timeout=ANSWER_MS)
    assert complaints == []


async def test_from_the_agent_to_a_person_and_back(
    browser: Browser, demo: Demo, complaints: Complaints
) -> None:
    page = await opened(browser, demo.chat, complaints)
    await _handover(page, await choose(page, "handover"))
    await say(page, "hello again")
    await answered(page, "Hello! I am the demo agent, and this is what I can show you.")
    await page.get_by_role("button", name="Text", exact=True).click()
    await answered(page, "This is a text.")
    history = await page.locator(".bubble").all_text_contents()
    await page.reload()
    await answered(page, "This is a text.")
    assert await page.locator(".bubble").all_text_contents() == history
    assert complaints == []


async def test_a_picture_goes_to_the_agent_and_comes_back(
    browser: Browser, demo: Demo, complaints: Complaints, tmp_path: Path
) -> None:
    page = await opened(browser, demo.chat, complaints, size=PHONE)
    await page.screenshot(path=tmp_path / "welcome.png")
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Attach files").click()
    photo: FilePayload = {"name": "my hills.png", "mimeType": "image/png", "buffer": media.png()}
    await (await chooser.value).set_files(photo)
    await page.fill("#words", "what do you see?")
    await page.keyboard.press("Enter")
    await loaded(page.locator(".user .picture img"), "node.naturalWidth === 640")
    await answered(page, "Thank you, I have received my hills.png.")
    await loaded(page.locator(".agent .picture img"), "node.naturalWidth === 640")
    await page.screenshot(path=tmp_path / "photo.png")
    await say(page, "menu")
    await expect(page.get_by_role("button", name="Everything")).to_be_visible(timeout=ANSWER_MS)
    await page.screenshot(path=tmp_path / "menu.png")
    assert complaints == []


async def test_several_people_at_once_are_answered_in_order_each(
    browser: Browser, demo: Demo, complaints: Complaints
) -> None:
    people = await asyncio.gather(*(opened(browser, demo.chat, complaints, size=DESK) for _ in range(4)))
    await asyncio.gather(*(choose(page, "handover") for page in people))
    await asyncio.gather(*(answered(page, "Hi! I am Sarah from support.") for page in people))
    asked = [f"question {number}" for number in range(4)]

    async def ask(page: Page) -> list[str]:
        for question in asked:
            await say(page, question)
        await answered(page, f"looking into “{asked[-1]}”")
        return await page.locator(".agent .bubble:not(.dots)").all_text_contents()

    for texts in await asyncio.gather(*(ask(page) for page in people)):
        assert re.findall(r"looking into “(question \d)”", "\n".join(texts)) == asked
    assert complaints == []
