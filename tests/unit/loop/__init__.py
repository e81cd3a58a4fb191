"""Loops as values: stamps, statistics, verdicts."""
