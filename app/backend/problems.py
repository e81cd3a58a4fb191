"""How errors become answers: every one has the shape of Problem."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from app.backend.errors import RefusedError, UnavailableError
from app.backend.models import Problem

_MEANINGS = {
    400: "The body cannot be read.",
    401: "No valid token was sent.",
    404: "There is no such thing.",
    409: "It is there already, or something that it refers to has gone.",
    422: "The request is not valid; each reason names its place.",
    503: "A server that this needs does not answer.",
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Document answers other than success in the OpenAPI document."""
    return {status: {"model": Problem, "description": _MEANINGS[status]} for status in statuses}


def install(application: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Let the application answer each kind of error with a Problem."""
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]

    async def method_not_allowed(request: Request, _: Exception) -> JSONResponse:
        """Name the methods of every route at the path, where the framework would name those of the first alone."""
        here = [route for route in routes if route.path_regex.match(request.url.path)]
        methods = {method for route in here for method in route.methods or ()}
        return _answer(405, Problem(detail="Method Not Allowed"), {"Allow": ", ".join(sorted(methods))})

    application.add_exception_handler(405, method_not_allowed)
    application.add_exception_handler(RefusedError, _refused)
    application.add_exception_handler(UnavailableError, _unavailable)
    application.add_exception_handler(RequestValidationError, _invalid)
    application.add_exception_handler(HTTPException, _http)
    application.add_exception_handler(Exception, _unexpected)


def _answer(status: int, problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(problem.model_dump(), status, headers)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    refused = cast("RefusedError", error)
    return _answer(refused.status, Problem(detail=refused.detail, reasons=list(refused.reasons)), refused.headers)


async def _unavailable(_: Request, error: Exception) -> JSONResponse:
    return _answer(503, Problem(detail=_MEANINGS[503], reasons=[str(error)]), {"Retry-After": "1"})


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    """Name each place and what is wrong there, but never repeat the input: it may hold a password."""
    problems = cast("RequestValidationError", error).errors()
    reasons = [f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in problems]
    return _answer(422, Problem(detail="The request is not valid.", reasons=reasons))


async def _http(_: Request, error: Exception) -> JSONResponse:
    http = cast("HTTPException", error)
    return _answer(http.status_code, Problem(detail=http.detail), http.headers)


async def _unexpected(_: Request, __: Exception) -> JSONResponse:
    return _answer(500, Problem(detail="Something went wrong here; the log says what."))
