"""Tests of what is checked of numbers that are stored."""
