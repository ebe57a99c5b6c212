"""The vendors, simulated: one ASGI app that answers for Bento, Statsig and Airbridge.

Here lives everything that plays a vendor: the seeded world, the responses, faults and the server. Nothing here reads a vendor
and nothing here imports the rest of the package, so that a mistake made in a client cannot cancel out. The vendors' own pages
are the contract; ``create_app`` in ``app`` is the door, ``python -m analytics_assets.sandbox`` the server.
"""
