"""The commands that run until they are told to end: demo, ingress, worker, emulator."""

from __future__ import annotations

from pathlib import Path

import click

from bridge.cli.options import config_option, ingress_url, integration_of, option, settings
from bridge.errors import ConfigError


@click.command()
@option("--port", type=click.IntRange(0, 65535), default=8080, help="Of chat and webhook; 0: any free one.")
@option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keeps queue, secrets and logs.  [default: ~/.local/share/moveo-bridge/demo]",
)
def demo(port: int, data: Path | None) -> None:
    """Starts everything here, with an agent to chat with.

    A server of its own, ingress, worker and an emulator of Moveo; Ctrl-C ends them all. The webhook's secret
    stays the same for the same data folder, and what was queued is delivered at the next start.

    \b
    Example:
      moveo-bridge demo --port 9000
    """
    from bridge.demo import default_folder, run

    run(data or default_folder(), port, click.echo)


@click.command()
@option("--host", envvar="BRIDGE_INGRESS__HOST", metavar="ADDRESS", help="Instead of [ingress]'s.")
@option("--port", envvar="BRIDGE_INGRESS__PORT", metavar="PORT", help="Instead of [ingress]'s.")
@option(
    "--admin-port",
    envvar="BRIDGE_INGRESS__ADMIN_PORT",
    metavar="PORT",
    help="Instead of [ingress]'s.",
)
@config_option
def ingress(host: str | None, port: str | None, admin_port: str | None) -> None:
    """Takes webhooks and web chat into the queue.

    Moveo posts to /moveo/INTEGRATION, platforms to /channels/INTEGRATION, the web chat is /chat/INTEGRATION;
    /livez, /readyz and /metrics are on the admin port. Run as many as you like on one Redis. SIGTERM ends it
    once what it has begun is answered.

    \b
    Example:
      REDIS_URL=redis://127.0.0.1:6379/0 moveo-bridge ingress --config bridge.toml
    """
    from bridge.ingress.server import run

    run(
        settings(
            {
                "BRIDGE_INGRESS__HOST": host,
                "BRIDGE_INGRESS__PORT": port,
                "BRIDGE_INGRESS__ADMIN_PORT": admin_port,
            }
        )
    )


@click.command()
@option("--concurrency", envvar="BRIDGE_WORKER__CONCURRENCY", metavar="N", help="Instead of [worker]'s.")
@option("--admin-port", envvar="BRIDGE_WORKER__ADMIN_PORT", metavar="PORT", help="Instead of [worker]'s.")
@config_option
def worker(concurrency: str | None, admin_port: str | None) -> None:
    """Delivers what is queued, to the channels and to Moveo.

    Run as many as you like on one Redis, on one machine each with its own admin port; order within a session
    holds. SIGTERM finishes the parts being sent and hands the rest over at once.

    \b
    Example:
      moveo-bridge worker --config bridge.toml --admin-port 9466
    """
    from workers.settings import run

    run(settings({"BRIDGE_WORKER__CONCURRENCY": concurrency, "BRIDGE_WORKER__ADMIN_PORT": admin_port}))


@click.command()
@option("--host", default="127.0.0.1", metavar="ADDRESS", help="Where its API listens.")
@option("--port", type=click.IntRange(0, 65535), default=8090, help="Where its API listens.")
@option("--integration", metavar="NAME", help="Whose webhook it posts to; needed when there are several.")
@option("--webhook-url", metavar="URL", help="Where it posts.  [default: the ingress of the settings]")
@config_option
def emulator(host: str, port: int, integration: str | None, webhook_url: str | None) -> None:
    """Stands in for Moveo: its API, its webhooks, an agent.

    It signs and retries as Moveo does, and its scripted agent answers with everything there is. Secret,
    integration id and API key are those of the integration in the settings: point [moveo] url, or the
    integration's moveo_url, at it, and all runs without an account.

    \b
    Example:
      BRIDGE_MOVEO__URL=http://127.0.0.1:8090 moveo-bridge worker &
      moveo-bridge emulator --integration support
    """
    import asyncio

    from bridge.emulator import EmulatorConfig, run
    from bridge.log import configure

    found = settings()
    chosen = integration_of(found, integration)
    if chosen.api_key is None:
        raise ConfigError(
            f"integrations.{chosen.name}.api_key: is missing: the emulator expects it of the worker"
        )
    configure(found.log)
    asyncio.run(
        run(
            EmulatorConfig(
                host=host,
                port=port,
                webhook_url=webhook_url or f"{ingress_url(found)}/moveo/{chosen.name}",
                secret=next(iter(chosen.secrets), None),
                integration_id=chosen.integration_id,
                api_key=chosen.api_key,
            )
        )
    )
