"""Tests of the one way out, over real sockets wherever the network matters."""
