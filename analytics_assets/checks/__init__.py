"""What is checked of numbers that are stored: each check declared once, and read from the lake alone.

`finding.py` says what a check, a finding and a look at the lake are; `stored.py` whether days stand, `volume.py` whether they are as large
as usual, `fields.py` whether answers have the fields they had, `comparison.py` whether two figures agree. What only one vendor's numbers
can be asked is in its `sources/<vendor>/checks.py`. No Dagster here: `orchestration/asset_checks.py` shows checks to it.
"""
