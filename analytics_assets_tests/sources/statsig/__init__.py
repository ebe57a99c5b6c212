"""Tests of the Statsig source: the client against the sandbox, pure transforms, and what is requested a day."""
