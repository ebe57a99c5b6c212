"""One look at a report task, as runs and the sensor take it: what it shows, in whose words, and what went wrong with the look itself.

What a state means and what to do next is `report_tasks.py`; what is remembered of it `state/ledger.py`. Keep Dagster out of here.
"""

from analytics_assets.errors import SourceError
from analytics_assets.sources.airbridge.client import AirbridgeClient
from analytics_assets.sources.airbridge.report_tasks import Seen, seen_in_look


async def looked_at(client: AirbridgeClient, task_id: str) -> tuple[Seen, str | None, SourceError | None]:
    """What a look shows, why in words where there are any, and the error where the look itself failed; it raises none."""
    try:
        state = await client.report_state(task_id)
    except SourceError as error:
        return seen_in_look(error), str(error), error
    return Seen(state.status), state.words, None
