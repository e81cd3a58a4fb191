"""The Tilt that runs for a project: what it says of its resources, and updates that are asked for and waited for."""
