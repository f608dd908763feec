"""What a channel cannot show becomes what it can, and nothing is lost silently."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bridge.channels.capabilities import Capabilities
from bridge.channels.choices import mark
from bridge.channels.degrade import fit, fit_all
from bridge.channels.text import blank, clean, fits, link
from bridge.content import (
    Audio,
    Author,
    Card,
    Carousel,
    Choice,
    Content,
    File,
    Handover,
    Image,
    Link,
    Loss,
    Media,
    Notice,
    OpenWebview,
    Option,
    Pause,
    Postback,
    Receipt,
    Text,
    Typing,
    Video,
    Webview,
    kind,
)
from bridge.testing import corpus

SITE = "https://example.com"
PICTURE = f"{SITE}/a.jpg"
SARAH = Author("Sarah")
YES_NO = (Option("Yes", "yes!"), Option("No", "no!"))
BUY = Postback("Buy", "buy_a")
MORE = Link("More", f"{SITE}/a")
FORM = OpenWebview("Form", f"{SITE}/form", "tall")
PRODUCT = Card("Product A", "$29", Media("image", PICTURE), (BUY, MORE))

TEXT_ONLY = Capabilities()
CARDS = Capabilities(
    shows=frozenset({Text, Image, Card}),
    options=3,
    option_label=20,
    card_title=40,
    card_text=60,
    card_buttons=2,
)
CAROUSELS = Capabilities(
    shows=frozenset({Text, Image, Card, Carousel}), cards=2, card_title=20, card_text=20, card_buttons=3
)
EVERYTHING = Capabilities(
    shows=frozenset(get_args(Content)) - {Pause}, options=10, cards=10, card_buttons=10, caption=1000,
    authors=True, card_action=True, links=frozenset({"http", "https", "mailto", "tel"}),
)  # fmt: skip


def lost(*losses: tuple[str, str, str]) -> tuple[Loss, ...]:
    return tuple(Loss(*loss) for loss in losses)


NUMBERED = ("text", "the quick replies", "numbered lines")


@pytest.mark.parametrize(
    "content",
    [
        Text("hi", YES_NO, SARAH),
        Image(PICTURE, "name", SARAH),
        Video(PICTURE, "name", 5),
        Audio(PICTURE),
        File(PICTURE, "a.pdf", 10**9, SARAH),
        PRODUCT,
        Card("tap", default_action=MORE),
        Carousel((PRODUCT, Card("B", buttons=(FORM, Link("Call", "tel:+301"))))),
        Webview(f"{SITE}/form", "Open", "tall", "The form", "node"),
        Handover("To a human", "name", "desk", "department"),
        Handover(""),
        Pause(2, typing=True),
        Typing(on=True, author=SARAH),
        Notice("close", "Closed", SARAH),
        Receipt("read", "agent"),
    ],
    ids=kind,
)
def test_what_a_channel_shows_passes_as_it_is(content: Content) -> None:
    assert fit(content, EVERYTHING) == ((content,), ())


@pytest.mark.parametrize(
    ("content", "can", "shown", "losses"),
    [
        pytest.param(
            Text("Sure?", YES_NO), TEXT_ONLY,
            [Text("Sure?\n\n1. Yes\n2. No", numbered=mark(YES_NO))], lost(NUMBERED),
            id="options become numbered lines",
        ),
        pytest.param(
            Text("", YES_NO), TEXT_ONLY, [Text("1. Yes\n2. No", numbered=mark(YES_NO))], lost(NUMBERED),
            id="options without a text",
        ),
        pytest.param(
            Text("Pick", (*YES_NO, *YES_NO)), CARDS,
            [Text("Pick\n\n1. Yes\n2. No\n3. Yes\n4. No", numbered=mark((*YES_NO, *YES_NO)))], lost(NUMBERED),
            id="more options than the channel has",
        ),
        pytest.param(
            Text("", YES_NO), CARDS, [Text("…", YES_NO)], (), id="buttons stand under a text",
        ),
        pytest.param(
            Text("Pick", (Option("A label that goes on and on", "1"), Option("A label that goes on", "2"))),
            CARDS,
            [Text("Pick", (Option("A label that goes o…", "1"), Option("A label that goes on", "2")))],
            lost(("text", "the end of a quick reply's label", "a shortened label")),
            id="long labels are shortened",
        ),
        pytest.param(
            Text("Pick", (Option("", "said"), Option("seen", ""), Option(" ", ""))), CARDS,
            [Text("Pick", (Option("said", "said"), Option("seen", "seen")))],
            lost(("text", "a quick reply with nothing on it", "")),
            id="half of an option makes a whole one",
        ),
        pytest.param(
            Text("one two three four", YES_NO), Capabilities(text=10, options=2),
            [Text("one two"), Text("three four", YES_NO)], (),
            id="options stand under the last part",
        ),
        pytest.param(
            Text("Hi!", author=SARAH), TEXT_ONLY, [Text("Sarah: Hi!")], (),
            id="the author's name stands before",
        ),
        pytest.param(
            Text("Hi!", author=Author("x" * 65)), TEXT_ONLY, [Text("x" * 63 + "…: Hi!")],
            lost(("text", "the end of the author's name", "a shortened name")),
            id="a huge name is cut",
        ),
        pytest.param(
            Text("Hi!", author=Author(" ")), TEXT_ONLY, [Text("Hi!")], (),
            id="an author without a name",
        ),
        pytest.param(
            Text("\u200b "), TEXT_ONLY, [], lost(("text", "a text with nothing in it", "")),
            id="no text",
        ),
        pytest.param(
            Image(PICTURE, "A cat"), TEXT_ONLY, [Text(f"A cat: {PICTURE}")],
            lost(("image", "the image itself", "a link to it")), id="an image becomes a link",
        ),
        pytest.param(
            Image(PICTURE, "A cat"), CARDS, [Image(PICTURE), Text("A cat")], (),
            id="a name without room for it is a text",
        ),
        pytest.param(
            Image(PICTURE, "A cat", SARAH), CARDS, [Text("Sarah: A cat"), Image(PICTURE)], (),
            id="an author introduces a picture",
        ),
        pytest.param(
            Image(PICTURE, "", SARAH), Capabilities(shows=frozenset({Text, Image}), caption=20),
            [Image(PICTURE, "Sarah:")], (), id="an author in a caption",
        ),
        pytest.param(
            Video(PICTURE, "Film", 11),
            Capabilities(shows=frozenset({Text, Video}), caption=9, media_bytes={"video": 10}),
            [Text(f"Film: {PICTURE}")], lost(("video", "the video itself", "a link to it")),
            id="a file that is too large becomes a link",
        ),
        pytest.param(
            Video(PICTURE, "Film"),
            Capabilities(shows=frozenset({Text, Video}), caption=9, media_sized=frozenset({"video"})),
            [Text(f"Film: {PICTURE}")], lost(("video", "the video itself", "a link to it")),
            id="a file of unknown size becomes a link where the size is asked for",
        ),
        pytest.param(
            Image("http://example.com/a.jpg"),
            Capabilities(shows=frozenset({Text, Image}), media_schemes=frozenset({"https"})),
            [Text("http://example.com/a.jpg")], lost(("image", "the image itself", "a link to it")),
            id="a file by a scheme nothing is loaded from becomes a link",
        ),
        pytest.param(
            Image(f"{SITE}/A.JPG?v=.gif"),
            Capabilities(shows=frozenset({Text, Image}), media_endings={"image": frozenset({".jpg"})}),
            [Image(f"{SITE}/A.JPG?v=.gif")], (), id="a file of a format that is shown",
        ),
        pytest.param(
            Image(f"{SITE}/a.jpg/b.webp"),
            Capabilities(shows=frozenset({Text, Image}), media_endings={"image": frozenset({".jpg"})}),
            [Text(f"{SITE}/a.jpg/b.webp")], lost(("image", "the image itself", "a link to it")),
            id="a file of another format becomes a link",
        ),
        pytest.param(
            Image(f"{PICTURE}?{'x' * 30}"),
            Capabilities(shows=frozenset({Text, Image}), url=40, media_url=60),
            [Image(f"{PICTURE}?{'x' * 30}")], (), id="a file at an address too long for a button",
        ),
        pytest.param(
            Receipt("delivered", "agent"), replace(EVERYTHING, receipts=frozenset({"read"})), [],
            lost(("receipt", "the receipt", "")), id="a receipt of a kind there is not",
        ),
        pytest.param(
            Receipt("read", "agent"), replace(EVERYTHING, receipts=frozenset({"read"})),
            [Receipt("read", "agent")], (), id="a receipt of a kind there is",
        ),
        pytest.param(
            File("javascript:alert(1)", "a.pdf"), EVERYTHING, [Text("a.pdf")],
            lost(("file", "the file: its address cannot be used", "its name")),
            id="a file with a bad address",
        ),
        pytest.param(
            Image("mailto:a@b.example"), EVERYTHING, [],
            lost(("image", "the image: its address cannot be used", "")), id="an image nobody can fetch",
        ),
        pytest.param(
            Webview(f"{SITE}/form", "Open", "tall", "The form", "node"), CARDS,
            [Card("The form", buttons=(OpenWebview("Open", f"{SITE}/form", "tall", "node"),))], (),
            id="a webview becomes a card with a button",
        ),
        pytest.param(
            Webview(f"{SITE}/form", "Open", name="The form"), TEXT_ONLY,
            [Text(f"The form\nOpen: {SITE}/form")],
            lost(("webview", "the page inside the chat", "a link to it")), id="a webview becomes a text",
        ),
        pytest.param(
            Webview("/form", "Open", name="The form"), EVERYTHING, [Text("The form")],
            lost(("webview", "the page: its address cannot be used", "its text")),
            id="a webview without a page",
        ),
        pytest.param(
            Webview(f"{SITE}/form"), EVERYTHING, [Webview(f"{SITE}/form", "example.com")], (),
            id="a webview without a label",
        ),
        pytest.param(Handover("To Ann"), TEXT_ONLY, [Text("To Ann")], (), id="a handover is said"),
        pytest.param(
            Handover(""), TEXT_ONLY, [], lost(("handover", "a handover without a text", "")),
            id="a silent handover"
        ),
        pytest.param(Notice("close", "Bye", SARAH), TEXT_ONLY, [Text("Bye")], (), id="a notice is said"),
        pytest.param(
            Notice("close", ""), EVERYTHING, [], lost(("notice", "a notice without a text", "")),
            id="no notice"
        ),
        pytest.param(
            Typing(on=True), TEXT_ONLY, [], lost(("typing", "the typing sign", "")),
            id="no typing sign",
        ),
        pytest.param(Receipt("read"), TEXT_ONLY, [], lost(("receipt", "the receipt", "")), id="no receipt"),
        pytest.param(
            Carousel((PRODUCT, Card("B", buttons=(Postback("Buy", "buy_b"),)))), TEXT_ONLY,
            [
                Text(
                    f"Product A\n$29\nMore: {SITE}/a\n{PICTURE}\n\n1. Buy",
                    numbered=(Choice("1", "Buy", "buy_a"),),
                ),
                Text("B\n\n2. Buy", numbered=(Choice("1", "Buy", "buy_a"), Choice("2", "Buy", "buy_b"))),
            ],
            lost(
                ("carousel", "the carousel", "a message for each card"),
                ("card", "a card's image", "a link to it"),
                ("card", "the card", "text"),
                NUMBERED,
            ),
            id="a carousel becomes texts whose numbers go on",
        ),
        pytest.param(
            PRODUCT, Capabilities(shows=frozenset({Text, Image}), options=3),
            [Image(PICTURE), Text(f"Product A\n$29\nMore: {SITE}/a", (Option("Buy", "buy_a"),))],
            lost(("card", "the card", "image and text")), id="a card becomes a picture and a text",
        ),
        pytest.param(
            Card("A", "b", Media("image", PICTURE), (MORE,)),
            Capabilities(shows=frozenset({Text, Image}), caption=100),
            [Image(PICTURE, f"A\nb\nMore: {SITE}/a")], lost(("card", "the card", "image")),
            id="a card becomes a picture with a caption",
        ),
        pytest.param(
            Carousel((PRODUCT,)), CARDS, [PRODUCT], (), id="a carousel of one card is that card",
        ),
        pytest.param(
            Carousel((Card("A"), Card("B"), Card("C"))), CAROUSELS,
            [Carousel((Card("A"), Card("B"))), Carousel((Card("C"),))],
            lost(("carousel", "the carousel as one", "several carousels")),
            id="many cards are several carousels",
        ),
        pytest.param(
            Carousel((PRODUCT, Card("A"))), replace(CAROUSELS, side_by_side=lambda cards: len(cards) == 2),
            [Carousel((PRODUCT, Card("A")))], (), id="cards that can stand side by side",
        ),
        pytest.param(
            Carousel((PRODUCT, Card("A"), Card("B"))),
            replace(CAROUSELS, cards=2, side_by_side=lambda cards: len(cards) == 2),
            [Carousel((PRODUCT, Card("A"))), Card("B")],
            lost(
                ("carousel", "the carousel as one", "several carousels"),
                ("carousel", "the carousel", "a message for each card"),
            ),
            id="a card that cannot stand with the others is a message of its own",
        ),
        pytest.param(
            Carousel((Card("A"), Card(" "))), CAROUSELS, [Carousel((Card("A"),))],
            lost(("carousel", "a card with nothing on it", "")), id="an empty card",
        ),
        pytest.param(
            Carousel(()), EVERYTHING, [], lost(("carousel", "a carousel without cards", "")), id="no cards"
        ),
        pytest.param(
            Carousel((Card("A title that is too long", "ok"),)), CAROUSELS,
            [Carousel((Card("A title that is too…", "ok"),)), Text("A title that is too long\nok")],
            lost(("carousel", "the end of a card's text", "a message of its own")),
            id="a card's long text is said in full",
        ),
        pytest.param(
            Card("Many", buttons=(BUY, MORE, FORM)), CARDS,
            [Card("Many", buttons=(BUY, MORE)), Card("Many", buttons=(FORM,))], (),
            id="many buttons are more cards",
        ),
        pytest.param(
            Card("A", buttons=(BUY, MORE)), Capabilities(shows=frozenset({Text, Card}), options=2),
            [Card("A"), Text(f"A\nMore: {SITE}/a", (Option("Buy", "buy_a"),))],
            lost(("card", "the buttons of a card", "a text with them")), id="cards without buttons",
        ),
        pytest.param(
            Card("A", media=Media("video", PICTURE)),
            Capabilities(shows=frozenset({Text, Card, Video}), card_media=frozenset({"image"})),
            [Card("A"), Video(PICTURE)], lost(("card", "a card's video", "a message of its own")),
            id="a video no card can have",
        ),
        pytest.param(
            Card("A", media=Media("image", "http://example.com/a.jpg")),
            Capabilities(shows=frozenset({Text, Card, Image}), media_schemes=frozenset({"https"})),
            [Card("A"), Text("http://example.com/a.jpg")],
            lost(("card", "a card's image", "a message of its own"),
            ("image", "the image itself", "a link to it")),
            id="a picture no card can load",
        ),
        pytest.param(
            Card("Ξ" * 15, default_action=MORE, buttons=(FORM,)),
            replace(CARDS, unit="bytes", card_unit="characters", card_action=True, card_action_says=False),
            [Card("Ξ" * 15, default_action=MORE, buttons=(FORM,))], (),
            id="a card whose texts are counted in characters, and whose action opens a page",
        ),
        pytest.param(
            Card("A", default_action=Postback("Buy", "buy")),
            replace(CARDS, card_action=True, card_action_says=False),
            [Card("A", buttons=(Postback("Buy", "buy"),))], (),
            id="an action that says something is a button where it can only open a page",
        ),
        pytest.param(
            Card("A", media=Media("image", "data:x")), CARDS, [Card("A")],
            lost(("card", "a card's image: its address cannot be used", "")),
            id="a picture with a bad address",
        ),
        pytest.param(
            Card("A", buttons=(Link("Mail", "mailto:a@b.example"), Link("Bad", "javascript:1"))), CARDS,
            [Card("A"), Text("A\nMail: mailto:a@b.example")],
            lost(("card", "a button: its address cannot be used", ""),
            ("card", "a button", "a line of text")),
            id="links no button can have",
        ),
        pytest.param(
            Card("A", buttons=(Link("", f"{SITE}/x"), Postback("", "said"), Postback("", ""))),
            Capabilities(shows=frozenset({Text, Card}), card_buttons=3),
            [Card("A", buttons=(Link("example.com", f"{SITE}/x"), Postback("said", "said")))],
            lost(("card", "a button with nothing on it", "")), id="buttons without labels",
        ),
        pytest.param(
            Card("A", default_action=Link("", f"{SITE}/tap")), CARDS,
            [Card("A", buttons=(Link("A", f"{SITE}/tap"),))], (), id="a tap becomes a button",
        ),
        pytest.param(
            Card("A", buttons=(MORE,), default_action=Link("Tap", MORE.url)),
            CARDS, [Card("A", buttons=(MORE,))], (),
            id="a tap that does what a button does",
        ),
        pytest.param(
            Card(buttons=(BUY,)), CARDS, [Card("…", buttons=(BUY,))], (), id="a card of buttons alone"
        ),
        pytest.param(
            Card(), CARDS, [], lost(("card", "a card with nothing on it", "")),
            id="nothing on a card",
        ),
        pytest.param(
            Text("a\x00b\r\nc\ud800"), TEXT_ONLY, [Text("ab\nc\ufffd")], (),
            id="control characters are taken out"
        ),
    ],
)  # fmt: skip
def test_steps_down_the_ladder(
    content: Content, can: Capabilities, shown: list[Content], losses: tuple[Loss, ...]
) -> None:
    assert fit(content, can) == (tuple(shown), losses)


def _lines(*contents: Content) -> list[tuple[str, str]]:
    """The texts of an event, and the marks of the lines up to each."""
    shown = [text for fitted, _ in fit_all(contents, TEXT_ONLY) for text in fitted]
    return [(t.text, "".join(each.mark for each in t.numbered)) for t in shown if isinstance(t, Text)]


def test_numbers_go_on_from_those_before_in_the_event() -> None:
    asked = (Text("Well?", (Option("A", "a"),)), Text("Hm."), Text("Sure?", YES_NO))
    assert _lines(*asked) == [("Well?\n\n1. A", "1"), ("Hm.", ""), ("Sure?\n\n2. Yes\n3. No", "123")]


def test_a_digit_at_the_beginning_of_one_label_gives_all_lines_of_the_event_letters() -> None:
    cards = tuple(Card(label, buttons=(Postback(label, label),)) for label in ("House", "2 rooms"))
    texts = ["House\n\n{}. House", "2 rooms\n\n{}. 2 rooms", "Sure?\n\n{}. Yes\n{}. No"]
    assert _lines(Carousel(cards), Text("Sure?", YES_NO)) == [
        (texts[0].format("A"), "A"),
        (texts[1].format("B"), "AB"),
        (texts[2].format("C", "D"), "ABCD"),
    ]
    assert _lines(Carousel(cards[:1]), Text("Sure?", YES_NO)) == [
        (texts[0].format("1"), "1"),
        (texts[2].format("2", "3"), "123"),
    ]


def test_a_label_on_a_button_decides_about_no_line() -> None:
    can = Capabilities(shows=frozenset({Text, Card}), card_buttons=3, options=1)
    shown = fit_all((Card("A", buttons=(Postback("2 rooms", "2"),)), Text("Sure?", YES_NO)), can)
    assert shown[1][0] == (Text("Sure?\n\n1. Yes\n2. No", numbered=mark(YES_NO)),)


def test_the_parts_of_a_long_list_have_one_row_of_letters() -> None:
    rooms = tuple(Option(f"{n} rooms", f"{n}") for n in range(40))
    shown, _ = fit(Text("How many?", rooms), Capabilities(text=100))
    lines = [line for part in shown if isinstance(part, Text) for line in part.text.splitlines()]
    assert len(shown) > 4
    assert [line for line in lines if ". " in line] == [
        f"{choice.mark}. {choice.label}" for choice in mark(rooms)
    ]
    assert [part.numbered for part in shown if isinstance(part, Text)][-2:] == [(), mark(rooms)]


# ---- whatever the channel, whatever the content ------------------------------------------------------------

lengths = st.integers(12, 60)
kinds = st.sets(st.sampled_from(get_args(Content))).map(lambda some: frozenset({Text, *some}) - {Pause})
capabilities = st.builds(
    Capabilities,
    shows=kinds, unit=st.sampled_from(["characters", "utf16", "bytes"]), text=lengths,
    caption=st.sampled_from([0, 12, 40]), options=st.integers(0, 4), option_label=lengths,
    cards=st.integers(1, 3),
    card_title=lengths, card_text=lengths, card_buttons=st.integers(0, 3), button_label=lengths,
    card_media=st.sets(st.sampled_from(["image", "video"])).map(frozenset), card_action=st.booleans(),
    links=st.sets(st.sampled_from(["http", "https", "mailto", "tel"])).map(frozenset),
    url=st.integers(25, 60),
    card_unit=st.sampled_from([None, "characters"]), card_action_says=st.booleans(),
    side_by_side=st.sampled_from([None, lambda cards: len(cards) == 2]),
    media_bytes=st.sampled_from([{}, {"video": 10, "file": 5}]), authors=st.booleans(),
    media_sized=st.sets(st.sampled_from(["video", "audio", "file"])).map(frozenset),
    media_schemes=st.sampled_from([frozenset({"http", "https"}), frozenset({"https"})]),
    media_endings=st.sampled_from([{}, {"image": frozenset({".jpg"})}]),
    media_url=st.none() | st.integers(25, 80),
)  # fmt: skip

words = st.one_of(
    st.sampled_from(
        ["", " ", "short", "two words", "\u200b", "x" * 70, "many words " * 12, "é😀👨\u200d👩\u200d👧" * 8]
    ),
    st.text(max_size=20),
)
urls = st.sampled_from(
    [
        SITE,
        f"{SITE}/{'long' * 9}",
        "javascript:1",
        "",
        "mailto:a@b.example",
        "tel:+301",
        "https://ελ.gr/ά",
        "http://a.gr/ b",
    ]
)
authors = st.none() | st.builds(Author, words)
buttons = st.one_of(
    st.builds(Postback, words, words),
    st.builds(Link, words, urls),
    st.builds(OpenWebview, words, urls, st.sampled_from(["full", "new_window"])),
)
cards = st.builds(
    Card,
    words,
    words,
    st.none() | st.builds(Media, st.sampled_from(["image", "video"]), urls),
    st.lists(buttons, max_size=5).map(tuple),
    st.none() | buttons,
)
sizes = st.none() | st.integers(0, 20)
contents: st.SearchStrategy[Any] = st.one_of(
    st.builds(Text, words, st.lists(st.builds(Option, words, words), max_size=6).map(tuple), authors),
    st.builds(Image, urls, words, authors),
    *(st.builds(media, urls, words, sizes, authors) for media in (Video, Audio, File)),
    cards,
    st.builds(Carousel, st.lists(cards, max_size=5).map(tuple)),
    st.builds(Webview, urls, words, st.just("tall"), words),
    st.builds(Handover, words),
    st.builds(Notice, st.just("close"), words, authors),
    st.builds(Typing, st.booleans(), authors),
    st.builds(Receipt, st.sampled_from(["read", "delivered"])),
)
any_case = settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)


@any_case
@given(contents, capabilities)
def test_what_is_left_is_within_the_capabilities(content: Content, can: Capabilities) -> None:
    shown, _ = fit(content, can)
    assert [problem for each in shown for problem in excess(each, can)] == []


@any_case
@given(contents, capabilities)
def test_what_fits_is_final(content: Content, can: Capabilities) -> None:
    shown, _ = fit(content, can)
    for each in shown:
        assert fit(each, can) == ((each,), ())


least = st.integers(1, 3)
narrow = st.builds(
    Capabilities,
    shows=kinds, unit=st.sampled_from(["characters", "utf16", "bytes"]), text=least,
    caption=st.integers(0, 2), options=st.integers(0, 2), option_label=least, cards=least, card_title=least,
    card_text=st.integers(0, 2), card_buttons=st.integers(0, 2), button_label=least, url=least,
    payload_bytes=st.just(2), card_action=st.booleans(), authors=st.booleans(),
)  # fmt: skip


@settings(any_case, max_examples=200)
@given(contents, narrow)
def test_the_smallest_limits_end_too(content: Content, can: Capabilities) -> None:
    """Degrading ends for all limits that Capabilities lets pass."""
    shown, losses = fit(content, can)
    assert shown or losses


@any_case
@given(contents, capabilities)
def test_what_is_not_shown_is_named_as_lost(content: Content, can: Capabilities) -> None:
    shown, losses = fit(content, can)
    assert shown or losses
    if any(not loss.shown or re.search("address|shortened", f"{loss.lost}{loss.shown}") for loss in losses):
        return  # a Loss accounts for what is missing; everything else has to be there
    said = squeezed("".join(visible(each) for each in shown))
    for fragment in fragments(content):
        assert squeezed(fragment) in said


@any_case
@given(contents, capabilities)
def test_a_loss_quotes_nobody(content: Content, can: Capabilities) -> None:
    _, losses = fit(Text("zzyzx zzyzx", (Option("zzyzx", "zzyzx"),), Author("zzyzx" * 30)), can)
    assert all("zzyzx" not in f"{loss.lost}{loss.shown}" for loss in losses)
    assert all(loss.content in {kind(each) for each in get_args(Content)} for loss in fit(content, can)[1])


@pytest.mark.parametrize(
    "can", [TEXT_ONLY, CARDS, CAROUSELS, EVERYTHING], ids=["text", "cards", "carousels", "all"]
)
@pytest.mark.parametrize("name", corpus())
def test_the_corpus_is_shown_or_lost_by_name(name: str, can: Capabilities) -> None:
    shown, losses = fit(corpus()[name], can)
    assert shown or losses
    assert [problem for each in shown for problem in excess(each, can)] == []


# ---- what to measure by ------------------------------------------------------------------------------------


def excess(content: Content, can: Capabilities) -> Iterator[str]:
    """What of a content is over what a channel can show."""
    if type(content) not in can.shows and not isinstance(content, Pause):
        yield f"{kind(content)} is not shown"
    match content:
        case Text():
            yield from _over("text", content.text, can.text, can)
            yield from _labelled(content.options, can.options, can.option_label)
            if blank(content.text) and not content.text:
                yield "a text with nothing in it"
        case Image() | Video() | Audio() | File():
            yield from _over("name", content.name, can.caption, can)
            yield from _file(content.url, kind(content), can)
            if kind(content) in can.media_sized and getattr(content, "size", None) is None:
                yield f"a {kind(content)} without its size"
        case Card():
            counted = replace(can, unit=can.card_unit or can.unit)
            yield from _over("title", content.title, can.card_title, counted)
            yield from _over("subtitle", content.subtitle, can.card_text, counted)
            yield from _labelled(content.buttons, can.card_buttons, can.button_label)
            if content.media:
                yield from _file(content.media.url, content.media.kind, can)
                if content.media.kind not in can.card_media:
                    yield f"a card cannot have a {content.media.kind}"
            if content.default_action and not can.card_action:
                yield "a card cannot be tapped"
            if isinstance(content.default_action, Postback) and not can.card_action_says:
                yield "a tap cannot say anything"
            for button in (*content.buttons, content.default_action):
                if isinstance(button, Link | OpenWebview):
                    yield from _address(button.url, can, can.links)
        case Carousel():
            if not 0 < len(content.cards) <= max(can.cards, 1):
                yield f"{len(content.cards)} cards"
            shows_cards = Capabilities(**{**_fields(can), "shows": can.shows | {Card}})
            yield from (problem for card in content.cards for problem in excess(card, shows_cards))
        case Webview():
            yield from _over("name", content.name, can.text, can)
            yield from _address(content.url, can, {"http", "https"})
            yield from _labelled((content,), 1, can.button_label)
        case Handover() | Notice():
            yield from _over("text", content.text, can.text, can)
    author = getattr(content, "author", None)
    if author and not can.authors and not isinstance(content, Notice | Typing):
        yield "an author the channel cannot show"


def _fields(can: Capabilities) -> dict[str, Any]:
    return {name: getattr(can, name) for name in can.__struct_fields__}


def _over(what: str, text: str, limit: int, can: Capabilities) -> Iterator[str]:
    if not fits(text, limit, can.unit):
        yield f"{what} is over {limit}"
    if clean(text) != text:
        yield f"{what} is not clean"


def _labelled(things: Any, most: int, longest: int) -> Iterator[str]:
    labels = [thing.label for thing in things]
    if len(labels) > most:
        yield f"{len(labels)} instead of {most}"
    if len(set(labels)) < len(labels):
        yield "labels that are alike"
    if any(not label or len(label) > longest or "\n" in label for label in labels):
        yield "a label that does not fit"


def _address(url: str, can: Capabilities, schemes: Any) -> Iterator[str]:
    if link(url) != url or url.partition(":")[0] not in schemes or len(url) > can.url:
        yield "an address that cannot be used"


def _file(url: str, what: Any, can: Capabilities) -> Iterator[str]:
    yield from _address(url, replace(can, url=can.media_url or can.url), can.media_schemes)
    path = url.partition("?")[0]
    if what in can.media_endings and not any(path.endswith(end) for end in can.media_endings[what]):
        yield "a file of a format that is not shown"


SEEN = (
    "text",
    "name",
    "title",
    "subtitle",
    "media",
    "options",
    "numbered",
    "buttons",
    "cards",
    "label",
    "value",
    "url",
)
"""What can be seen of a content; first what may be the last part of a text that was split."""


def visible(content: Any) -> str:
    """All that can be seen of a content in a row, but its author, who stands between two parts of a text."""
    if isinstance(content, str):
        return content
    if isinstance(content, tuple):
        return " ".join(map(visible, content))
    return " ".join(visible(getattr(content, name)) for name in SEEN if hasattr(content, name))


def fragments(content: Any) -> Iterator[str]:
    """The texts and addresses of a content that have to be found in what is shown."""
    if isinstance(content, Carousel):
        for card in content.cards:
            yield from fragments(card)
    if isinstance(content, Card):
        for part in (content.media, *content.buttons):
            yield from fragments(part) if part else ()
    if isinstance(content, Text):
        for option in content.options:
            yield from fragments(option)
    for name in ("text", "title", "subtitle", "label", "value", "name", "url"):
        text = getattr(content, name, "")
        yield (link(text) or text) if name == "url" else clean(text)


def squeezed(text: str) -> str:
    """The text without what cutting may take or add: white space, and marks nobody sees."""
    return "".join(character for character in text if character.isprintable() and not character.isspace())
