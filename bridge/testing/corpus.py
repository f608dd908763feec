"""Every content there is, from the plainest to what only a test would write."""

from __future__ import annotations

from typing import Final

from bridge.content import (
    Audio,
    Author,
    Button,
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
    Pause,
    Postback,
    Receipt,
    Text,
    Typing,
    Video,
    Webview,
)

SITE: Final = "https://example.com"
PICTURE: Final = f"{SITE}/picture.jpg"
CLIP: Final = f"{SITE}/clip.mp4"
SARAH: Final = Author("Sarah Johnson", "agent-123", f"{SITE}/sarah.jpg")
FAMILY: Final = "👨\u200d👩\u200d👧\u200d👦"
MARKUP: Final = (
    r"""<b>bold</b> & &amp; *star* _under_ ~tilde~ `tick` [a](http://b) \ {curly} |bar| > # + - = . ! <@U1>"""
)
HOSTILE: Final = "{author} ${x} %s \x00\x07\x1b[31mred \u202eright\u202c \ud800 \ufffe 'quote\" </script>"

LONG_TEXTS: Final = {
    "latin": "The quick brown fox jumps over the lazy dog. " * 30 + "\n\n" + "Pack my box with jugs. " * 400,
    "lines": "\n".join(f"{number}: an entry of a long list" for number in range(400)),
    "greek": "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. " * 300,
    "arabic": "نص حكيم له سر قاطع وذو شأن عظيم مكتوب على ثوب أخضر. " * 200,
    "chinese": "我能吞下玻璃而不伤身体。" * 900,
    "hindi": "ऋषियों को सताने वाले दुष्ट राक्षसों के राजा रावण का सर्वनाश। " * 160,
    "thai": "เป็นมนุษย์สุดประเสริฐเลิศคุณค่า" * 320,
    "emoji": (FAMILY + "🇬🇷" + "👍🏽" + "e\u0301") * 500,
    "one-word": "x" * 9000,
    "one-cluster": "e" + "\u0301" * 5000,
    "markup": (MARKUP + "\n") * 90,
}
ODD_URLS: Final = {
    "empty": "",
    "script": "javascript:alert(1)",
    "hidden-script": " java\nscript:alert(1)",
    "data": "data:text/html,<b>x</b>",
    "relative": "/relative/path.png",
    "no-scheme": "//example.com/x.png",
    "user": "https://example.com@evil.example/",
    "backslash": "https:\\\\example.com\\x",
    "no-host": "https:///x",
    "bad-port": "https://example.com:port/",
    "spaces": f"  {SITE}/a file (1).pdf ",
    "scripts": "https://παράδειγμα.gr/μονοπάτι?q=τιμή",
    "quotes": f"{SITE}/?q=\"<'>&x=1#frag",
    "plain-http": "http://example.com/x.png",
    "long": f"{SITE}/?q=" + "x" * 5000,
    "mailto": "mailto:shop@example.com",
    "tel": "tel:+30 210 123-4567",
}


def corpus() -> dict[str, Content]:
    """Contents by name: "text/long-arabic", "carousel/25-cards", ... The same at every call."""
    return {
        f"{group}/{name}": content
        for group, contents in (
            ("text", _texts()),
            ("options", _options()),
            ("media", _media()),
            ("card", _cards()),
            ("carousel", _carousels()),
            ("webview", _webviews()),
            ("lifecycle", _lifecycle()),
        )
        for name, content in contents.items()
    }


def _texts() -> dict[str, Content]:
    return {
        "plain": Text("Hello! How can I help you today?"),
        "empty": Text(""),
        "blank": Text(" \n\t\u200b "),
        "markup": Text(MARKUP),
        "hostile": Text(HOSTILE),
        "emoji": Text(FAMILY),
        "author": Text("Hi! I am Sarah from support.", author=SARAH),
        "author-markup": Text(MARKUP, author=Author("<b>*Eve*</b>\n_x_")),
        "author-huge": Text("Hi!", author=Author("Maximiliana " * 100)),
        "author-nameless": Text("Hi!", author=Author(" ")),
        **{f"long-{name}": Text(text) for name, text in LONG_TEXTS.items()},
        "long-author": Text(LONG_TEXTS["latin"], author=SARAH),
    }


def _options() -> dict[str, Content]:
    def some(count: int) -> tuple[Option, ...]:
        return tuple(Option(f"Choice {number}", f"I choose {number}") for number in range(1, count + 1))

    alike = "The same long beginning of a label that goes on for longer than any phone is wide, "
    return {
        **{f"{n}": Text("Pick one", some(n)) for n in (1, 2, 3, 4, 5, 8, 10, 11, 13, 14, 25, 26, 40, 101)},
        "without-text": Text("", some(3)),
        "long-text": Text(LONG_TEXTS["latin"], some(3)),
        "long-labels": Text("Pick", tuple(Option(alike + end, end) for end in ("north", "south", "south"))),
        "emoji-labels": Text("Pick", tuple(Option(FAMILY * 9 + end, end) for end in "ab")),
        "long-values": Text("Pick", tuple(Option(end, "value " * 400 + end) for end in ("one", "two"))),
        "token-like": Text("Pick", (Option("Tilde", "~abc"), Option("Markup", MARKUP))),
        "holes": Text(
            "Pick", (Option("", "said"), Option("seen", ""), Option(" ", ""), Option("a\nb", "c\nd"))
        ),
        "alike": Text("Pick", (Option("Yes", "yes, first"), Option("Yes", "yes, second"))),
        "author": Text("Pick one", some(2), SARAH),
    }


def _media() -> dict[str, Content]:
    return {
        "image": Image(PICTURE, "Product Image"),
        "image-nameless": Image(PICTURE),
        "image-author": Image(PICTURE, "Look", SARAH),
        "image-long-name": Image(PICTURE, LONG_TEXTS["latin"]),
        "image-markup": Image(PICTURE, MARKUP),
        "video": Video(CLIP, "Tutorial Video"),
        "video-huge": Video(CLIP, "The film", 10**12),
        "audio": Audio(f"{SITE}/voice.mp3", "Voice Message"),
        "audio-author": Audio(f"{SITE}/voice.ogg", author=SARAH),
        "file": File(f"{SITE}/document.pdf", "Invoice.pdf", 102_400),
        "file-author": File(f"{SITE}/document", "<Invoice> \ud83d.pdf", author=SARAH),
        "file-huge": File(f"{SITE}/backup.zip", "Backup " * 50, 10**12),
        **{f"image-url-{name}": Image(url, "Picture") for name, url in ODD_URLS.items()},
        **{f"file-url-{name}": File(url, "", 1) for name, url in ODD_URLS.items()},
    }


def _buttons() -> tuple[Button, ...]:
    return (
        Postback("Buy Now", "buy_product_a", "node-1"),
        Link("Learn More", f"{SITE}/product-a"),
        OpenWebview("Configure", f"{SITE}/configure", "tall", "node-2"),
    )


def _card(number: int = 1) -> Card:
    picture = Media("image", f"{SITE}/{number}.jpg")
    return Card(f"Product {number}", f"${number}.99", picture, _buttons())


def _cards() -> dict[str, Content]:
    return {
        "whole": _card(),
        "nothing": Card(),
        "title": Card("Only a title"),
        "subtitle": Card(subtitle="Only a subtitle"),
        "picture": Card(media=Media("image", PICTURE)),
        "video": Card("A film", "Two minutes", Media("video", CLIP), _buttons()),
        "buttons": Card(buttons=_buttons()),
        "many-buttons": Card("Many", buttons=tuple(Postback(f"B {n}", f"value {n}") for n in range(1, 15))),
        "many-links": Card("Many", buttons=tuple(Link(f"L {n}", f"{SITE}/{n}") for n in range(1, 15))),
        "long": Card(
            LONG_TEXTS["latin"][:900], LONG_TEXTS["greek"][:3000], Media("image", PICTURE), _buttons()
        ),
        "markup": Card(MARKUP, MARKUP, buttons=(Postback(MARKUP, MARKUP),)),
        "hostile": Card(HOSTILE, HOSTILE, buttons=(Postback(HOSTILE, HOSTILE),)),
        "holes": Card(
            "Holes", buttons=(Postback("", "v"), Postback("l", ""), Postback("", ""), Link("", SITE))
        ),
        "long-labels": Card("Long", buttons=tuple(Postback("A long label " * 9 + end, end) for end in "ab")),
        "tap-link": Card("Tap", default_action=Link("", f"{SITE}/tap")),
        "tap-same": Card("Tap", buttons=_buttons(), default_action=Link("Open", f"{SITE}/product-a")),
        "tap-postback": Card("Tap", "me", default_action=Postback("", "tapped")),
        "tap-alone": Card(default_action=OpenWebview("Open", SITE)),
        "tap-bad": Card("Tap", default_action=Link("", "javascript:alert(1)")),
        **{f"link-{name}": Card("Links", buttons=(Link("Go", url),)) for name, url in ODD_URLS.items()},
        **{f"webview-{name}": Card("W", buttons=(OpenWebview("Go", url),)) for name, url in ODD_URLS.items()},
        **{f"picture-{name}": Card("P", media=Media("image", url)) for name, url in ODD_URLS.items()},
    }


def _carousels() -> dict[str, Content]:
    mixed = (
        _card(),
        Card("Plain"),
        Card("Film", media=Media("video", CLIP)),
        Card(),
        Card(buttons=_buttons()),
    )
    return {
        **{f"{n}-cards": Carousel(tuple(map(_card, range(1, n + 1)))) for n in (0, 1, 2, 3, 10, 11, 12, 25)},
        "mixed": Carousel(mixed),
        "empty-cards": Carousel((Card(), Card(" ", "\n"))),
        "long": Carousel(tuple(Card(f"{n} " + "title " * 90, "subtitle " * 500) for n in (1, 2))),
        "many-buttons": Carousel(
            tuple(
                Card(f"C {n}", buttons=tuple(Postback(f"B {m}", f"{n}.{m}") for m in range(8)))
                for n in (1, 2)
            )
        ),
    }


def _webviews() -> dict[str, Content]:
    return {
        "full": Webview(f"{SITE}/form", "Fill out form"),
        "tall": Webview(f"{SITE}/form", "Fill out form", "tall"),
        "compact": Webview(f"{SITE}/form", "Fill out form", "compact", "A small form"),
        "new-window": Webview(f"{SITE}/form", "Open", "new_window"),
        "http": Webview("http://example.com/form", "Open"),
        "label-missing": Webview(f"{SITE}/form"),
        "label-long": Webview(f"{SITE}/form", "Fill out this form " * 20),
        "name-long": Webview(f"{SITE}/form", "Open", name=LONG_TEXTS["latin"]),
        "markup": Webview(f"{SITE}/form", MARKUP, name=MARKUP),
        **{f"url-{name}": Webview(url, "Open", name="The form") for name, url in ODD_URLS.items()},
    }


def _lifecycle() -> dict[str, Content]:
    return {
        "handover": Handover("Transferring you to a human agent...", "To support", "desk-123", "support"),
        "handover-empty": Handover(""),
        "handover-long": Handover(LONG_TEXTS["latin"]),
        "notice": Notice("conversation:member_join", "Sarah Johnson joined the conversation.", SARAH),
        "notice-close": Notice("close", "The conversation is closed."),
        "notice-empty": Notice("conversation:closed", ""),
        "notice-markup": Notice("conversation:closed", MARKUP),
        "notice-long": Notice("conversation:closed", LONG_TEXTS["latin"]),
        "typing": Typing(on=True, author=SARAH),
        "typing-off": Typing(on=False),
        "read": Receipt("read", "agent"),
        "delivered": Receipt("delivered", "brain"),
        "pause": Pause(2),
        "pause-typing": Pause(2.5, typing=True),
        "pause-none": Pause(0, typing=True),
        "pause-negative": Pause(-1),
        "pause-endless": Pause(86_400, typing=True),
    }
