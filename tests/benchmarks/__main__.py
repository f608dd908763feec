"""Prints the table; of the parts that are named, or of all: ingress worker delivery latency flood backlog."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from bridge.embedded import find_server
from tests.benchmarks.flood import flood_row
from tests.benchmarks.latency import latency_rows
from tests.benchmarks.rows import Row, backlog_rows, delivery_row, ingress_rows, worker_row

PACKAGES: Final = ("aiohttp", "redis", "hiredis", "arq", "msgspec", "uvloop")
PARTS: Final[dict[str, Callable[[], list[Row]]]] = {
    "ingress": ingress_rows,
    "worker": lambda: [worker_row()],
    "delivery": lambda: [delivery_row()],
    "latency": latency_rows,
    "flood": lambda: [flood_row()],
    "backlog": backlog_rows,
}


def measured_on() -> str:
    """The versions that the figures were measured with."""
    server = subprocess.run([find_server(), "--version"], capture_output=True, text=True, check=True).stdout
    found = [f"Python {platform.python_version()}", " ".join(server.split()[:3])]
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"no {package}")
    return f"{platform.system()} {platform.machine()}, " + ", ".join(found)


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    print(f"{measured_on()}\n\n| what | measured | to hold | in detail |\n|---|---|---|---|", flush=True)
    held = True
    for name in names or PARTS:
        for row in PARTS[name]():
            figure = f"{row.figure:.2f}{row.unit}" + ("" if row.held else " **missed**")
            print(f"| {row.what} | {figure} | <= {row.limit:g}{row.unit} | {row.detail} |", flush=True)
            held = held and row.held
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
