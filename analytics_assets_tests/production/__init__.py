"""The parts of a production deployment, for real: PostgreSQL, Redis, a bucket, workers."""
