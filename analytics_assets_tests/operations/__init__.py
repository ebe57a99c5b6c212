"""Tests of alerts, doctor, housekeeping, verification and run launchers."""
