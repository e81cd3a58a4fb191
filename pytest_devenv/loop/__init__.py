"""Loops: an edit, and the time until its effect is seen where users would see it."""
