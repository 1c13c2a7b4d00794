"""Faults put into the running node, and what becomes of them: for benchmarks and tests, not for the road."""
