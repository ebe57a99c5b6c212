"""Tests of the simulated Airbridge."""
