"""What the Celery workers of `deploy/Procfile` are set up with; `dagster_celery.app` reads a module of this name from PYTHONPATH.

The launcher's side of the same settings is in `deploy/dagster.yaml`.
"""

import os

broker_url = result_backend = os.environ["ANALYTICS_BROKER"]
# A run is taken when a slot is free for it, and not before.
worker_prefetch_multiplier = 1
# A process of its own for each run: nothing of one run is left for the next, as on one machine.
worker_max_tasks_per_child = 1
# A worker that starts before Redis does waits for it.
broker_connection_retry_on_startup = True
# Runs are Dagster's to show, and to begin anew when their worker died.
task_acks_late = False
worker_hijack_root_logger = False
