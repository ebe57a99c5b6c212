"""A mark of the key in use: tells whether a key has changed, and does not give it away."""

import hashlib

from sqlalchemy import Engine, select

from analytics_assets.state.database import salts


def key_mark(database: Engine, secret: str) -> str:
    """A key as 32 digits, salted with what the database holds."""
    with database.connect().execution_options(is_reading=True) as connection:
        salt = connection.execute(select(salts.c.salt)).scalars().first() or ""
    return hashlib.scrypt(secret.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=16).hex()
