"""What keeps a project of years small: Dagster's history, answers kept as sent, leftovers and closed requests go when their time is over.

Nothing here makes or changes a number; keep what is stored out of here (`lake/`).
"""
