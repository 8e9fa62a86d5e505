"""Every error of the pipeline: a stable code for people, a class name for the state machine.

AWS Lambda's Python runtime reports an exception's class name as `errorType`, which is what `Retry` and `Catch` match,
and its text as `errorMessage`. The text therefore carries the code, what happened and what to do next. docs/errors.md
explains each.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, ClassVar


class Code(StrEnum):
    """Stable codes: 1xx request and guard rails, 2xx concurrency, 3xx AWS, 4xx databases, 5xx swap, 9xx setup."""

    INVALID_REQUEST = "AR101"
    NOT_YET_SUPPORTED = "AR102"
    TARGET_NOT_FOUND = "AR103"
    TARGET_NOT_ALLOWED = "AR104"
    TARGET_NOT_AVAILABLE = "AR105"
    SOURCE_IS_TARGET = "AR106"
    ACCOUNT_MISMATCH = "AR107"
    SNAPSHOT_NOT_FOUND = "AR108"
    SNAPSHOT_NOT_AVAILABLE = "AR109"
    INCOMPATIBLE_ENGINE = "AR110"
    NAME_TAKEN = "AR111"
    SEVERAL_PROBLEMS = "AR112"
    PLAN_TOO_LARGE = "AR113"
    SUBNET_GROUP_UNFIT = "AR114"
    SNAPSHOT_TOO_OLD = "AR120"
    SNAPSHOT_NOT_SHARED = "AR121"
    SOURCE_NOT_FOUND = "AR122"
    SOURCE_NOT_AVAILABLE = "AR123"
    TIME_NOT_RESTORABLE = "AR124"
    ENCRYPTION_NOT_POSSIBLE = "AR125"
    LOCK_HELD = "AR201"
    LOCK_LOST = "AR202"
    OPERATION_EXISTS = "AR203"
    APPROVAL_REJECTED = "AR204"
    APPROVAL_EXPIRED = "AR205"
    RETRYABLE_AWS_ERROR = "AR301"
    AWS_CALL_FAILED = "AR302"
    ACCESS_DENIED = "AR303"
    QUOTA_EXCEEDED = "AR304"
    CAPACITY_EXHAUSTED = "AR305"
    KMS_KEY_UNAVAILABLE = "AR306"
    RESOURCE_EXISTS = "AR307"
    RESOURCE_MISSING = "AR308"
    RESOURCE_BUSY = "AR309"
    COPY_FAILED = "AR310"
    RESTORE_FAILED = "AR311"
    INSTANCE_FAILED = "AR312"
    WAIT_TIMED_OUT = "AR313"
    FINAL_SNAPSHOT_FAILED = "AR314"
    SOURCE_VANISHED = "AR320"
    CLONE_LIMIT_REACHED = "AR321"
    SECRET_MALFORMED = "AR401"
    SECRET_NOT_FOUND = "AR402"
    DATABASE_UNREACHABLE = "AR403"
    DATABASE_REFUSED = "AR404"
    VERIFICATION_FAILED = "AR405"
    MASKING_FAILED = "AR406"
    MASKING_CHANGED = "AR407"
    MASKING_INCOMPLETE = "AR408"
    SWAP_FAILED = "AR501"
    POST_SWAP_FAILURE = "AR502"
    CLEANUP_FAILED = "AR503"
    ROLLBACK_IMPOSSIBLE = "AR504"
    NOT_RESUMABLE = "AR505"
    INVALID_SETTINGS = "AR901"
    UNEXPECTED = "AR902"


class RestoreError(Exception):
    """Base of all errors of the pipeline: `code` is stable, `message` says what happened, `remedy` what to do next."""

    code: ClassVar[Code]
    default_remedy: ClassVar[str]

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        self.message = message
        self.remedy = remedy or self.default_remedy
        super().__init__(f"[{self.code}] {self.message} Remedy: {self.remedy}")

    def details(self) -> dict[str, Any]:
        """The error for the audit trail and the log."""
        return {
            "error": type(self).__name__,
            "code": self.code.value,
            "message": self.message,
            "remedy": self.remedy,
        }


class InvalidRequest(RestoreError):
    """The request does not satisfy the schema; the message lists every mistake by path."""

    code = Code.INVALID_REQUEST
    default_remedy = "Correct the listed paths of the request and start again."


class NotYetSupported(RestoreError):
    """The request is well formed but asks for something this release cannot do."""

    code = Code.NOT_YET_SUPPORTED
    default_remedy = "Restore it by hand, or wait for a release that supports it."


class TargetNotFound(RestoreError):
    """The target cluster does not exist in the pipeline's account and region."""

    code = Code.TARGET_NOT_FOUND
    default_remedy = "Check target.cluster; a target must exist, because the new cluster mirrors it."


class TargetNotAllowed(RestoreError):
    """The target cluster lacks the opt-in tag."""

    code = Code.TARGET_NOT_ALLOWED
    default_remedy = "If this cluster may be replaced, tag it <name_prefix>:target = true."


class TargetNotAvailable(RestoreError):
    """The target cluster is being modified, is stopped, has no instances, or belongs to a global database."""

    code = Code.TARGET_NOT_AVAILABLE
    default_remedy = "Wait until the target and its instances are available, then start again."


class SourceIsTarget(RestoreError):
    """Source and target are the same cluster."""

    code = Code.SOURCE_IS_TARGET
    default_remedy = "Name another target: the pipeline never replaces the cluster it restores from."


class AccountMismatch(RestoreError):
    """The caller's account is not the one the deployment was made for."""

    code = Code.ACCOUNT_MISMATCH
    default_remedy = "Check account_id of the inventory and the credentials in use, then deploy again."


class SnapshotNotFound(RestoreError):
    """No snapshot matches the source."""

    code = Code.SNAPSHOT_NOT_FOUND
    default_remedy = "Check source.cluster or source.snapshot and source.region."


class SnapshotNotAvailable(RestoreError):
    """Snapshots match the source, but none is available."""

    code = Code.SNAPSHOT_NOT_AVAILABLE
    default_remedy = "Wait until the snapshot is available, or name another one."


class IncompatibleEngine(RestoreError):
    """The snapshot's engine or major version does not fit the target's."""

    code = Code.INCOMPATIBLE_ENGINE
    default_remedy = "Restore into a target of the same engine and major version."


class NameTaken(RestoreError):
    """A name the operation needs belongs to something it did not make."""

    code = Code.NAME_TAKEN
    default_remedy = "Rename or remove the resource that holds the name, or use another operation_id."


class SeveralProblems(RestoreError):
    """More than one thing speaks against the operation; the message lists each with its code and its fix."""

    code = Code.SEVERAL_PROBLEMS
    default_remedy = "Put each of the listed problems right, then start again."

    def __init__(self, message: str, *, remedy: str | None = None, problems: Sequence[RestoreError] = ()) -> None:
        self.problems = tuple(problems)
        super().__init__(message, remedy=remedy)

    @classmethod
    def of(cls, problems: Sequence[RestoreError]) -> SeveralProblems:
        """The error that lists `problems`, sorted by code."""
        ordered = sorted(problems, key=lambda problem: (problem.code, problem.message))
        listed = "; ".join(
            f"({number}) {problem.code} {type(problem).__name__}: {problem.message} Fix: {problem.remedy}"
            for number, problem in enumerate(ordered, start=1)
        )
        return cls(f"{len(ordered)} problems: {listed}", problems=ordered)

    def details(self) -> dict[str, Any]:
        return {**super().details(), "problems": [problem.details() for problem in self.problems]}


class SnapshotTooOld(RestoreError):
    """The newest data that the source offers is older than the request's source.max_age_hours."""

    code = Code.SNAPSHOT_TOO_OLD
    default_remedy = "Find out why there is no newer snapshot; or take one, or raise source.max_age_hours."


class SnapshotNotShared(RestoreError):
    """The other account does not share this snapshot with the pipeline's account."""

    code = Code.SNAPSHOT_NOT_SHARED
    default_remedy = (
        "The owner shares a manual snapshot: an automated one, or one under the aws/rds key, is first copied under a "
        "customer key whose policy lets this account use it (kms:CreateGrant, kms:DescribeKey, kms:Decrypt). "
        "docs/sources.md has the commands."
    )


class SourceNotFound(RestoreError):
    """The source cluster of a point in time or a clone does not exist in the pipeline's account and region."""

    code = Code.SOURCE_NOT_FOUND
    default_remedy = "Check source.cluster; after the cluster's deletion only its snapshots can be restored."


class SourceNotAvailable(RestoreError):
    """The source cluster cannot be restored from or cloned in the state it is in."""

    code = Code.SOURCE_NOT_AVAILABLE
    default_remedy = "Wait until the source cluster is available, then start again; or restore one of its snapshots."


class TimeNotRestorable(RestoreError):
    """The point in time is outside of what the source's backups cover."""

    code = Code.TIME_NOT_RESTORABLE
    default_remedy = "Choose a time within the named bounds, or restore a snapshot of that time."


class EncryptionNotPossible(RestoreError):
    """A point in time or a clone of an unencrypted cluster cannot be encrypted, but the new cluster must be."""

    code = Code.ENCRYPTION_NOT_POSSIBLE
    default_remedy = "Restore a snapshot of the source instead: that can be encrypted."


class PlanTooLarge(RestoreError):
    """Request and plan would not fit into an execution's data together with the steps' results."""

    code = Code.PLAN_TOO_LARGE
    default_remedy = "Shorten verify.queries, or give the target's instances the same tags, then start again."


class SubnetGroupUnfit(RestoreError):
    """The target's subnet group is not complete, or has subnets in fewer than two zones."""

    code = Code.SUBNET_GROUP_UNFIT
    default_remedy = "Add subnets in at least two zones to the target's subnet group, then start again."


class LockHeld(RestoreError):
    """Another operation works on the same target."""

    code = Code.LOCK_HELD
    default_remedy = "Wait until the other operation ends; its lease runs out by itself if it died."


class LockLost(RestoreError):
    """The operation no longer holds the lock of its target."""

    code = Code.LOCK_LOST
    default_remedy = "Look at the operation that holds the lock now; start again when it has ended."


class OperationExists(RestoreError):
    """The operation_id was used before, by another execution."""

    code = Code.OPERATION_EXISTS
    default_remedy = "Start again with another operation_id."


class ApprovalRejected(RestoreError):
    """Somebody decided that the operation must not run; the message says who and why."""

    code = Code.APPROVAL_REJECTED
    default_remedy = "Settle the reason with whoever rejected it, then start again."


class ApprovalExpired(RestoreError):
    """Nobody approved or rejected the operation in time."""

    code = Code.APPROVAL_EXPIRED
    default_remedy = "Start again and have it approved in time, or give approval.expires_hours a larger value."


class AwsCallFailed(RestoreError):
    """AWS refused a call for a reason without a class of its own; `aws_code` is AWS's error code."""

    code = Code.AWS_CALL_FAILED
    default_remedy = "Read AWS's message; correct what it names and start again."

    def __init__(self, message: str, *, remedy: str | None = None, aws_code: str = "") -> None:
        self.aws_code = aws_code
        super().__init__(message, remedy=remedy)


class RetryableAwsError(AwsCallFailed):
    """Throttling, a server error or a broken connection: the state machine retries it."""

    code = Code.RETRYABLE_AWS_ERROR
    default_remedy = "Nothing: it is retried. If it persists, look at AWS Health and at the network of the functions."


class AccessDenied(AwsCallFailed):
    """The function's role lacks a permission."""

    code = Code.ACCESS_DENIED
    default_remedy = (
        "Deploy the iam role again; check permission boundaries, service control policies and the key's policy."
    )


class QuotaExceeded(AwsCallFailed):
    """An account quota is used up."""

    code = Code.QUOTA_EXCEEDED
    default_remedy = "Remove what is no longer needed or raise the quota in Service Quotas, then start again."


class CapacityExhausted(AwsCallFailed):
    """AWS has no capacity for the instance class in the zones of the subnet group."""

    code = Code.CAPACITY_EXHAUSTED
    default_remedy = "Choose another instances.class, or start again later."


class KmsKeyUnavailable(AwsCallFailed):
    """A KMS key is disabled, pending deletion or not usable by the function's role."""

    code = Code.KMS_KEY_UNAVAILABLE
    default_remedy = "Enable the key, or let its policy and grants admit the function's role."


class ResourceExists(AwsCallFailed):
    """AWS says that the name is in use."""

    code = Code.RESOURCE_EXISTS
    default_remedy = "Rename or remove the resource that holds the name, or use another operation_id."


class ResourceMissing(AwsCallFailed):
    """AWS says that something the call names does not exist."""

    code = Code.RESOURCE_MISSING
    default_remedy = "Check that nobody removed it while the operation ran, then start again."


class ResourceBusy(AwsCallFailed):
    """AWS says that the resource's state does not allow the call."""

    code = Code.RESOURCE_BUSY
    default_remedy = "Wait until the resource is available, then start again."


class CopyFailed(RestoreError):
    """The snapshot copy failed or vanished."""

    code = Code.COPY_FAILED
    default_remedy = "Look at the RDS events of the copy; check both KMS keys, then start again."


class RestoreFailed(RestoreError):
    """The new cluster ended in a state it cannot leave, or vanished."""

    code = Code.RESTORE_FAILED
    default_remedy = (
        "Look at the RDS events of the new cluster; check subnet group, parameter group and key, then start again."
    )


class InstanceFailed(RestoreError):
    """An instance of the new cluster ended in a state it cannot leave, or vanished."""

    code = Code.INSTANCE_FAILED
    default_remedy = (
        "Look at the RDS events of the instance; check class, parameter group and subnets, then start again."
    )


class WaitTimedOut(RestoreError):
    """The operation's deadline passed while it waited for AWS."""

    code = Code.WAIT_TIMED_OUT
    default_remedy = "Raise state_machine_timeout_seconds above what this restore needs, deploy, and start again."


class FinalSnapshotFailed(RestoreError):
    """The final snapshot of a target that is to be removed failed, vanished, or is not of the target."""

    code = Code.FINAL_SNAPSHOT_FAILED
    default_remedy = "Look at the RDS events of the snapshot and at the target's key, then start a new operation."


class SourceVanished(RestoreError):
    """The snapshot or cluster that the plan restores from was removed or replaced while the operation ran."""

    code = Code.SOURCE_VANISHED
    default_remedy = "Find out who removed it, for example an expiry; start again, and another source is chosen."


class CloneLimitReached(RestoreError):
    """AWS refused one more copy-on-write clone of a source that has as many as it may have."""

    code = Code.CLONE_LIMIT_REACHED
    default_remedy = "Delete clones that nobody needs, or restore with source type latest_restorable_time."


class SecretMalformed(RestoreError):
    """A secret is not JSON or lacks a key; its content is never shown."""

    code = Code.SECRET_MALFORMED
    default_remedy = 'Write the secret as {"username": "...", "password": "..."}.'


class SecretNotFound(RestoreError):
    """A secret does not exist."""

    code = Code.SECRET_NOT_FOUND
    default_remedy = "Create the secret (site.yml --tags secrets) or correct its name."


class DatabaseUnreachable(RestoreError):
    """No verified TLS connection to the new cluster could be made; retried before it ends the operation."""

    code = Code.DATABASE_UNREACHABLE
    default_remedy = (
        "Check that the functions' security group may reach the cluster's port and that subnets route to it."
    )


class DatabaseRefused(RestoreError):
    """The database refused a statement or a login."""

    code = Code.DATABASE_REFUSED
    default_remedy = "Read the database's message; correct users or verify in the request, then start again."


class VerificationFailed(RestoreError):
    """A check of the restored data failed: nothing was swapped."""

    code = Code.VERIFICATION_FAILED
    default_remedy = "Look at the failed checks in the audit trail; correct the source or the bounds in verify."


class MaskingFailed(RestoreError):
    """The masking files are missing or malformed, or the database refused a statement of theirs."""

    code = Code.MASKING_FAILED
    default_remedy = "Correct the named masking file, deploy the functions again, and start again."


class MaskingChanged(RestoreError):
    """The masking files are not the ones that were planned or pinned."""

    code = Code.MASKING_CHANGED
    default_remedy = "Deploy the files that are meant to run, look at the new plan, and start again."


class MaskingIncomplete(RestoreError):
    """Personal data is left after masking: nothing was swapped. Names columns and counts, never data."""

    code = Code.MASKING_INCOMPLETE
    default_remedy = (
        "Mask the named columns in the masking files, or list those that may hold this in masking.detectors.allow."
    )


class SwapFailed(RestoreError):
    """A cluster or instance vanished or was renamed by somebody else during the swap."""

    code = Code.SWAP_FAILED
    default_remedy = "See which cluster holds the target's name now; docs/errors.md says how to put the names back."


class PostSwapFailure(RestoreError):
    """The target holds the verified data, but something after the swap failed."""

    code = Code.POST_SWAP_FAILURE
    default_remedy = "Use the target; finish by hand what failed, for example the removal of a snapshot copy."


class CleanupFailed(RestoreError):
    """The undo of a failed operation could not be finished."""

    code = Code.CLEANUP_FAILED
    default_remedy = "Remove what carries the operation's tag <name_prefix>:operation by hand; the message lists it."


class RollbackImpossible(RestoreError):
    """The restore cannot be rolled back: it swapped nothing, or its clusters are not as it left them."""

    code = Code.ROLLBACK_IMPOSSIBLE
    default_remedy = (
        "If the old cluster is gone, restore from a snapshot of it; if a later restore swapped, roll that back first."
    )


class NotResumable(RestoreError):
    """The operation cannot be resumed: it runs, it has succeeded, or its clean-up is not finished."""

    code = Code.NOT_RESUMABLE
    default_remedy = "Start a new operation with restore.yml."


class InvalidSettings(RestoreError):
    """The function's environment lacks variables or holds malformed ones; the message lists all of them."""

    code = Code.INVALID_SETTINGS
    default_remedy = "Set the named variables (or CONFIG_FILE) and deploy again; docs/configuration.md explains each."


class UnexpectedError(RestoreError):
    """A mistake of the pipeline itself: the message names kind and place, and repeats no text that could be secret."""

    code = Code.UNEXPECTED
    default_remedy = "Report it with the operation_id and the place; the operation was undone like any other."
