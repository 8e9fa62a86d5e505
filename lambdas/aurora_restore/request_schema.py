"""The request's fields, their types, bounds and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from aurora_restore import identifiers
from aurora_restore.arns import snapshot_arn

SOURCE_FIELDS = {  # source type -> the fields it needs
    "latest_snapshot": {"cluster"},
    "snapshot": {"snapshot"},
    "snapshot_of_date": {"cluster", "date"},
    "point_in_time": {"cluster", "time"},
    "latest_restorable_time": {"cluster"},
    "clone": {"cluster"},
}
SOURCE_OPTIONS = {  # source type -> the fields it takes besides these and region
    "latest_snapshot": {"account", "hop_kms_key", "max_age_hours"},
    "snapshot": {"hop_kms_key", "max_age_hours"},
    "snapshot_of_date": {"account", "hop_kms_key", "max_age_hours"},
    "point_in_time": set[str](),
    "latest_restorable_time": {"max_age_hours"},
    "clone": set[str](),
}
STRATEGIES = ("swap", "replace", "side_by_side")
DETECTORS = ("email", "phone", "card", "iban")  # each is a key of masking.detectors.DETECTORS
INSIGHTS_MODES = ("standard", "advanced")
MAX_INSTANCES = 16  # AUG, "Amazon Aurora DB clusters": one writer and up to 15 readers

REGION = validate.Regexp(r"[a-z]{2}(-[a-z]+)+-\d\Z", error="must be a region such as us-east-1")
INSTANCE_CLASS = validate.Regexp(
    r"db\.(serverless|[a-z0-9-]+\.[a-z0-9-]+)\Z",
    error="must be an instance class such as db.r6g.large or db.serverless",
)
NAME = validate.Length(min=1, max=255)
ROLE = validate.Length(min=1, max=63)
NOT_AMAZONS = validate.Regexp(r"(?!rds)", error="must be no role of Amazon RDS: they administer, or forbid passwords")
DAILY = validate.Regexp(
    r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d\Z", error="must be a time of the day in UTC such as 03:00-04:00"
)
WEEKLY = validate.Regexp(
    r"(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d-(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d\Z",
    error="must be a time of the week in UTC such as sun:05:00-sun:06:00",
)


def _text(*, required: bool = True, rule: Any = NAME, **options: Any) -> fields.String:
    return fields.String(required=required, validate=rule, **options)


def _optional(rule: Any = NAME) -> fields.String:
    return fields.String(validate=rule, allow_none=True, load_default=None)


def _defaults(schema: type[Schema]) -> Any:
    return lambda: schema().load({})


def _list(schema: type[Schema]) -> Any:
    return fields.List(fields.Nested(schema), load_default=list)


def _identifier(value: str) -> None:
    if not identifiers.is_identifier(value):
        raise ValidationError(
            "must be an RDS identifier: up to 63 lower-case letters, digits and single hyphens, a letter first"
        )


def _scalar(value: Any) -> None:
    if not isinstance(value, str | int | float | bool):
        raise ValidationError("must be a text, a number or a boolean")


def _operation_id(value: str) -> None:
    if not identifiers.is_operation_id(value):
        raise ValidationError("must be 6 to 24 lower-case letters, digits and single hyphens, hyphens not at the ends")


def _insights_days(value: int) -> None:
    """CreateDBInstance, PerformanceInsightsRetentionPeriod."""
    if value not in (7, 731) and not (value % 31 == 0 and 1 <= value // 31 <= 23):
        raise ValidationError("must be 7, 731, or 31 times a number of months from 1 to 23")


def _half_steps(value: float) -> None:
    if (value * 2) % 1:
        raise ValidationError("must be in steps of a half")


def _tags() -> fields.Dict:
    """Tags that go over the mirrored ones; AWS's own (`aws:`) are no one's to set."""
    return fields.Dict(
        keys=fields.String(
            validate=validate.Regexp(r"(?i)(?!aws:).{1,128}\Z", error="must be 1 to 128 characters, aws: not the first")
        ),
        values=fields.String(validate=validate.Length(max=256)),
    )


def _date(value: str) -> None:
    try:
        datetime.strptime(value, "%Y-%m-%d")  # noqa: DTZ007  # a date has no zone
    except ValueError as error:
        raise ValidationError("must be a date such as 2026-11-23, in UTC") from error


def _utc_time(value: str) -> None:
    try:
        usable = value.endswith("Z") and "T" in value and bool(datetime.fromisoformat(value))
    except ValueError:
        usable = False
    if not usable:
        raise ValidationError("must be a UTC time such as 2026-11-23T07:14:50Z")


def _snapshot(value: str) -> None:
    if value.startswith("arn:") and snapshot_arn(value) is None:
        raise ValidationError("must be the identifier or the ARN of a cluster snapshot")


class SourceSchema(Schema):
    """Where the data comes from; which other fields are needed follows from `type`."""

    type = _text(rule=validate.OneOf(list(SOURCE_FIELDS), error="must be one of {choices}"))
    cluster = _optional(_identifier)
    account = _optional(validate.Regexp(r"\d{12}\Z", error="must be a 12-digit account number, quoted"))
    snapshot = _optional(_snapshot)
    region = _optional(REGION)
    date = _optional(_date)
    time = _optional(_utc_time)
    max_age_hours = fields.Float(
        allow_none=True, load_default=None, validate=validate.Range(min=0, min_inclusive=False)
    )
    hop_kms_key = _optional()

    @validates_schema(skip_on_field_errors=False)
    def _fields_fit_type(self, data: Mapping[str, Any], **_: Any) -> None:
        kind = data.get("type")
        if kind not in SOURCE_FIELDS:
            return
        needed = SOURCE_FIELDS[kind]
        problems: dict[str, list[str]] = {}
        for name in sorted(set().union(*SOURCE_FIELDS.values(), *SOURCE_OPTIONS.values())):
            given = data.get(name) is not None
            if name in needed and name in data and not given:
                problems[name] = [f"is needed by source type {kind}"]
            if name not in needed | SOURCE_OPTIONS[kind] and given:
                problems[name] = [f"does not belong to source type {kind}"]
        if problems:
            raise ValidationError(problems)

    @validates_schema(skip_on_field_errors=False)
    def _region_is_that_of_the_arn(self, data: Mapping[str, Any], **_: Any) -> None:
        arn = snapshot_arn(data.get("snapshot") or "")
        if arn and data.get("region") not in (None, arn.region):
            raise ValidationError({"region": [f"is {data['region']}, but the ARN names {arn.region}"]})


class TargetSchema(Schema):
    """The cluster to replace."""

    cluster = _text(rule=_identifier)
    kms_key = _optional()


class ScalingSchema(Schema):
    """Serverless v2 capacity, in ACUs, by the names of ServerlessV2ScalingConfiguration."""

    min_capacity = fields.Float(
        data_key="MinCapacity", required=True, validate=[validate.Range(0, 256), _half_steps]
    )
    max_capacity = fields.Float(
        data_key="MaxCapacity", required=True, validate=[validate.Range(1, 256), _half_steps]
    )
    auto_pause = fields.Integer(data_key="SecondsUntilAutoPause", strict=True, validate=validate.Range(300, 86_400))

    @validates_schema(skip_on_field_errors=True)
    def _capacities_agree(self, data: Mapping[str, Any], **_: Any) -> None:
        problems: dict[str, list[str]] = {}
        if data["min_capacity"] > data["max_capacity"]:
            problems["MinCapacity"] = ["is more than MaxCapacity"]
        if "auto_pause" in data and data["min_capacity"] > 0:
            problems["SecondsUntilAutoPause"] = ["needs a MinCapacity of 0"]
        if problems:
            raise ValidationError(problems)


class ClusterSchema(Schema):
    """What the new cluster has instead of the target's settings; what is left out is mirrored."""

    port = fields.Integer(strict=True, validate=validate.Range(1150, 65535))  # RestoreDBClusterFromSnapshot, Port
    subnet_group = fields.String(validate=NAME)
    security_group_ids = fields.List(_text(), validate=validate.Length(min=1))
    parameter_group = fields.String(validate=NAME)
    iam_authentication = fields.Boolean()
    log_exports = fields.List(_text())
    serverless_scaling = fields.Nested(ScalingSchema)
    backup_retention_days = fields.Integer(strict=True, validate=validate.Range(1, 35))
    backup_window = fields.String(validate=DAILY)
    maintenance_window = fields.String(validate=WEEKLY)
    deletion_protection = fields.Boolean()
    copy_tags_to_snapshot = fields.Boolean()
    storage_type = fields.String(validate=validate.OneOf(["aurora", "aurora-iopt1"], error="must be one of {choices}"))
    network_type = fields.String(validate=validate.OneOf(["IPV4", "DUAL"], error="must be one of {choices}"))
    backtrack_seconds = fields.Integer(strict=True, validate=validate.Range(0, 259_200))
    engine_lifecycle_support = fields.String(
        validate=validate.OneOf(
            ["open-source-rds-extended-support", "open-source-rds-extended-support-disabled"],
            error="must be one of {choices}",
        )
    )
    database_insights = fields.String(validate=validate.OneOf(INSIGHTS_MODES, error="must be one of {choices}"))
    http_endpoint = fields.Boolean()
    local_write_forwarding = fields.Boolean()
    tags = _tags()


class InstanceSchema(Schema):
    """What an instance has instead of what its model, an instance of the target, has."""

    instance_class = fields.String(data_key="class", allow_none=True, validate=INSTANCE_CLASS)
    parameter_group = fields.String(validate=NAME)
    performance_insights = fields.Boolean()
    performance_insights_retention_days = fields.Integer(strict=True, validate=_insights_days)
    publicly_accessible = fields.Boolean()
    auto_minor_version_upgrade = fields.Boolean()
    maintenance_window = fields.String(validate=WEEKLY)
    ca_certificate = fields.String(validate=NAME)
    tags = _tags()

    @validates_schema(skip_on_field_errors=True)
    def _retention_needs_insights(self, data: Mapping[str, Any], **_: Any) -> None:
        if "performance_insights_retention_days" in data and data.get("performance_insights") is False:
            raise ValidationError({"performance_insights_retention_days": ["nothing is kept without the insights"]})


class MemberSchema(InstanceSchema):
    """One instance, the writer first."""

    tier = fields.Integer(strict=True, validate=validate.Range(0, 15))  # CreateDBInstance, PromotionTier


class InstancesSchema(InstanceSchema):
    """What to make instead of mirroring the target: for all instances, and (`members`) one by one."""

    count = fields.Integer(strict=True, allow_none=True, load_default=None, validate=validate.Range(1, MAX_INSTANCES))
    members = fields.List(
        fields.Nested(MemberSchema), load_default=list, validate=validate.Length(max=MAX_INSTANCES)
    )

    @validates_schema(skip_on_field_errors=True)
    def _members_are_counted(self, data: Mapping[str, Any], **_: Any) -> None:
        members = data["members"]
        if members and data["count"] not in (None, len(members)):
            raise ValidationError({"count": [f"is {data['count']}, but members lists {len(members)}"]})


class CredentialsSchema(Schema):
    """Who keeps the master password, and which of the source's logins may still log in, as members of which roles."""

    master = _text(required=False, load_default="secret", rule=validate.OneOf(["secret", "managed"]))
    keep_logins = fields.List(_text(), load_default=list)
    member_of = fields.Dict(keys=_text(), values=fields.List(_text(rule=ROLE)), load_default=dict)

    @validates_schema(skip_on_field_errors=True)
    def _members_are_kept(self, data: Mapping[str, Any], **_: Any) -> None:
        others = sorted(set(data["member_of"]) - set(data["keep_logins"]))
        if others:
            raise ValidationError({"member_of": {name: ["is not in keep_logins"] for name in others}})


class JobsSchema(Schema):
    """Which scheduled jobs of the source go on in the restored cluster."""

    keep = fields.List(_text(), load_default=list)


class UserSchema(Schema):
    """A login to make from a secret."""

    secret = _text()
    access = _text(rule=validate.OneOf(["read_write", "read_only"], error="must be one of {choices}"))
    database = _text(rule=validate.Length(min=1, max=63))
    schemas = fields.List(_text(rule=validate.Length(min=1, max=63)), required=True, validate=validate.Length(min=1))
    member_of = fields.List(_text(rule=[ROLE, NOT_AMAZONS]), load_default=list)


class TableSchema(Schema):
    """A table that must exist, with bounds on its rows."""

    name = _text()
    min_rows = fields.Integer(strict=True, load_default=0, validate=validate.Range(min=0))
    max_rows = fields.Integer(strict=True, allow_none=True, load_default=None, validate=validate.Range(min=0))


class FreshnessSchema(Schema):
    """A time column whose newest value may be at most so old, counted from the restore."""

    table = _text()
    column = _text()
    max_age_hours = fields.Float(required=True, validate=validate.Range(min=0, min_inclusive=False))


class QuerySchema(Schema):
    """A read-only statement that must return one value, equal to `expect`."""

    name = _text()
    sql = _text(rule=validate.Length(min=1, max=10_000))
    expect = fields.Raw(required=True, allow_none=True)


class BaselineSchema(Schema):
    """A table inside the restored database with columns `table_name` and `row_count`, filled before the snapshot."""

    table = _text()
    tolerance_percent = fields.Float(load_default=0.0, validate=validate.Range(min=0))


class VerifySchema(Schema):
    """What must hold before the swap."""

    database = _optional(validate.Length(min=1, max=63))
    schemas = fields.List(_text(), load_default=list)
    extensions = fields.List(_text(), load_default=list)
    baseline = fields.Nested(BaselineSchema, allow_none=True, load_default=None)
    tables = _list(TableSchema)
    freshness = _list(FreshnessSchema)
    queries = _list(QuerySchema)

    @validates_schema(skip_on_field_errors=False)
    def _checks_need_a_database(self, data: Mapping[str, Any], **_: Any) -> None:
        if any(value for name, value in data.items() if name != "database") and not data.get("database"):
            raise ValidationError({"database": ["is needed when there is something in it to check"]})


class DetectorsSchema(Schema):
    """What to look for in the text columns after masking."""

    kinds = fields.List(
        _text(rule=validate.OneOf(DETECTORS, error="must be one of {choices}")), load_default=lambda: list(DETECTORS)
    )
    sample = fields.Integer(strict=True, allow_none=True, load_default=10_000, validate=validate.Range(min=1))
    allow = fields.List(
        _text(rule=validate.Regexp(r"[^.]+\.[^.]+\.[^.]+\Z", error="must be schema.table.column, * for any")),
        load_default=list,
    )


class MaskingSchema(Schema):
    """Which masking set to run, where, and with which values for its placeholders."""

    set = _optional(validate.Regexp(r"[a-z0-9][a-z0-9_-]*\Z", error="must be the name of a directory under masking/"))
    checksum = _optional(validate.Regexp(r"[0-9a-f]{64}\Z", error="must be a SHA-256 in hexadecimal"))
    database = _text(rule=validate.Length(min=1, max=63))
    values = fields.Dict(
        keys=fields.String(validate=validate.Regexp(r"[a-z][a-z0-9_]*\Z", error="must be a placeholder's name")),
        values=fields.Raw(validate=_scalar),
        load_default=dict,
    )
    detectors = fields.Nested(DetectorsSchema, load_default=_defaults(DetectorsSchema))


class RetentionSchema(Schema):
    """What stays after a success."""

    keep_old_hours = fields.Integer(strict=True, load_default=24, validate=validate.Range(0, 8760))
    keep_copy = fields.Boolean(load_default=False)
    final_snapshot = fields.Boolean(load_default=False)


class ApprovalSchema(Schema):
    """Whether somebody has to agree before anything is changed."""

    required = fields.Boolean(required=True)
    expires_hours = fields.Float(load_default=8.0, validate=validate.Range(min=0, min_inclusive=False, max=8760))
    forbid_self = fields.Boolean(load_default=True)


class RequestSchema(Schema):
    """The request as a whole."""

    operation_id = _optional(_operation_id)
    source = fields.Nested(SourceSchema, required=True)
    target = fields.Nested(TargetSchema, required=True)
    strategy = fields.String(load_default="swap", validate=validate.OneOf(STRATEGIES, error="must be one of {choices}"))
    cluster = fields.Nested(ClusterSchema, load_default=dict)
    instances = fields.Nested(InstancesSchema, allow_none=True, load_default=None)
    users = _list(UserSchema)
    credentials = fields.Nested(CredentialsSchema, load_default=_defaults(CredentialsSchema))
    jobs = fields.Nested(JobsSchema, load_default=_defaults(JobsSchema))
    masking = fields.Nested(MaskingSchema, allow_none=True, load_default=None)
    verify = fields.Nested(VerifySchema, load_default=_defaults(VerifySchema))
    retention = fields.Nested(RetentionSchema, load_default=_defaults(RetentionSchema))
    approval = fields.Nested(ApprovalSchema, allow_none=True, load_default=None)
    requested_by = _optional(validate.Length(min=1, max=2048))
    dry_run = fields.Boolean(load_default=False)
