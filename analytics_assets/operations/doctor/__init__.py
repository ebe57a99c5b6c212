"""The examination behind `analytics-assets doctor`: what is wrong with this set-up, and what to do about each finding.

A room looks at one kind of thing and gives lines; `examination.py` puts them in order and `line.py` shows them. Nothing is fixed here.
Keep arguments and exit statuses out: `cli/doctor.py`.
"""
