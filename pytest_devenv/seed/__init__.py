"""What fills a database."""
