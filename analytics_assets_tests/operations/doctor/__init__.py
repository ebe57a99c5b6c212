"""The doctor: set-ups that are broken on purpose, and the lines that say so."""
