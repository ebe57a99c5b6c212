"""What a run's page shows while the run waits, under the settings of each `dagster.yaml`."""

from pathlib import Path

import dagster as dg
import stamina
import yaml

from analytics_assets.errors import TransientError
from analytics_assets.http.retries import RetryPolicy, backoff

ROOT = Path(__file__).parents[2]


def test_progress_and_repeated_attempts_are_among_the_events_of_the_run(tmp_path: Path) -> None:
    """The UI shows what a run does and why it waits."""

    @dg.op
    def asks(context: dg.OpExecutionContext) -> None:
        context.log.info("Plan: at least 2 GET /stats/ads (days: 1).")
        for attempt in stamina.retry_context(
            on=backoff(RetryPolicy(), attempt=lambda: 1), attempts=2, wait_initial=0.01, wait_jitter=0.0
        ):
            with attempt:
                if attempt.num == 1:
                    raise TransientError("Bento GET /stats/ads: HTTP 503.")

    @dg.job
    def asking() -> None:
        asks()

    here, deployed = (yaml.safe_load((ROOT / file).read_text()) for file in ("dagster.yaml", "deploy/dagster.yaml"))
    assert deployed["python_logs"] == here["python_logs"]
    with dg.instance_for_test(overrides={"python_logs": here["python_logs"]}, temp_dir=str(tmp_path)) as instance:
        run = asking.execute_in_process(instance=instance)
        told = [log.user_message for log in instance.all_logs(run.run_id) if log.dagster_event is None]
    assert told == [
        "Plan: at least 2 GET /stats/ads (days: 1).",
        "Bento GET /stats/ads: HTTP 503. Trying again in 0.0 s.",
    ]
