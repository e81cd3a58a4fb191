"""The Tiltfile, evaluated as Starlark with what Tilt adds to it taken down."""
