"""A restore request, as the runbooks and SnapshotCheck alike understand it. Pure: no AWS library is imported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from marshmallow import ValidationError

from aurora_restore import identifiers
from aurora_restore.errors import InvalidRequest, NotYetSupported
from aurora_restore.request_schema import RequestSchema

SUPPORTED_STRATEGIES = ("swap", "side_by_side")


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
    """What to make instead of mirroring the target; None mirrors."""

    count: int | None = None
    instance_class: str | None = None


@dataclass(frozen=True)
class CredentialsWanted:
    """Who keeps the master password (`secret`: the pipeline's, `managed`: RDS); which of the source's logins stay."""

    master: str
    keep_logins: tuple[str, ...]


@dataclass(frozen=True)
class Jobs:
    """Patterns (`*` for any text) of the scheduled jobs, as `database.job`, that go on in the restored cluster."""

    keep: tuple[str, ...] = ()


@dataclass(frozen=True)
class User:
    """A login to make from a secret; `access` is read_write or read_only."""

    secret: str
    access: str
    database: str
    schemas: tuple[str, ...]


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

    `request` is plain JSON. What has its place in the schema but does not work yet is a mistake, too.
    """
    return sorted([*_mistakes(request), *_unsupported(request)])


def parse(request: Any) -> Request:
    """The request as frozen dataclasses. Raises InvalidRequest or NotYetSupported with every mistake at once."""
    mistakes, unsupported = _mistakes(request), _unsupported(request)
    if mistakes:
        raise InvalidRequest("The request is not valid: " + "; ".join(sorted([*mistakes, *unsupported])) + ".")
    if unsupported:
        raise NotYetSupported("The request asks for what does not work yet: " + "; ".join(sorted(unsupported)) + ".")
    data = RequestSchema().load(request)
    return Request(
        source=Source(**data["source"]),
        target=Target(**data["target"]),
        operation_id=data.get("operation_id"),
        strategy=data["strategy"],
        cluster=_cluster(data["cluster"]),
        instances=Instances(**(data["instances"] or {})),
        users=tuple(User(**{**user, "schemas": tuple(user["schemas"])}) for user in data["users"]),
        credentials=CredentialsWanted(data["credentials"]["master"], tuple(data["credentials"]["keep_logins"])),
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
    return {**data, "serverless_scaling": named}


def _verify(data: Mapping[str, Any]) -> Verify:
    lists: dict[str, Any] = {key: tuple(value) for key, value in data.items() if isinstance(value, list)}
    return Verify(**{**data, **lists})


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
        instances = (data.get("instances") or {}).get("count") or 1
        return [
            f"operation_id: {name} would be refused by RDS; shorten it or target.cluster"
            for name in identifiers.misfits(data["target"]["cluster"], operation_id, instances)
        ]
    return []


def _unsupported(request: Any) -> list[str]:
    """Looks at the raw request, so that these are told together with the schema's mistakes."""
    if not isinstance(request, Mapping):
        return []
    found: list[str] = []
    strategy = request.get("strategy", "swap")
    if strategy == "replace":
        found.append(f"strategy: {strategy} is not supported yet; use {' or '.join(SUPPORTED_STRATEGIES)}")
    return found


def _flatten(messages: Any, path: str = "") -> Iterator[str]:
    """Marshmallow's nested messages as `a.0.b: text`; `_schema` stands for the object itself."""
    if isinstance(messages, Mapping):
        for key, value in messages.items():
            here = path if key == "_schema" else f"{path}.{key}" if path else str(key)
            yield from _flatten(value, here)
    else:
        for text in messages if isinstance(messages, list) else [messages]:
            yield f"{path or 'request'}: {text}"
