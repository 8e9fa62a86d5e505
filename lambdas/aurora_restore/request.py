"""A restore request, as the runbooks and SnapshotCheck alike understand it. Pure: no AWS library is imported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from marshmallow import ValidationError

from aurora_restore import identifiers
from aurora_restore.errors import InvalidRequest
from aurora_restore.request_schema import RequestSchema


@dataclass(frozen=True)
class Source:
    """Where the data comes from: docs/sources.md. `region` and `account` None mean the pipeline's own."""

    type: str
    cluster: str | None = None
    account: str | None = None
    snapshot: str | None = None
    region: str | None = None
    date: str | None = None
    time: str | None = None
    max_age_hours: float | None = None
    hop_kms_key: str | None = None


@dataclass(frozen=True)
class Target:
    """The cluster to replace, and the KMS key to encrypt its successor with (None: the target's)."""

    cluster: str
    kms_key: str | None = None


@dataclass(frozen=True)
class Instances:
    """What to make instead of mirroring the target: how many (None: as many), and settings by their names in the plan.

    `every` are for all instances, `members` go over them one by one, the writer first.
    """

    count: int | None = None
    every: Mapping[str, Any] = field(default_factory=dict)
    members: tuple[Mapping[str, Any], ...] = ()

    def of(self, number: int) -> dict[str, Any]:
        """The settings of the instance with this number, from 1."""
        own = self.members[number - 1] if number <= len(self.members) else {}
        return {**self.every, **own, "tags": {**self.every.get("tags", {}), **own.get("tags", {})}}


@dataclass(frozen=True)
class CredentialsWanted:
    """Who keeps the master password (`secret`: the pipeline's, `managed`: RDS); which of the source's logins stay.

    `member_of`: those of them that keep, or get, membership in exactly these roles; the others keep theirs.
    """

    master: str
    keep_logins: tuple[str, ...]
    member_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Jobs:
    """Patterns (`*` for any text) of the scheduled jobs, as `database.job`, that go on in the restored cluster."""

    keep: tuple[str, ...] = ()


@dataclass(frozen=True)
class User:
    """A login to make from a secret; `access` is read_write or read_only, `member_of` are roles of the source."""

    secret: str
    access: str
    database: str
    schemas: tuple[str, ...]
    member_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class Detectors:
    """What to look for in text columns; `sample` rows a table (None: all), but not in columns that `allow` names."""

    kinds: tuple[str, ...]
    sample: int | None
    allow: tuple[str, ...]


@dataclass(frozen=True)
class Masking:
    """The masking set to run in `database` (None: the one named like the target), and its placeholders' values."""

    database: str
    detectors: Detectors
    set: str | None = None
    checksum: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verify:
    """What must hold before the swap; the entries of the lists are as the schema describes them."""

    database: str | None = None
    schemas: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    baseline: Mapping[str, Any] | None = None
    tables: tuple[Mapping[str, Any], ...] = ()
    freshness: tuple[Mapping[str, Any], ...] = ()
    queries: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Retention:
    """How long what stands beside the target is kept (hours), whether with a last snapshot; whether the copy stays."""

    keep_old_hours: int = 24
    keep_copy: bool = False
    final_snapshot: bool = False


@dataclass(frozen=True)
class Approval:
    """Whether somebody has to agree, how long the operation waits for it, and whether the requester may do so."""

    required: bool = False
    expires_hours: float = 8.0
    forbid_self: bool = True


@dataclass(frozen=True)
class Request:
    """A valid request."""

    source: Source
    target: Target
    operation_id: str | None = None
    strategy: str = "swap"
    cluster: Mapping[str, Any] = field(default_factory=dict)  # of plan.restore, what the target does not decide
    instances: Instances = field(default_factory=Instances)
    users: tuple[User, ...] = ()
    credentials: CredentialsWanted = field(default_factory=lambda: CredentialsWanted("secret", ()))
    jobs: Jobs = field(default_factory=Jobs)
    masking: Masking | None = None
    verify: Verify = field(default_factory=Verify)
    retention: Retention = field(default_factory=Retention)
    approval: Approval = field(default_factory=Approval)
    requested_by: str | None = None
    dry_run: bool = False


def validate(request: Any) -> list[str]:
    """Every mistake of a request, as `path: what is wrong`, sorted by path; empty when the pipeline would take it.

    `request` is plain JSON.
    """
    return sorted(_mistakes(request))


def parse(request: Any) -> Request:
    """The request as frozen dataclasses. Raises InvalidRequest with every mistake at once."""
    mistakes = validate(request)
    if mistakes:
        raise InvalidRequest("The request is not valid: " + "; ".join(mistakes) + ".")
    data = RequestSchema().load(request)
    return Request(
        source=Source(**data["source"]),
        target=Target(**data["target"]),
        operation_id=data.get("operation_id"),
        strategy=data["strategy"],
        cluster=_cluster(data["cluster"]),
        instances=_instances(data["instances"]),
        users=tuple(User(**_with_tuples(user)) for user in data["users"]),
        credentials=_credentials(data["credentials"]),
        jobs=Jobs(tuple(data["jobs"]["keep"])),
        masking=_masking(data["masking"]),
        verify=_verify(data["verify"]),
        retention=Retention(**data["retention"]),
        approval=Approval(**(data["approval"] or {})),
        requested_by=data["requested_by"],
        dry_run=data["dry_run"],
    )


def _cluster(data: Mapping[str, Any]) -> dict[str, Any]:
    """With the capacity by the names that RDS takes."""
    scaling = data.get("serverless_scaling")
    if scaling is None:
        return dict(data)
    named = {"MinCapacity": scaling["min_capacity"], "MaxCapacity": scaling["max_capacity"]}
    if "auto_pause" in scaling:
        named["SecondsUntilAutoPause"] = scaling["auto_pause"]
    return {**data, "serverless_scaling": named}


def _instances(data: Mapping[str, Any] | None) -> Instances:
    if data is None:
        return Instances()
    every = {key: value for key, value in data.items() if key not in ("count", "members")}
    members = tuple(_settings(member) for member in data["members"])
    return Instances(data["count"] or len(members) or None, _settings(every), members)


def _settings(data: Mapping[str, Any]) -> dict[str, Any]:
    """By the names that they have in `plan.instances`; a class of null mirrors."""
    settings = {"class" if key == "instance_class" else key: value for key, value in data.items()}
    if settings.get("class", "") is None:
        del settings["class"]
    return settings


def _verify(data: Mapping[str, Any]) -> Verify:
    return Verify(**_with_tuples(data))


def _credentials(data: Mapping[str, Any]) -> CredentialsWanted:
    return CredentialsWanted(**{**_with_tuples(data), "member_of": _with_tuples(data["member_of"])})


def _with_tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}


def _masking(data: Mapping[str, Any] | None) -> Masking | None:
    if data is None:
        return None
    wanted = data["detectors"]
    detectors = Detectors(tuple(wanted["kinds"]), wanted["sample"], tuple(wanted["allow"]))
    return Masking(**{**data, "detectors": detectors})


def as_plain(part: Any) -> dict[str, Any]:
    """A dataclass of this module as plain JSON, for the plan."""
    return _plain(asdict(part))  # type: ignore[no-any-return]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _mistakes(request: Any) -> list[str]:
    try:
        data = RequestSchema().load(request)
    except ValidationError as error:
        return list(_flatten(error.messages))
    operation_id = data.get("operation_id")
    if operation_id:
        wanted = data.get("instances") or {}
        instances = wanted.get("count") or len(wanted.get("members", ())) or 1
        return [
            f"operation_id: {name} would be refused by RDS; shorten it or target.cluster"
            for name in identifiers.misfits(data["target"]["cluster"], operation_id, instances)
        ]
    return []


def _flatten(messages: Any, path: str = "") -> Iterator[str]:
    """Marshmallow's nested messages as `a.0.b: text`; `_schema` stands for the object itself."""
    if isinstance(messages, Mapping):
        for key, value in messages.items():
            here = path if key == "_schema" else f"{path}.{key}" if path else str(key)
            yield from _flatten(value, here)
    else:
        for text in messages if isinstance(messages, list) else [messages]:
            yield f"{path or 'request'}: {text}"
