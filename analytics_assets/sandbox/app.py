"""Puts the simulated vendors and the control paths together into one ASGI app.

Here lives ``create_app`` and nothing else. An app is stateless but for its counts, log, faults and a frozen clock: any app
with the same seed and options gives the same numbers and answers the report tasks of any other.
"""

from starlette.applications import Starlette
from starlette.routing import Mount, Route

from analytics_assets.sandbox.airbridge import Airbridge
from analytics_assets.sandbox.bento import Bento
from analytics_assets.sandbox.control import control_routes
from analytics_assets.sandbox.faults import Faults
from analytics_assets.sandbox.gateway import Gateway
from analytics_assets.sandbox.options import Clock, Options
from analytics_assets.sandbox.statsig import Statsig
from analytics_assets.sandbox.timeline import Timeline
from analytics_assets.sandbox.traffic import Traffic
from analytics_assets.sandbox.world import SeededWorld, World

__all__ = ["Options", "create_app"]

_DEFAULTS = Options()


def create_app(options: Options = _DEFAULTS, world: World | None = None) -> Starlette:
    """A sandbox answering below ``/bento``, ``/statsig``, ``/airbridge`` and ``/_sandbox``.

    Args:
        options: Seed, speed, fates and readings; see ``Options``.
        world: The business behind the vendors; the seeded one of ``options.seed`` by default.
    """
    timeline = Timeline(world or SeededWorld(options.seed))
    clock, traffic, faults = Clock(options.now), Traffic(), Faults()
    vendors = (Bento(options, timeline), Statsig(options, timeline), Airbridge(options, timeline))
    gateway = Gateway(vendors, clock=clock, traffic=traffic, faults=faults, latency_s=options.latency_s)
    doors = [Route(f"/{vendor.name}/{{rest:path}}", gateway) for vendor in vendors]
    return Starlette(routes=[Mount("/_sandbox", routes=control_routes(clock, traffic, faults)), *doors])
