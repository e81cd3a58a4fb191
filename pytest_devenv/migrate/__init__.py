"""What builds a database: engines that discover, plan and apply migrations."""
