"""Tests of the clients that need nothing outside this process."""
