"""The commands of `analytics-assets`, one module each: `add` adds its parser, which names what carries it out; `__main__.py` calls it.

Exactly what a person types, and what is printed for it, lives here. Keep decisions out: they stand with what they are about.
"""
