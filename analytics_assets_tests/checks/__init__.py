"""Tests of what is checked of numbers that have landed."""
