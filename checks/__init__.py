"""The checks that only this environment has, written as a user of the plugin writes them."""
