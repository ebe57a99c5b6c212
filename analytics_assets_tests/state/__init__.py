"""Tests of the state database and of the ledger kept in it."""
