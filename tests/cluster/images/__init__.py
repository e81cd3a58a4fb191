"""The images of the reference environment, made also without an image registry: `python -m tests.cluster.images`.

The Dockerfiles are the project's own. Where no registry can be reached, what they build on, and the servers, are
stand-ins: images under the names that Dockerfiles and manifests say, made of Debian's packages and of wheels, each as
small as it can be.
"""
