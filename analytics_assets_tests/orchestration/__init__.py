"""Tests of components, assets, checks, partitions, schedules and charts."""
