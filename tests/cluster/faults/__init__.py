"""Whole runs of `pytest -m health` on a small example project in a real cluster, each with one thing broken."""
