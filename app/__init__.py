"""The reference application: kiro, a do-not-play list for music services."""
