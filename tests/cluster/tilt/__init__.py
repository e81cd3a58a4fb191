"""A real Tilt that brings the whole reference environment up on the cluster of the tests: buttons, edits and faults."""
