"""Whole runs of `pytest -m health` on a small example project, each with one thing broken for real."""
