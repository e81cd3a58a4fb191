"""What every environment gets."""
