"""What travels over HTTP: requests are strict, responses hold only what their reader may see."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue, SecretStr, StringConstraints

from app.backend.passwords import MAX_LENGTH, MIN_LENGTH

_LINE = r"^[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
"""One line that does not begin with a space; PostgreSQL refuses NUL in text."""

_EMAIL = r"^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,8}$"

Email = Annotated[str, StringConstraints(pattern=_EMAIL, max_length=254), Field(examples=["ada@example.com"])]
Name = Annotated[str, StringConstraints(pattern=_LINE, min_length=1, max_length=120)]
DisplayName = Annotated[str, StringConstraints(pattern=_LINE, min_length=1, max_length=80), Field(examples=["Ada"])]
Reason = Annotated[str, StringConstraints(pattern=_LINE, min_length=1, max_length=500)]
ExternalId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]+$", max_length=128)]
Password = Annotated[SecretStr, Field(max_length=MAX_LENGTH, examples=["Correct-Horse-7"])]
ServiceToken = Annotated[SecretStr, Field(min_length=1, max_length=4096)]
JobWord = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$", max_length=128)]
JobStatus = Literal["queued", "running", "succeeded", "failed"]
MusicService = Literal["spotify", "apple_music", "youtube_music"]


class Request(BaseModel):
    """A body that people send: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str
    reasons: list[str] = []


class Health(BaseModel):
    """The process is alive."""

    status: Literal["alive"] = "alive"


class Readiness(BaseModel):
    """Whether the backend can do its work now, and if not, every reason why."""

    ready: bool
    reasons: list[str]


class Version(BaseModel):
    """The version that is deployed, and which state of the code answers."""

    version: str
    code: str


class Registration(Request):
    """A new account; the password has to keep the rules."""

    email: Email
    password: Annotated[Password, Field(json_schema_extra={"minLength": MIN_LENGTH})]
    display_name: DisplayName


class User(BaseModel):
    """An account."""

    id: UUID
    email: str
    display_name: str
    created_at: datetime


class Login(Request):
    """An account's e-mail address and password."""

    email: Email
    password: Password


class Token(BaseModel):
    """What to send as `Authorization: Bearer …`, and for how many seconds it is good."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the name of a scheme
    expires_in: int


class NewArtist(Request):
    """An artist, and the id that each music service knows it by."""

    name: Name
    external_ids: dict[MusicService, ExternalId] = {}


class Artist(BaseModel):
    """An artist that can be blocked."""

    id: UUID
    name: str
    external_ids: dict[str, str]
    created_at: datetime


class NewBlock(Request):
    """An artist that is not to be played."""

    artist_id: UUID
    reason: Reason | None = None


class Block(BaseModel):
    """An artist that the user has blocked."""

    artist_id: UUID
    artist_name: str
    reason: str | None
    created_at: datetime


class EffectiveBlock(BaseModel):
    """An artist that is not played to the user: by their own block (no list), or by a list they follow."""

    artist_id: UUID
    artist_name: str
    list_id: UUID | None
    reason: str | None


class NewCommunityList(Request):
    """A list of artists that others may follow."""

    name: Name
    description: Reason | None = None
    artist_ids: Annotated[list[UUID], Field(max_length=500)] = []


class CommunityList(BaseModel):
    """A community list, and how many artists and followers it has."""

    id: UUID
    owner_id: UUID
    name: str
    description: str
    artist_count: int
    subscriber_count: int
    created_at: datetime


class NewConnection(Request):
    """What a music service gave us when the user signed in there."""

    provider: MusicService
    access_token: ServiceToken
    refresh_token: ServiceToken | None = None
    expires_in: Annotated[int, Field(ge=1, le=365 * 24 * 3600, description="Seconds from now.")] | None = None


class NewJob(Request):
    """Work to be done: which definition of which application, in which version, on which inputs."""

    app_id: JobWord
    definition: JobWord
    version: JobWord
    inputs: dict[str, JsonValue] = {}
    priority: Annotated[int, Field(ge=-100, le=100, description="Higher goes first.")] = 0


class Job(BaseModel):
    """A job, and how far it is."""

    id: UUID
    app_id: str
    definition: str
    version: str
    status: JobStatus
    inputs_hash: str
    attempts: int
    priority: int
    last_error: str | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class JobResult(BaseModel):
    """What a job gave: its latest result."""

    id: UUID
    status: JobStatus
    outputs: JsonValue
    score: float | None
    result_at: datetime


class Connection(BaseModel):
    """A connected music service; its tokens are never shown."""

    id: UUID
    provider: MusicService
    expires_at: datetime | None
    created_at: datetime
