"""The frontend's own tests: the page, its rules, and the server of the embedded target."""
