"""What development and test get besides."""
