"""What must not be shown: secrets by their value, by their place in a text, and by the name they stand under."""
