"""Tests of the simulated Statsig."""
