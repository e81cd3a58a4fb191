"""A real Tilt that runs a small project without any cluster."""
