"""Looking at a project on paper, whole and broken in many ways."""
