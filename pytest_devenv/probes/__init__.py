"""What the product knows how to look at: each probe looks at one thing and returns a verdict."""
