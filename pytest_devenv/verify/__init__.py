"""An environment verified stage by stage: each stage only once the one before it has passed."""
