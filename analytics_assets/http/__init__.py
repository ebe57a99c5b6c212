"""The one way out: time-outs, bounded retries, status to error, redaction.

`session.py` sends, `retries.py` decides what is worth another attempt, `statuses.py` turns a refusal into one of our errors, `successes.py` a
2xx response into JSON, `bodies.py` repairs the texts in it,
`faults.py` what never became a response, `bodies.py` how much of one is taken in, `destination.py` chooses where requests go (the vendor or
the sandbox), `sockets.py` is the transport to the vendors. What a path means is each source's `client.py`.
"""
