"""Tests of the Airbridge source: the client against the sandbox and scripted answers, specs, tables and pure transforms."""
