"""What a person sees and clicks: Dagster's real pages, in a real browser."""
