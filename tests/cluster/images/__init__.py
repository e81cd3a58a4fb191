"""The images of the reference environment, made without an image registry: `python -m tests.cluster.images`.

The Dockerfiles are the project's own. What they build on, and the servers, are stand-ins: images under the names that
the Dockerfiles and manifests say, made of Debian's packages and of wheels, each as small as it can be.
"""
