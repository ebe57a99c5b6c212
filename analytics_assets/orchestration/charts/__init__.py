"""Pictures of what stands in the lake, as they are shown with a day's materialization.

`content.py` is what can be shown, as plain values; a source's `charts.py` reads its tables into that. `canvas.py` is how all pictures
look, `drawing.py` makes them, and `metadata.py` is the one module here that knows Dagster. Matplotlib is imported when the first is drawn.
"""
