"""Tests of the sources, one package a vendor."""
