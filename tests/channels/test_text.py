"""Text is cut where a reader would cut it, and to the platform's own measure."""

from __future__ import annotations

import re

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from bridge.channels.capabilities import Unit
from bridge.channels.text import blank, clean, cut, fits, labels, measure, payload, split

FAMILY = "👨\u200d👩\u200d👧\u200d👦"
UNITS: tuple[Unit, ...] = ("characters", "utf16", "bytes")
units = st.sampled_from(UNITS)
pieces = st.sampled_from(
    [
        FAMILY,
        "🇬🇷",
        "👍🏽",
        "e\u0301",
        "क्षि",
        "가",
        "a",
        "Z",
        ".",
        "。",
        "!",
        " ",
        "  ",
        "\n",
        "\n\n",
        "\t",
        "\r\n",
        "\u0301",
    ]
)
texts = st.one_of(st.lists(pieces, max_size=120).map("".join), st.text(max_size=200)).map(clean)


@pytest.mark.parametrize(
    ("text", "unit", "length"),
    [
        ("é", "characters", 1),
        ("é", "bytes", 2),
        ("😀", "characters", 1),
        ("😀", "utf16", 2),
        ("😀", "bytes", 4),
        ("\ud83d", "utf16", 1),
    ],
)
def test_measures_in_the_platform_s_unit(text: str, unit: Unit, length: int) -> None:
    assert measure(text, unit) == length
    assert fits(text, length, unit)
    assert not fits(text, length - 1, unit)


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        pytest.param("short", 10, ["short"], id="fits"),
        pytest.param(" as it is ", 10, [" as it is "], id="fits-untouched"),
        pytest.param("", 10, [], id="empty"),
        pytest.param(" \n\t ", 2, [], id="blank"),
        pytest.param(
            "First one.\n\nSecond one. More", 18, ["First one.", "Second one. More"], id="paragraph"
        ),
        pytest.param("First line\nsecond line here", 18, ["First line", "second line here"], id="line"),
        pytest.param("One two. Three four five", 16, ["One two.", "Three four five"], id="sentence"),
        pytest.param(
            "He said “No.” And went away", 22, ["He said “No.”", "And went away"], id="quoted-sentence"
        ),
        pytest.param("one two three four", 9, ["one two", "three", "four"], id="word"),
        pytest.param("A. bbbbb ccccc ddddd", 16, ["A. bbbbb ccccc", "ddddd"], id="no-part-nearly-empty"),
        pytest.param("x" * 10, 4, ["xxxx", "xxxx", "xx"], id="nothing-but-letters"),
        pytest.param(
            "这是一个测试。这是另一个。", 10, ["这是一个测试。", "这是另一个。"], id="script-without-spaces"
        ),
        pytest.param(FAMILY * 3, 15, [FAMILY * 2, FAMILY], id="emoji-family"),
        pytest.param("ab e\u0301e\u0301", 5, ["ab", "e\u0301e\u0301"], id="accents"),
        pytest.param("aaaa \u0301bb", 4, ["aaaa", " \u0301bb"], id="accent-on-a-space"),
    ],
)
def test_splits_at_the_coarsest_break_that_is_any_good(text: str, limit: int, parts: list[str]) -> None:
    assert split(text, limit) == parts


@given(text=texts, limit=st.integers(4, 60), unit=units)
def test_no_part_is_over_the_limit_or_blank(text: str, limit: int, unit: Unit) -> None:
    for part in split(text, limit, unit):
        assert part
        assert not part.isspace()
        assert measure(part, unit) <= limit


@given(text=texts, limit=st.integers(4, 60), unit=units)
def test_splitting_loses_only_white_space_at_the_cuts(text: str, limit: int, unit: Unit) -> None:
    parts = split(text, limit, unit)
    between = r"\s*".join(map(re.escape, parts))
    assert re.fullmatch(rf"\s*{between}\s*", text)


@given(text=texts, limit=st.integers(30, 60), unit=units)
def test_never_cuts_a_cluster_that_fits(text: str, limit: int, unit: Unit) -> None:
    clusters = regex.findall(r"\X", text)
    if any(not fits(cluster, limit, unit) for cluster in clusters):
        return
    ends = {0}
    for cluster in clusters:
        ends.add(max(ends) + len(cluster))
    start = 0
    for part in split(text, limit, unit):
        start = text.index(part, start)
        assert start in ends or text[:start].isspace() or text[start - 1].isspace()
        start += len(part)
        assert start in ends or text[start].isspace()


@given(text=texts, limit=st.integers(4, 60), unit=units)
def test_a_part_is_not_split_again(text: str, limit: int, unit: Unit) -> None:
    assert [again for part in split(text, limit, unit) for again in split(part, limit, unit)] == split(
        text, limit, unit
    )


@pytest.mark.parametrize(
    "unit_of_text",
    ["word ", "x", "\u0301", " ", FAMILY, '."', " \n", "。", "a\u0301 "],
    ids=["words", "letters", "accents", "spaces", "emoji", "stops", "lines", "chinese", "spaced accents"],
)
@pytest.mark.parametrize("unit", UNITS)
def test_the_number_of_parts_stays_in_proportion_to_the_text(unit_of_text: str, unit: Unit) -> None:
    """A part is at least half full, but for one before a word that fills the next: so the work is linear."""
    text = "start " + unit_of_text * 30_000 + " end"
    assert len(split(text, 400, unit)) <= 4 * measure(text, unit) / 400 + 2


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    ["🇬" * 600_000, "。" * 600_000, "x" + " " * 600_000 + "\u0301"],
    ids=["flags", "full stops", "spaces before an accent"],
)
def test_a_run_without_a_break_does_not_take_the_square_of_its_length(text: str) -> None:
    """A part of a second; minutes without the rule."""
    assert len(split(text, 300_000)) == 2
    assert cut(text, 300_000).endswith("…")


@pytest.mark.parametrize(
    ("text", "limit", "unit", "short"),
    [
        ("fits", 4, "characters", "fits"),
        ("does not fit", 8, "characters", "does no…"),
        ("does not fit", 6, "characters", "does…"),
        (FAMILY * 2, 10, "characters", FAMILY + "…"),
        ("😀😀😀", 5, "utf16", "😀😀…"),
        ("αβγδ", 7, "bytes", "αβ…"),
        ("αβγδ", 2, "bytes", "α"),
    ],
)
def test_cut_ends_with_an_ellipsis_within_the_limit(text: str, limit: int, unit: Unit, short: str) -> None:
    assert cut(text, limit, unit) == short
    assert fits(short, limit, unit)


@pytest.mark.parametrize(
    ("given_labels", "limit", "short"),
    [
        pytest.param(["Yes", "No"], 20, ["Yes", "No"], id="short"),
        pytest.param(["a  b\nc"], 20, ["a b c"], id="one-line"),
        pytest.param(["Delivery north", "Delivery south"], 10, ["Delivery…", "Deliver… 2"], id="cut-alike"),
        pytest.param(["Yes", "Yes", "Yes"], 20, ["Yes", "Yes 2", "Yes 3"], id="alike"),
        pytest.param(["Yes 2", "Yes", "Yes"], 20, ["Yes 2", "Yes", "Yes 3"], id="number-taken"),
        pytest.param(["", "b", " "], 20, ["Option 1", "b", "Option 3"], id="empty"),
        pytest.param(["a", "a", "a"], 1, ["a", "2", "3"], id="no-room"),
        pytest.param(
            ["abcdef"] * 11, 6, ["abcdef", *(f"abc… {n}" for n in range(2, 10)), "ab… 10", "ab… 11"], id="ten"
        ),
        pytest.param(["abcd1", "abcd2"] * 2, 5, ["abcd1", "abcd2", "ab… 2", "ab… 3"], id="shortened-alike"),
    ],
)
def test_labels_stay_distinguishable(given_labels: list[str], limit: int, short: list[str]) -> None:
    assert labels(given_labels, limit) == short


@given(st.lists(st.text(max_size=30).map(clean), max_size=60), st.integers(3, 25))
def test_labels_fit_differ_and_are_final(given_labels: list[str], limit: int) -> None:
    short = labels(given_labels, limit)
    assert len(short) == len(given_labels)
    assert all(label and len(label) <= limit for label in short)
    assert len(set(short)) == len(short)
    assert labels(short, limit) == short


@given(st.lists(st.sampled_from(["a", "b", ""]), max_size=40))
def test_labels_end_where_there_are_not_enough_of_them(given_labels: list[str]) -> None:
    short = labels(given_labels, 1)
    assert all(len(label) == 1 for label in short)
    assert labels(short, 1) == short


@pytest.mark.parametrize(
    ("value", "kept"),
    [("buy", False), ("x" * 64, False), ("x" * 65, True), ("α" * 33, True), ("~buy", True), ("", True)],
    ids=["short", "at-the-limit", "over", "over-in-bytes", "looks-like-a-token", "empty"],
)
def test_a_value_that_does_not_fit_goes_behind_a_token(value: str, kept: bool) -> None:
    shown, keep = payload(value, 64)
    assert keep == ({shown: value} if kept else {})
    assert shown.startswith("~") == kept
    assert 0 < len(shown.encode()) <= 64


@given(st.text(max_size=300).map(clean), st.integers(10, 64))
def test_a_payload_gives_the_value_back(value: str, limit: int) -> None:
    shown, keep = payload(value, limit)
    assert len(shown.encode()) <= limit
    assert keep.get(shown, shown) == value
    assert payload(value, limit) == (shown, keep)


def test_different_values_have_different_tokens() -> None:
    assert len({payload(f"{number}" * 100, 64)[0] for number in range(500)}) == 500


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("a\r\nb\rc\x85d\x0be", "a\nb\nc\nd\ne"),
        ("a\x00b\x1b[31mc\x7f\x9f", "ab[31mc"),
        ("\ud83d\ude00", "😀"),
        ("a\ud800b", "a\ufffdb"),
        (FAMILY, FAMILY),
    ],
    ids=["plain", "line-ends", "controls", "surrogate-pair", "lone-surrogate", "joiners"],
)
def test_clean_text_is_valid_and_has_no_control_characters(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(st.text(st.characters(exclude_categories=[])))
def test_clean_text_can_be_encoded_and_is_final(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", clean(text).encode().decode())


@pytest.mark.parametrize(
    ("text", "is_blank"),
    [
        ("", True),
        (" \n\t", True),
        ("\u200b\u2060", True),
        ("\u3000", True),
        (".", False),
        ("😀", False),
        ("\u0301", False),
    ],
)
def test_blank_is_what_cannot_be_seen(text: str, is_blank: bool) -> None:
    assert blank(text) is is_blank


@pytest.mark.parametrize("limit", [0, -1, -100])
def test_a_limit_below_one_ends(limit: int) -> None:
    with pytest.raises(ValueError, match="at most"):
        split("one two three", limit)
    assert cut("one two three", limit) == ""
