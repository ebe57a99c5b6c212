"""Kiosk, an invented vendor: the example of docs/add-a-source.md.

API: https://docs.kiosk.example/api. Credentials: a bearer token of one shop. Days are UTC days; sales of a day are complete 2 hours after its end.
"""
