#!/bin/sh
# pip, out of an archive of its own.
PYTHONPATH=/usr/local/lib/pip.zip${PYTHONPATH:+:$PYTHONPATH} exec python -m pip "$@"
