"""The checks that every environment gets: thin tests, each asserting one verdict."""
