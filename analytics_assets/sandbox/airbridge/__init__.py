"""The simulated Airbridge: its endpoints in `routes.py`, and the figures that they return."""
