"""Tests of the growth tables."""
