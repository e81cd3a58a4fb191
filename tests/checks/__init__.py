"""Tests of the reference environment's checks: they see what is broken, and nothing else."""
