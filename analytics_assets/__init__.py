"""Growth data of several vendors as daily Parquet tables under Dagster.

Where do I go to...
    add a vendor                    docs/add-a-source.md
    change what is pulled           defs/<account>/defs.yaml
    see how a vendor is read        sources/<vendor>/client.py
    add or change a column          sources/<vendor>/tables.py and transform.py
    change time-outs or retries     http/
    change where files go           lake/
    change where alerts go          defs/alerts/defs.yaml, alerts/
    change when jobs run            defs/<account>/defs.yaml, defs/shared/defs.yaml
    see what is checked             checks/, sources/<vendor>/checks.py
    see how a report task is kept   state/report_ledger.py, sources/airbridge/task_decisions.py
    see what the doctor looks at    doctor/
    see the simulated vendors       sandbox/

The component types named in `defs.yaml` are found here by name and loaded only when requested, so that clients and the sandbox
run without loading Dagster.
"""

import importlib
from typing import Any, Final

# A line for each vendor: its folder in `sources/`, and its component. Nothing else outside that folder has to name a vendor.
SOURCES: Final = {
    "bento": "BentoStats",
    "statsig": "StatsigMetrics",
    "airbridge": "AirbridgeRevenue",
}
COMPONENTS: Final = {
    **{component: f"{__name__}.sources.{folder}.source" for folder, component in SOURCES.items()},
    "Shared": "analytics_assets.operations.shared",
    "Alerts": "analytics_assets.operations.alerts.component",
    "Growth": "analytics_assets.growth.component",
    "Comparisons": "analytics_assets.orchestration.comparisons",
}


def __getattr__(name: str) -> Any:
    """The component type of that name, loaded now."""
    if name not in COMPONENTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(COMPONENTS[name]), name)


def __dir__() -> list[str]:
    """The component types, for tools that list them."""
    return sorted(COMPONENTS)
