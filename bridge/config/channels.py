"""The channels of the settings: each integration's, made from its own table."""

from __future__ import annotations

from bridge.channels import Channel, registry
from bridge.config.models import Settings
from bridge.errors import ConfigError


def channels(settings: Settings) -> dict[str, Channel]:
    """The channel of every integration, by name. Raises ConfigError with all problems, one line each."""
    made: dict[str, Channel] = {}
    problems: list[str] = []
    for name, integration in settings.integrations.items():
        try:
            made[name] = registry.build(integration.channel, integration.extra)
        except ConfigError as error:
            problems += [f"integrations.{name}.{line}" for line in str(error).splitlines()]
    if problems:
        raise ConfigError("\n".join(problems))
    return made
