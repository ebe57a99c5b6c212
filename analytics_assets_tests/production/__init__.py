"""The parts of a production deployment, for real: PostgreSQL, a bucket, a proxy."""
