"""The simulated Statsig: its endpoints in `routes.py`, and the figures that they return."""
