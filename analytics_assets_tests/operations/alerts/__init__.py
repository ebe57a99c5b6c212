"""Alerts: what is told, once, and where it arrives."""
