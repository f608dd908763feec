"""Finds every regular expression in the source, and hostile input for each.

The input is made of what the pattern mentions: one character of each kind that the pattern tells apart, the
words that it spells, and pairs of these, repeated.
"""

from __future__ import annotations

import ast
import importlib
import re
import time
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, Final, NamedTuple

import regex

ROOT: Final = Path(__file__).parents[1]
ENGINES: Final = {"re": re, "regex": regex}
AT_ONE_PLACE: Final = frozenset({"match", "fullmatch"})
METHODS: Final = AT_ONE_PLACE | {"search", "finditer", "findall", "split", "sub", "subn"}

CPU_SECONDS: Final = 0.5
STEPS: Final = ((24, 0.0), (2_000, 0.0005), (16_000, 0.02), (50_000, 0.25), (100_000, CPU_SECONDS))
"""Characters, and CPU seconds for them. Input that takes longer is made longer, up to the last step. A linear
pattern takes a tenth of that at most, a quadratic one many seconds."""

NEVER: Final = "\x00"
"""A character that hardly any pattern takes, at the end: it makes a match fail as late as possible."""
CANDIDATES: Final = (*map(chr, range(1, 0x7F)), *"éß…“”。」\u00a0\u0301🇬字")


class Found(NamedTuple):
    """A compiled pattern, and the methods that the source applies."""

    place: str
    pattern: Any
    methods: frozenset[str]


# ---- the patterns of the source ----------------------------------------------------------------------------


@cache
def sources() -> dict[str, ast.Module]:
    files = sorted(path for folder in ("bridge", "workers") for path in (ROOT / folder).rglob("*.py"))
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in files}


def patterns() -> list[Found]:
    return [found for file, tree in sources().items() for found in patterns_of(file, tree)]


def patterns_of(file: str, tree: ast.Module) -> Iterator[Found]:
    names = {
        id(node.value): ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (pattern := compiled(node, file)):
            name = names.get(id(node), "")
            place = f"{file}:{name or node.lineno}"
            method = ast.unparse(node.func).rpartition(".")[2]
            yield Found(place, pattern, METHODS & {method} or used(name, file))


def compiled(call: ast.Call, file: str) -> Any:
    """The pattern that the call takes: `re.…(…)`, or msgspec's `Meta(pattern=…)`; None for other calls."""
    module, _, method = ast.unparse(call.func).partition(".")
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    if "pattern" in keywords:
        return re.compile(value(keywords["pattern"], file))
    if module not in ENGINES or method not in {*METHODS, "compile"}:
        return None
    flags = keywords.get("flags") or (call.args[1] if method == "compile" and call.args[1:] else None)
    return ENGINES[module].compile(value(call.args[0], file), value(flags, file) if flags else 0)


def value(constant: ast.expr, file: str) -> Any:
    """A pattern's text and flags are constants of its module."""
    module = importlib.import_module(file.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    return eval(compile(ast.Expression(constant), file, "eval"), vars(module))  # noqa: S307 -- the source is ours


@cache
def attributes() -> frozenset[tuple[str, str, str]]:
    """Where a method is named: (file, name of the pattern, method)."""
    return frozenset(
        (file, ast.unparse(node.value).rpartition(".")[2], node.attr)
        for file, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in METHODS
    )


def used(name: str, file: str) -> frozenset[str]:
    """The methods applied to the pattern of that name; all where that cannot be seen."""
    everywhere = not name.startswith("_")
    found = {method for at, called, method in attributes() if called == name and (everywhere or at == file)}
    return frozenset(found) or METHODS


def hidden() -> list[str]:
    """Imports by which a pattern would escape `patterns`: `from re import …`, `import re as …`."""
    return [
        f"{file}:{node.lineno}"
        for file, tree in sources().items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.ImportFrom) and node.module in ENGINES)
        or (isinstance(node, ast.Import) and any(each.name in ENGINES and each.asname for each in node.names))
    ]


# ---- hostile input -----------------------------------------------------------------------------------------

_ATOM: Final = re.compile(
    r"""\\[pP]\{[^}]*\} | \\x.. | \\u.{4} | \\.     # \p{…}, \x41, \u2028, \w
      | \[\^?\]?(?:\\.|[^\]\\])*\]                  # [a-z]
      | \(\?(?:P<\w+>|P=\w+\)|<?[=!]|[:>])          # (?P<name>, (?=, (?:
      | \{\d*,?\d*\} | .""",
    re.VERBOSE | re.DOTALL,
)
_OPERATOR: Final = re.compile(r"\(.*|[)|*+?^$]|\{\d*,?\d*\}|\\[AbBZ]", re.DOTALL)
_LITERAL: Final = re.compile(r"\\\W|[^\\\[(.]", re.DOTALL)
_COMMENT: Final = re.compile(r"(?m)(?<!\\)\s#.*$|\s")


def tokens(pattern: Any) -> list[str]:
    """One character of each kind that the pattern tells apart, and the words that it spells."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode()
    if pattern.flags & re.VERBOSE:
        source = _COMMENT.sub("", source)
    atoms = _ATOM.findall(source)
    kinds = [kind for atom in {*atoms} if not _OPERATOR.fullmatch(atom) and (kind := alone(atom, pattern))]
    characters: dict[tuple[bool, ...], str] = {}
    for character in CANDIDATES:
        characters.setdefault(tuple(bool(kind.fullmatch(character)) for kind in kinds), character)
    return [*characters.values(), *sorted(words(atoms))]


def alone(atom: str, pattern: Any) -> Any:
    engine: Any = re if isinstance(pattern, re.Pattern) else regex
    try:
        return engine.compile(atom, pattern.flags & (re.IGNORECASE | re.DOTALL))
    except engine.error:  # a reference to a group
        return None


def words(atoms: list[str]) -> set[str]:
    """Literals in a row, with the last one and without it where it is optional: "https?" has two words."""
    found: set[str] = set()
    word = ""
    for atom in [*atoms, ")"]:
        if _LITERAL.fullmatch(atom) and not _OPERATOR.fullmatch(atom):
            word += atom.removeprefix("\\")
            continue
        found |= {word, word[:-1]} if atom in "*?" or atom.startswith("{") else {word}
        word = ""
    return {word for word in found if len(word) > 1}


def shapes(pattern: Any, method: str) -> Iterator[Callable[[int], str]]:
    """Inputs of any size: a beginning, a repeated unit, an end. A search tries all beginnings by itself."""
    known = tokens(pattern)
    units = [*known, *map("".join, product(known, repeat=2))]
    for unit, head, tail in product(units, ["", *(known if method in AT_ONE_PLACE else ())], ["", NEVER]):
        yield lambda size, unit=unit, head=head, tail=tail: head + unit * (size // len(unit)) + tail  # type: ignore[misc]


def slowness(pattern: Any, methods: frozenset[str]) -> str:
    """For which input the pattern takes too long; "" for none."""
    for method in sorted({method if method in AT_ONE_PLACE else "finditer" for method in methods}):
        for shape in shapes(pattern, method):
            for size, bound in STEPS:
                taken = cpu_seconds(pattern, method, shape(size))
                if taken > CPU_SECONDS:
                    return f"{method}: {taken:.1f} s for {size} characters of {shape(24)!r}"
                if taken <= bound and size > STEPS[0][0]:
                    break
    return ""


def cpu_seconds(pattern: Any, method: str, said: str) -> float:
    given: Any = said if isinstance(pattern.pattern, str) else said.encode()
    start = time.thread_time()
    found = getattr(pattern, method)(given)
    if method not in AT_ONE_PLACE:
        for _ in found:
            pass
    return time.thread_time() - start
