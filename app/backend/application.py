"""The web application: its resources, routes, errors and the origins that may call it."""

import logging
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute

from app.backend import problems
from app.backend.dependencies import Resources
from app.backend.routes import accounts, artists, blocks, community_lists, connections, jobs, status
from app.backend.settings import Settings


def create() -> FastAPI:
    """Build the application from the environment, as a server asks for it."""
    settings = Settings.from_environment(os.environ)
    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s:     %(message)s")
    return build(settings)


def build(settings: Settings) -> FastAPI:
    """Build the application from its settings."""
    resources = Resources.from_settings(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        resources.open()
        threading.Thread(target=_import_what_requests_need, name="imports", daemon=True).start()
        yield
        resources.close()

    application = FastAPI(
        title="kiro",
        summary="A do-not-play list for music services.",
        version=status.read_version(),
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
        redoc_url=None,
    )
    application.state.resources = resources
    application.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_allowed_origins,
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=["Authorization", "Content-Type"],
    )
    routers = [module.router for module in (status, accounts, artists, blocks, community_lists, connections, jobs)]
    for router in routers:
        application.include_router(router)
    problems.install(application, routers)
    return application


def _operation_id(route: APIRoute) -> str:
    return route.name


def _import_what_requests_need() -> None:
    """Import what would slow the start, so that the first login does not wait for it either."""
    for module in ("argon2", "jwt", "cryptography.hazmat.primitives.ciphers.aead"):
        import_module(module)
