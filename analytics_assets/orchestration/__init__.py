"""Dagster on top of the lake: components, assets, checks, partitions, schedules, charts and the resources that all sources share.

Contains what every source has in common under Dagster. A vendor's own part is in its `sources/<vendor>/`; what serves people beside the loads,
such as alerts, is in `operations/`. Nothing here names a vendor.
"""
