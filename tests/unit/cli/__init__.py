"""Tests of the command's parts."""
