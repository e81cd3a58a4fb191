"""The kiro backend: accounts, artists, blocks, community lists and connections over HTTP."""
