"""One suite for all vendors: every client against every fault and form of the sandbox server, over real sockets.

What is expected is written by hand in `expected_*.py`; `docs/what-vendors-do.md` is made from what was
observed (`python -m analytics_assets_tests.contract` writes it) and compared by a test.
"""
