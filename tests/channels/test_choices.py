"""What stands before the lines of options, and which option a typed answer chooses."""

from __future__ import annotations

import string
from itertools import islice

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.channels.choices import LABEL, _letters, choose, is_mark, mark
from bridge.content import Choice, Option

STARS = tuple(Option(f"{n} star{'s' * (n > 1)}", f"rating {n}") for n in (5, 4, 3, 2, 1))
YES_NO = (Option("Yes", "yes please"), Option("No", "no thanks"))
BLOOD = tuple(Option(group, group) for group in ("0", "A", "B", "AB"))


def labelled(*labels: str) -> tuple[Option, ...]:
    return tuple(Option(label, f"says {place}") for place, label in enumerate(labels, 1))


@pytest.mark.parametrize(
    ("options", "marks"),
    [
        pytest.param(YES_NO, "1 2", id="words"),
        pytest.param(STARS, "A B C D E", id="stars"),
        pytest.param(labelled("House", "2 rooms"), "A B", id="one of them"),
        pytest.param(labelled("10:30", "11:30"), "A B", id="times"),
        pytest.param(labelled("24/7", "weekdays"), "A B", id="hours"),
        pytest.param(labelled("1st", "last"), "A B", id="ordinals"),
        pytest.param(labelled("(5) many", "(1) few"), "A B", id="parentheses"),
        pytest.param(labelled("€5", "#1", "-3 °C"), "A B C", id="signs"),
        pytest.param(labelled("⭐ 5", "⭐ 4"), "A B", id="after an emoji"),
        pytest.param(labelled("2️⃣", "1️⃣"), "A B", id="keycaps"),
        pytest.param(labelled("② two", "① one"), "A B", id="circled"),
        pytest.param(labelled("½ hour", "whole"), "A B", id="fraction"),
        pytest.param(labelled("٥ نجوم", "٤ نجوم"), "A B", id="arabic digits"),
        pytest.param(labelled("५ तारे", "४ तारे"), "A B", id="devanagari digits"),
        pytest.param(labelled("\u200f5 כוכבים", "אחד"), "A B", id="after a mark of direction"),
        pytest.param(labelled("Room 2", "Room 1"), "1 2", id="a digit later"),
        pytest.param(labelled("⭐⭐", "⭐"), "1 2", id="emoji alone"),
        pytest.param(labelled("五星", "一星"), "1 2", id="words for numbers"),
        pytest.param((Option("Two", "2"), Option("One", "1")), "A B", id="texts are other numbers"),
        pytest.param((Option("One", "1"), Option("Two", "2")), "1 2", id="texts are their own numbers"),
        pytest.param((Option("Ten", "10"), Option("Nine", "9")), "1 2", id="texts are no numbers of lines"),
        pytest.param(BLOOD, "C D E F", id="letters that are labels are left out"),
        pytest.param(labelled("1", "Α", "В"), "C D E", id="greek and cyrillic letters too"),
        pytest.param((Option("1", "b"), Option("2", "a")), "B C", id="letters that are texts"),
        pytest.param((Option("1", "a"), Option("2", "b")), "A B", id="letters that are their own texts"),
        pytest.param((), "", id="none"),
    ],
)
def test_the_lines_have_numbers_or_letters(options: tuple[Option, ...], marks: str) -> None:
    assert " ".join(choice.mark for choice in mark(options)) == marks


def test_letters_go_on_after_z() -> None:
    marks = [choice.mark for choice in mark(labelled(*(f"{n}" for n in range(703))))]
    assert marks[:26] == list(string.ascii_uppercase)
    assert marks[26:28] + marks[51:53] + marks[701:] == ["AA", "AB", "AZ", "BA", "ZZ", "AAA"]
    assert list(islice(_letters(), 703)) == marks


@pytest.mark.parametrize(
    ("options", "typed", "text"),
    [
        *(pytest.param(STARS, f"{n} stars", f"rating {n}", id=f"label of {n} stars") for n in (5, 4, 3, 2)),
        pytest.param(STARS, "5", None, id="no number where lines have letters"),
        pytest.param(STARS, "e", "rating 1", id="letter"),
        pytest.param(STARS, " B.", "rating 4", id="letter and stop"),
        pytest.param(STARS, "b)", "rating 4", id="letter and parenthesis"),
        pytest.param(STARS, "(B)", "rating 4", id="letter in parentheses"),
        pytest.param(STARS, "Β", "rating 4", id="greek letter"),
        pytest.param(STARS, "е", "rating 1", id="cyrillic letter"),
        pytest.param(STARS, "f", None, id="no such letter"),
        pytest.param(STARS, " 5\n STARS ", "rating 5", id="case and white space"),
        pytest.param(STARS, "RATING 2", "rating 2", id="text"),
        pytest.param(STARS, "5 stars please", None, id="more than a label"),
        pytest.param(YES_NO, "2", "no thanks", id="number"),
        *(
            pytest.param(YES_NO, typed, "no thanks", id=f"number as {typed}")
            for typed in ("2.", "2)", "(2)", "[2]", "#2", "2!", "02", "２", "２．", "②", "2️⃣", "٢", "۲")
        ),
        *(
            pytest.param(YES_NO, typed, None, id=f"not {typed}")
            for typed in ("0", "3", "-1", "+1", "1.5", "1 2", "1st", "1%", "one", "", " ", ".", "()")
        ),
        pytest.param(YES_NO, "9" * 5000, None, id="long"),
        pytest.param(YES_NO, "a", None, id="no letter where lines have numbers"),
        pytest.param(BLOOD, "a", "A", id="a label that is a letter"),
        pytest.param(BLOOD, "0", "0", id="a label that is a number"),
        pytest.param(BLOOD, "c", "0", id="its letter"),
        pytest.param(labelled("5️⃣", "1️⃣"), "5", "says 1", id="a keycap by its digit"),
        pytest.param(labelled("٥", "١"), "5", "says 1", id="an arabic digit by another script's"),
        pytest.param(labelled("Straße", "Weg"), "STRASSE", "says 1", id="folded case"),
        pytest.param((Option("A", "x"), Option("B", "A")), "a", "x", id="a label before a text"),
        pytest.param((Option("Two", "2"), Option("One", "1")), "2", "2", id="a text before a number"),
        pytest.param((Option("Buy", "first"), Option("Buy", "second")), "buy", "first", id="alike by label"),
        pytest.param((Option("Buy", "first"), Option("Buy", "second")), "2", "second", id="alike by number"),
        pytest.param(labelled("two\n lines"), "two lines", "says 1", id="a label of two lines"),
    ],
)
def test_what_a_typed_answer_chooses(options: tuple[Option, ...], typed: str, text: str | None) -> None:
    assert choose(mark(options), typed) == text


def test_a_long_label_is_kept_only_as_far_as_it_is_compared() -> None:
    [choice] = mark([Option("x" * 5000, "long")])
    assert choice == Choice("1", "x" * LABEL, "long")
    assert choose([choice], "x" * 5000) is None
    assert choose([choice], "x" * LABEL) == "long"


# What could be confused with a number or a letter, with other texts between.
confusing = st.one_of(
    st.sampled_from(["1", "2.", "(3)", "a", "B", "c)", "AA", "Α", "Ε", "٢", "③", "4️⃣", "05", "A 1", "", " "]),
    st.text(max_size=4),
)


@given(st.lists(st.builds(Option, confusing, confusing), max_size=40))
@example([Option("0", "B"), Option("B", "A"), Option("A", "C")])
def test_every_option_can_be_chosen_by_its_line(options: list[Option]) -> None:
    choices = mark(options)
    for option, choice in zip(options, choices, strict=True):
        for typed in (choice.mark, choice.mark.lower(), f"{choice.mark}.", f" ({choice.mark})"):
            assert choose(choices, typed) == option.text


@given(st.lists(st.builds(Option, confusing, confusing), max_size=40))
def test_every_label_chooses_an_option_that_has_it(options: list[Option]) -> None:
    choices = mark(options)
    for choice in choices:
        said = choose(choices, choice.label)
        if said is not None:
            alike = [each for each in choices if choose([Choice("-", each.label, "same")], choice.label)]
            assert said == alike[0].text


@pytest.mark.parametrize(
    ("typed", "holds"),
    [("2", True), ("٢.", True), ("b)", True), ("Β", True), ("no", False), ("é", False), ("", False)],
)
def test_what_could_be_a_mark(typed: str, holds: bool) -> None:
    assert is_mark(typed) is holds
