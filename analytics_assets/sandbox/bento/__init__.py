"""The simulated Bento: its endpoints in `routes.py`, and the figures that they return."""
