"""`python -m analytics_assets_tests.fuzz --answers 20000 --seed 1`; what it prints is in `many.py`."""

import argparse
import secrets
import sys

from analytics_assets_tests.fuzz.many import fuzz


def main() -> int:
    """The command: 0 where every response gave right rows or an error that names the place."""
    parser = argparse.ArgumentParser(prog="python -m analytics_assets_tests.fuzz", description=main.__doc__)
    parser.add_argument("--answers", type=int, default=20_000, help="how many answers are mutated")
    parser.add_argument("--seed", type=int, default=None, help="where chance comes from; by default a new one")
    chosen = parser.parse_args()
    seed = secrets.randbelow(2**31) if chosen.seed is None else chosen.seed
    return 0 if fuzz(chosen.answers, seed) else 1


if __name__ == "__main__":
    sys.exit(main())
