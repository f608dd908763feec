"""`python -m bridge` is the command `moveo-bridge`."""

from bridge.cli import main

main(prog_name="moveo-bridge")
