"""Tests of the simulated Bento."""
