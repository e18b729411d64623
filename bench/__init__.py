"""Benchmarks: a real server over a real database, a load generator of its own, and CPU-seconds read from /proc.

`python -m bench NAME` runs one, `python -m bench` those that fit ten minutes (docs/performance.md).
"""
