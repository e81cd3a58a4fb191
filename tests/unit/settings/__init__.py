"""Tests of the settings, with no I/O beyond a temporary folder."""
