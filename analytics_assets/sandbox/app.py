"""Puts the simulated vendors and the control paths together into one ASGI app.

Here lives ``create_app`` and nothing else. An app is stateless but for its counts, log, faults and a frozen clock: any app
with the same seed and options gives the same numbers and answers the report tasks of any other.
"""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.routing import Mount, Route

from analytics_assets.sandbox.airbridge.routes import Airbridge
from analytics_assets.sandbox.bento.routes import Bento
from analytics_assets.sandbox.control import control_routes
from analytics_assets.sandbox.faults import Faults, Rule
from analytics_assets.sandbox.gateway import Gateway, Revise, as_is
from analytics_assets.sandbox.options import Clock, Options
from analytics_assets.sandbox.statsig.routes import Statsig
from analytics_assets.sandbox.timeline import Timeline
from analytics_assets.sandbox.traffic import Traffic
from analytics_assets.sandbox.world import SeededWorld, StoppedWorld, World

__all__ = ["Options", "create_app"]

_DEFAULTS = Options()


def create_app(
    options: Options = _DEFAULTS, world: World | None = None, faults: Sequence[Rule] = (), revise: Revise = as_is
) -> Starlette:
    """A sandbox answering below ``/bento``, ``/statsig``, ``/airbridge`` and ``/_sandbox``.

    Args:
        options: Seed, speed, fates and readings; see ``Options``.
        world: The business behind the vendors; the seeded one of ``options.seed`` by default.
        faults: Faults that are there from the start; more are scripted at ``/_sandbox/faults``.
        revise: Changes each response before it is sent, given the vendor and the endpoint.
    """
    business = world or SeededWorld(options.seed)
    timeline = Timeline(business if options.until is None else StoppedWorld(business, options.until))
    clock, traffic, spoilers = Clock(options.now), Traffic(), Faults(options.seed)
    spoilers.add(faults)
    vendors = (Bento(options, timeline), Statsig(options, timeline), Airbridge(options, timeline))
    gateway = Gateway(
        vendors, clock=clock, traffic=traffic, faults=spoilers, revise=revise, latency_s=options.latency_s
    )
    doors = [Route(f"/{vendor.name}/{{rest:path}}", gateway) for vendor in vendors]
    return Starlette(routes=[Mount("/_sandbox", routes=control_routes(clock, traffic, spoilers)), *doors])
