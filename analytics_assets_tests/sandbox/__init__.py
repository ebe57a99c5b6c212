"""Tests of the simulated vendors, against the vendors' pages and numbers worked out by hand."""
