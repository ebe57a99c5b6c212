"""Tests of what goes when its time is over, and of all that stays; `python -m analytics_assets_tests.operations.housekeeping` simulates two years."""
