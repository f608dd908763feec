"""The page in Chromium: shows every content, says what the user says once, loses and repeats nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page, Request, Route, expect

from bridge.channels import Click, UserMessage
from bridge.content import (
    Audio,
    Author,
    Card,
    Carousel,
    Content,
    File,
    Handover,
    Image,
    Link,
    Media,
    Notice,
    OpenWebview,
    Option,
    Postback,
    Receipt,
    Text,
    Typing,
    Video,
    Webview,
)
from tests.browser.conftest import DESK, PHONE, Complaints, opened
from tests.web.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
CHAT = "chat-0001"
PAGE_SIZE = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
SIDEWAYS = "document.getElementById('scroll').scrollWidth - document.getElementById('scroll').clientWidth"


def at(site: Site, chat: str = CHAT) -> str:
    return f"{site.url}#{chat}"


async def bubbles(page: Page) -> list[str]:
    return await page.locator(".bubble:not(.dots)").all_text_contents()


async def said(page: Page, last: str) -> list[str]:
    """All texts, once `last` is the last of them."""
    await expect(page.locator(".bubble:not(.dots)").last).to_have_text(last)
    return await bubbles(page)


def everything(site: Site) -> tuple[Content, ...]:
    files = f"{site.origin}/media"
    ana = Author("Ana Pereira", id="a1", avatar=f"{files}/face.png")
    return (
        Text("Hello! Ask me about trips: https://travel.example/help."),
        Image(f"{files}/hills.png", "The north coast"),
        Video(f"{files}/clip.webm", "Ferry crossing", 2375),
        Audio(f"{files}/note.wav", "Welcome note", 32_000),
        File(f"{files}/manual.pdf", "Conditions.pdf", 1_536_000),
        Carousel(
            (
                Card(
                    "Lisbon",
                    "Three nights by the river",
                    Media("image", f"{files}/hills.png"),
                    (Postback("Book it", "book lisbon"), Link("Details", "https://travel.example/lisbon")),
                ),
                Card(
                    "Dunes",
                    "A camp under the stars",
                    Media("image", f"{files}/dunes.png"),
                    (OpenWebview("Pick a day", f"{files}/booking.html", "compact"),),
                ),
                Card(
                    "Anywhere",
                    "No picture yet",
                    None,
                    (Postback("Surprise me", "surprise"), Link("Ideas", "https://travel.example/ideas")),
                ),
            )
        ),
        Webview(f"{files}/booking.html", "Choose a time", "tall", "When should we call?"),
        Handover("I am connecting you with a colleague."),
        Notice("conversation:member_join", "Ana Pereira joined the conversation.", ana),
        Text(
            "Hi, Ana here. Shall I move it?", (Option("Yes, Tuesday", "yes"), Option("No", "no")), author=ana
        ),
    )


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_every_content_appears(
    browser: Browser,
    site: Site,
    complaints: Complaints,
    tmp_path: Path,
    size: dict[str, int],
    dark: bool,
) -> None:
    await site.agent(CHAT, *everything(site))
    page = await opened(browser, at(site), complaints, size=size, dark=dark)
    shown = page.locator("#log")
    for text in ("Hello! Ask me", "The north coast", "Ferry crossing", "Welcome note", "Conditions.pdf",
                 "1.5 MB", "Lisbon", "Three nights", "When should we call?", "I am connecting you",
                 "joined the conversation", "Ana Pereira", "Shall I move it?"):  # fmt: skip
        await expect(shown).to_contain_text(text)
    await expect(shown.get_by_role("link", name="https://travel.example/help")).to_be_visible()
    await page.locator(".picture img").scroll_into_view_if_needed()
    await page.wait_for_function("document.querySelector('.picture img').naturalWidth === 640")
    await page.wait_for_function("document.querySelector('video').videoWidth === 320")
    await page.wait_for_function("document.querySelector('audio').duration > 1.9")
    await page.screenshot(path=tmp_path / "middle.png")
    await page.locator(".option").last.scroll_into_view_if_needed()
    await page.screenshot(path=tmp_path / "end.png")
    assert await page.evaluate(PAGE_SIZE) == [size["width"], size["height"]], "only the messages scroll"
    assert await page.evaluate(SIDEWAYS) == 0, "they scroll up and down alone"
    assert complaints == []


async def test_a_quick_reply_is_said_once_and_goes(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    await site.agent(CHAT, Text("Which?", (Option("The first", "value one"), Option("Other", "o"))))
    page = await opened(browser, at(site), complaints)
    async with page.expect_event("requestfinished", lambda request: request.method == "POST"):
        await page.get_by_role("button", name="The first").click()
    assert await said(page, "The first") == ["Which?", "The first"]
    await expect(page.locator(".option")).to_have_count(0)
    await expect(page.locator(".user .meta")).to_contain_text("Sent")
    (click,) = await site.heard()
    assert isinstance(click, Click)
    assert (click.chat, click.payload, click.label) == (CHAT, "value one", "The first")
    await page.reload()
    assert await said(page, "The first") == ["Which?", "The first"]
    await expect(page.locator(".option")).to_have_count(0)
    assert complaints == []


async def test_the_keyboard_is_enough(browser: Browser, site: Site, complaints: Complaints) -> None:
    await site.agent(CHAT, Text("Which?", (Option("The first", "one"),)))
    page = await opened(browser, at(site), complaints)
    await page.locator("#words").focus()
    await page.keyboard.type("two")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("lines")
    await page.keyboard.press("Enter")
    assert await said(page, "two\nlines") == ["Which?", "two\nlines"]
    await expect(page.locator("#words")).to_have_value("")
    await site.agent(CHAT, Text("Again?", (Option("Yes", "yes"),)))
    await expect(page.get_by_role("button", name="Yes")).to_be_visible()
    await page.keyboard.press("Shift+Tab")  # to the button that attaches files
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Enter")
    await said(page, "Yes")
    await expect(page.locator(".user .meta").last).to_contain_text("Sent")
    spoken = [one.text if isinstance(one, UserMessage) else one.payload for one in await site.heard()]
    assert spoken == ["two\nlines", "yes"]


async def test_a_reload_keeps_the_history_and_the_chat(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    page = await opened(browser, site.url, complaints)
    await page.fill("#words", "hello")
    await page.keyboard.press("Enter")
    await said(page, "hello")
    await expect(page.locator(".user .meta")).to_contain_text("Sent")
    (heard,) = await site.heard()
    await site.agent(heard.chat, Text("one"), Text("two"))
    before = await said(page, "two")
    await page.reload()
    assert await said(page, "two") == before == ["hello", "one", "two"]


async def test_who_finds_too_many_chats_open_is_told_and_asks_ever_more_rarely(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    page = await opened(browser, at(site), complaints)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    site.streams.most = 0
    await site.stop()
    await site.start()
    await expect(page.locator("#lost")).to_be_visible()
    await asyncio.sleep(5)
    assert 2 <= len(asked) <= 6
    site.streams.most = 1
    await expect(page.locator("#lost")).to_be_hidden(timeout=15_000)
    await site.agent(CHAT, Text("after"))
    await said(page, "after")


async def test_a_restart_leaves_no_gap_and_no_repeat(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    page = await opened(browser, at(site), complaints)
    await site.agent(CHAT, Text("before"))
    await said(page, "before")
    await site.stop()
    await site.agent(CHAT, Text("while away 1"), Text("while away 2"))
    await page.fill("#words", "are you there?")
    await page.keyboard.press("Enter")
    await expect(page.locator("#lost")).to_be_visible()
    await expect(page.locator(".user .meta")).to_contain_text("Sending")
    await site.start()
    await expect(page.locator("#lost")).to_be_hidden()
    await expect(page.locator(".user .meta")).to_contain_text("Sent")
    await site.agent(CHAT, Text("after"))
    expected = ["before", "while away 1", "while away 2", "are you there?", "after"]
    assert await said(page, "after") == expected
    assert len(await site.heard()) == 1


async def test_what_was_not_sent_before_a_reload_is_sent_after_it(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    page = await opened(browser, at(site), complaints)

    async def refuse(route: Route) -> None:
        await route.abort()

    await page.route("**/messages", refuse)
    await page.fill("#words", "remember me")
    await page.keyboard.press("Enter")
    await expect(page.locator(".user .meta")).to_contain_text("Sending")
    await page.unroute("**/messages")
    await page.reload()
    await expect(page.locator(".user .meta")).to_contain_text("Sent")
    assert await said(page, "remember me") == ["remember me"]
    assert len(await site.heard()) == 1


async def test_what_waited_too_long_is_left_to_the_user(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    """The server knows a repeat for a while only; an older message could be said twice."""
    page = await opened(browser, at(site), complaints)
    await page.evaluate(
        """chat => localStorage.setItem(`moveo-bridge:outbox:/chat/support/messages:${chat}:m-000000001`,
        JSON.stringify({chat, id: "m-000000001", text: "yesterday's", at: Date.now() - 86_400_000}))""",
        CHAT,
    )
    await page.reload()
    await expect(page.locator(".user .meta")).to_contain_text("Not sent.")
    assert await site.heard() == []
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator(".user .meta")).to_contain_text("Sent")
    assert len(await site.heard()) == 1


async def test_what_the_history_shows_was_sent_though_nobody_heard_so(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    """A phone that slept on the answer does not call a message unsent that stands in the history."""
    page = await opened(browser, at(site), complaints)
    await page.fill("#words", "before the nap")
    await page.keyboard.press("Enter")
    await expect(page.locator(".user .meta")).to_contain_text("Sent")
    (heard,) = await site.heard()
    await page.evaluate(
        """([chat, id]) => localStorage.setItem(`moveo-bridge:outbox:/chat/support/messages:${chat}:${id}`,
        JSON.stringify({chat, id, text: "before the nap", at: Date.now() - 86_400_000}))""",
        [CHAT, heard.id],
    )
    await page.reload()
    await expect(page.locator(".user .meta")).to_contain_text("Sent")
    assert await bubbles(page) == ["before the nap"]
    assert await site.heard() == []


async def test_two_windows_show_the_same_chat(browser: Browser, site: Site, complaints: Complaints) -> None:
    first = await opened(browser, site.url, complaints)
    second = complaints.watch(await first.context.new_page())
    await second.goto(site.url)
    for number, page in enumerate((first, second)):
        await page.fill("#words", f"from window {number}")
        await page.keyboard.press("Enter")
        for window in (first, second):
            await said(window, f"from window {number}")
        await expect(page.locator(".user .meta").last).to_contain_text("Sent")
    assert await bubbles(first) == await bubbles(second) == ["from window 0", "from window 1"]
    assert len(await site.heard()) == 2
    assert complaints == []


async def test_a_lost_answer_to_a_message_repeats_nothing(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    page = await opened(browser, at(site), complaints)
    tries: list[Request] = []
    repeated = asyncio.Event()

    async def lose_the_first_answer(route: Route) -> None:
        tries.append(route.request)
        if len(tries) == 1:
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()
            repeated.set()

    await page.route("**/messages", lose_the_first_answer)
    await page.fill("#words", "once")
    await page.keyboard.press("Enter")
    async with asyncio.timeout(10):
        await repeated.wait()
    await expect(page.locator(".user .meta")).to_contain_text("Sent")
    assert await said(page, "once") == ["once"]
    assert len(await site.heard()) == 1


async def test_a_refused_message_says_so_and_can_be_tried_again(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    page = await opened(browser, at(site), complaints)

    async def refuse(route: Route) -> None:
        await route.fulfill(status=400, body="no")

    await page.route("**/messages", refuse)
    await page.fill("#words", "please")
    await page.keyboard.press("Enter")
    await expect(page.locator(".user .meta")).to_contain_text("Not sent.")
    await page.unroute("**/messages")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator(".user .meta")).to_contain_text("Sent")
    assert await said(page, "please") == ["please"]


CORPUS = (
    "<script>window.pwned = 1</script>",
    "<img src=x onerror=window.pwned=1>",
    '"><svg onload=window.pwned=1>',
    "javascript:window.pwned=1",
    'https://a.example/"onmouseover="window.pwned=1',
    "{{constructor.constructor('window.pwned=1')()}}",
    "\u202eevil\u202c <b>bold</b> &amp; &lt;i&gt;",
    "\ufeff\u2028\u2029 separators",
)
BAD_URLS = (
    "javascript:window.pwned=1",
    "data:text/html,<script>parent.pwned=1</script>",
    "vbscript:x",
    "//x",
    "x y",
)


async def test_what_an_agent_writes_is_text_and_nothing_else(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    for evil in CORPUS:
        await site.agent(
            CHAT,
            Text(evil, (Option(evil, evil),), author=Author(evil, avatar="javascript:window.pwned=1")),
            Notice("x", evil),
            Handover(evil),
            Carousel((Card(evil, evil, None, (Postback(evil, evil),)),)),
        )
    for url in BAD_URLS:
        buttons = (Link("l", url), OpenWebview("w", url))
        await site.agent(
            CHAT, Image(url, "n"), Video(url, "n"), Audio(url, "n"), File(url, "n"), Webview(url, "v"),
            Carousel((Card("c", "", Media("image", url), buttons, default_action=Link("d", url)),)),
        )  # fmt: skip
    await site.agent(CHAT, Text("the end"))
    page = await opened(browser, at(site), complaints)
    texts = await said(page, "the end")
    assert texts == [*CORPUS, "the end"]
    assert await page.locator(".notice").all_text_contents() == list(CORPUS)
    assert await page.evaluate("window.pwned") is None
    hrefs: list[str] = await page.eval_on_selector_all(
        "#log [href], #log [src]", "nodes => nodes.map(node => node.href || node.src)"
    )
    assert hrefs
    assert all(href.startswith("https://a.example/") for href in hrefs), hrefs
    assert await page.locator("#log script, #log iframe, #log b:not(.face b)").count() == 0
    assert complaints == []


async def test_several_chats_at_once_stay_in_order_and_apart(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    chats = [f"chat-200{number}" for number in range(4)]
    pages = await asyncio.gather(*(opened(browser, at(site, chat), complaints) for chat in chats))

    async def speak(chat: str) -> None:
        for number in range(25):
            await site.agent(chat, Typing(True), Text(f"{chat} {number}"))

    async with asyncio.TaskGroup() as group:
        for chat, page in zip(chats, pages, strict=True):
            group.create_task(speak(chat))
            group.create_task(page.fill("#words", f"{chat} me"))
    for chat, page in zip(chats, pages, strict=True):
        await page.keyboard.press("Enter")
        expected = [*(f"{chat} {number}" for number in range(25)), f"{chat} me"]
        assert await said(page, f"{chat} me") == expected
        await page.reload()
        assert await said(page, f"{chat} me") == expected
    assert complaints == []


async def test_dots_while_somebody_types_until_they_speak(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    page = await opened(browser, at(site), complaints)
    ana = Author("Ana")
    await site.agent(CHAT, Typing(True, ana))
    await expect(page.locator(".dots")).to_contain_text("Ana is typing")
    await site.agent(CHAT, Text("hi", author=ana))
    await said(page, "hi")
    await expect(page.locator(".dots")).to_have_count(0)
    await site.agent(CHAT, Typing(True))
    await expect(page.locator(".dots")).to_have_count(1)
    await site.agent(CHAT, Typing(False))
    await expect(page.locator(".dots")).to_have_count(0)


async def test_ticks_follow_the_receipts_and_outlive_a_reload(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    page = await opened(browser, at(site), complaints)
    ticks = page.locator(".user .meta")
    await page.fill("#words", "hello?")
    await page.keyboard.press("Enter")
    await expect(ticks).to_contain_text("Sent")
    await site.agent(CHAT, Receipt("delivered"))
    await expect(ticks).to_contain_text("Delivered")
    await site.agent(CHAT, Receipt("read"))
    await expect(ticks).to_contain_text("Read")
    await page.reload()
    await expect(ticks).to_contain_text("Read")
    await page.fill("#words", "and now?")
    await page.keyboard.press("Enter")
    await expect(ticks.last).to_contain_text("Sent")


async def test_cards_post_open_and_link(browser: Browser, site: Site, complaints: Complaints) -> None:
    await site.agent(CHAT, *everything(site))
    page = await opened(browser, at(site), complaints)
    link = page.get_by_role("link", name="Details")
    assert await link.get_attribute("href") == "https://travel.example/lisbon"
    assert await link.get_attribute("target") == "_blank"
    assert "noopener" in (await link.get_attribute("rel") or "")
    await page.get_by_role("button", name="Book it").click()
    await said(page, "Book it")
    await expect(page.locator(".user .meta").last).to_contain_text("Sent")
    (click,) = await site.heard()
    assert isinstance(click, Click)
    assert click.payload == "book lisbon"
    assert complaints == []


@pytest.mark.parametrize(
    ("height", "share"), [("full", 0.94), ("tall", 0.72), ("compact", 0.47)], ids=["full", "tall", "compact"]
)
async def test_a_webview_opens_in_a_panel_of_its_height(
    browser: Browser, site: Site, complaints: Complaints, height: str, share: float
) -> None:
    await site.agent(CHAT, Webview(f"{site.origin}/media/booking.html", "Choose", height))  # type: ignore[arg-type]
    page = await opened(browser, at(site), complaints)
    await page.get_by_role("button", name="Choose").click()
    panel = page.get_by_role("dialog", name="Choose")
    await expect(panel.frame_locator("iframe").get_by_text("Tuesday, 10:30")).to_be_visible()
    box = await panel.bounding_box()
    assert box
    assert box["height"] / DESK["height"] == pytest.approx(share, abs=0.03)
    await page.keyboard.press("Escape")
    await expect(panel).to_have_count(0)
    assert complaints == []


async def test_a_webview_of_its_own_window_is_a_link(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    await site.agent(CHAT, Webview("https://travel.example/", "Site", "new_window"))
    page = await opened(browser, at(site), complaints)
    assert await page.get_by_role("link", name="Site").get_attribute("href") == "https://travel.example/"


async def test_an_image_opens_at_full_size(browser: Browser, site: Site, complaints: Complaints) -> None:
    await site.agent(CHAT, Image(f"{site.origin}/media/hills.png", "The coast"))
    page = await opened(browser, at(site), complaints)
    await page.get_by_role("button", name="Open The coast").click()
    dialog = page.get_by_role("dialog", name="The coast")
    await expect(dialog.get_by_role("img")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)


async def test_media_that_cannot_be_loaded_is_named_with_a_link(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    gone = f"{site.origin}/media/gone"
    site_files = (Image(f"{gone}.png", "a"), Video(f"{gone}.mp4", "b"), Audio(f"{gone}.mp3", "c"))
    await site.agent(CHAT, *site_files)
    page = await opened(browser, at(site), complaints)
    await expect(page.get_by_text("This could not be loaded.")).to_have_count(3)
    await expect(page.locator("a.tile")).to_have_count(3)


async def test_who_reads_back_is_left_alone_and_told_of_news(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    await site.agent(CHAT, *(Text(f"line {number}") for number in range(60)))
    page = await opened(browser, at(site), complaints)
    await expect(page.get_by_text("line 59")).to_be_in_viewport()
    await page.locator("#scroll").evaluate("node => node.scrollTo(0, 0)")
    await expect(page.locator("#latest")).to_be_visible()
    await site.agent(CHAT, Text("news"))
    await expect(page.locator("#latest")).to_have_text("1 new message")
    await expect(page.get_by_text("line 0", exact=True)).to_be_in_viewport()
    await page.locator("#latest").click()
    await expect(page.get_by_text("news", exact=True)).to_be_in_viewport()
    await expect(page.locator("#latest")).to_be_hidden()


async def test_who_is_at_the_end_stays_there_whatever_comes(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    page = await opened(browser, at(site), complaints)
    for number in range(3):
        await site.agent(CHAT, *everything(site), Text(f"the end {number}"))
    await said(page, "the end 2")
    await expect(page.get_by_text("the end 2")).to_be_in_viewport()
    await expect(page.locator("#latest")).to_be_hidden()


async def test_right_to_left_words_run_from_the_right(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    await site.agent(CHAT, Text("שלום עולם"), Text("hello"))
    page = await opened(browser, at(site), complaints)
    directions = await page.locator(".bubble").evaluate_all("n => n.map(b => getComputedStyle(b).direction)")
    assert directions == ["rtl", "ltr"]


async def test_a_chat_that_cannot_be_is_named_so(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    page = complaints.watch(await browser.new_page())
    await page.goto(f"{site.url}?session=bad")
    await expect(page.locator("#lost")).to_have_text("The address of this chat is not valid.")
    await expect(page.locator("#words")).to_be_disabled()


SHOP = """<!doctype html><meta charset="utf-8"><title>Shop</title>
<link rel="icon" href="data:,"><h1>A shop</h1>
<script src="{url}/embed.js" data-title="Ask us" data-session="{chat}" async></script>"""


async def shop(site: Site, *, named: bool) -> str:
    """The address of another site that embeds the chat: to a browser, localhost is not 127.0.0.1."""

    async def home(_: web.Request) -> web.Response:
        return web.Response(text=SHOP.format(url=site.url, chat=CHAT), content_type="text/html")

    site.extra_routes.append(web.get("/shop", home))
    origin = f"http://localhost:{site.port}"
    await site.restart({"origins": [origin]} if named else {})
    return f"{origin}/shop"


async def test_one_script_tag_puts_the_chat_into_a_site(
    browser: Browser, site: Site, complaints: Complaints, tmp_path: Path
) -> None:
    page = complaints.watch(await browser.new_page(viewport={"width": 1000, "height": 800}))
    await page.goto(await shop(site, named=True))
    launcher = page.get_by_role("button", name="Ask us")
    await launcher.click()
    frame = page.frame_locator("iframe")
    await expect(frame.locator("#state")).to_have_text("Online")
    await frame.locator("#words").fill("from the shop")
    await frame.locator("#words").press("Enter")
    await expect(frame.locator(".user .meta")).to_contain_text("Sent")
    await page.screenshot(path=tmp_path / "embedded.png")
    await frame.get_by_role("button", name="Close").click()
    await expect(page.locator("iframe")).to_be_hidden()
    await site.agent(CHAT, Text("an answer"))
    await expect(launcher).to_contain_text("1")
    await launcher.click()
    await expect(frame.get_by_text("an answer")).to_be_visible()
    await expect(launcher).not_to_contain_text("1")
    assert [one.chat for one in await site.heard()] == [CHAT]
    assert complaints == []


async def test_a_site_that_was_not_named_cannot_embed_the_chat(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    page = complaints.watch(await browser.new_page())
    await page.goto(await shop(site, named=False))
    async with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        await page.get_by_role("button", name="Ask us").click()
