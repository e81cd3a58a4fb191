"""What the whole repository needs of pytest: the plugin that runs pytest on small example projects."""

pytest_plugins = ["pytester"]
