"""The embedded target: the environment's servers as processes of this machine, made by the run and ended with it."""
