"""Tests of the commands of `analytics-assets` and of the demo."""
