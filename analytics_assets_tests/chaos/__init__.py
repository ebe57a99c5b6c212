"""What is killed and comes back: backfills of all sources under a real daemon whose processes end without a word."""
