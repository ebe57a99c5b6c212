"""The shipped definitions and their jobs, by names that Dagster can load again: a re-execution needs that.

Clocks, YAML and resources are production's; lake, state and sandbox stand in the environment.
"""

from functools import lru_cache

import dagster as dg

from analytics_assets.definitions import defs


@lru_cache(maxsize=1)
def shipped() -> dg.Definitions:
    """Everything a user gets, loaded once: the environment is read again when a run opens its client and lake."""
    return defs()


def bento_daily() -> dg.JobDefinition:
    """All daily tables of the shipped Bento account."""
    return shipped().resolve_job_def("bento_daily")


def statsig_daily() -> dg.JobDefinition:
    """All daily tables of the shipped Statsig account."""
    return shipped().resolve_job_def("statsig_daily")


def airbridge_daily() -> dg.JobDefinition:
    """All daily tables of the shipped Airbridge account."""
    return shipped().resolve_job_def("airbridge_daily")
