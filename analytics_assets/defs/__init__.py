"""What to pull: one folder an account, each with a `defs.yaml` that names a component of this package. Edit these, not code."""
