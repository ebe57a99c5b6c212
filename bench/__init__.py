"""The benchmark: three works, each done five ways, timed against a server of its own. Run it with `make bench`.

Production never imports this; what is measured is the production code as it is. Sizes and days are in `works.py`.
"""
