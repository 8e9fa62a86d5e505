"""The course of the demo, part by part."""

from __future__ import annotations

import datetime
import json
import re
import secrets
import shlex
from typing import Any

import boto3

from demo.console import Console, DemoError
from demo.databases import MASKED, Databases, Login
from demo.inbox import Inbox
from demo.proof import Proof
from demo.seed import Seed
from demo.settings import NAME_PREFIX, REPOSITORY, SOURCE, TARGET, Settings
from emulator.launcher import Emulator
from emulator.settings import DEFAULT_PORT

_CHANGED = re.compile(r"^TASK \[(.*)\] \*+\nchanged: ", re.MULTILINE)


class Show:
    """Runs the whole demo; can be run again while the local AWS is up."""

    def __init__(self, settings: Settings, console: Console) -> None:
        self._settings = settings
        self._console = console
        self._emulator = self._found_or_new()

    def run(self) -> None:
        """Everything, in order.

        :raises DemoError: a part failed, or a proof did not hold.
        """
        console = self._console
        with console.part("Start the local AWS"):
            self._start()
        with console.part("Deploy everything"):
            self._deploy("deploy")
        with console.part("Deploy again: nothing may change"):
            self._require_unchanged(self._deploy("deploy-again"))
        databases = Databases(self._client("rds"), self._settings.ca_file)
        with console.part("Seed the databases"):
            seed = self._seed(databases)
            before = {name: databases.fingerprint(name, login, "shop") for name, login in self._logins(seed).items()}
            unmasked = databases.fingerprint(SOURCE, seed.source, "shop", without=MASKED)
        operation = f"demo-{datetime.datetime.now(datetime.UTC):%Y%m%d-%H%M%S}"
        with Inbox(self._client("sns"), self._client("sqs"), self._topic_arn) as inbox:
            with console.part(f"Restore {TARGET} from the latest snapshot of {SOURCE}"):
                self._playbook("restore", whole=True, target=TARGET, operation=operation)
            with console.part("Prove it: look at the databases themselves"):
                old = f"{TARGET}-old-{operation}"
                proof = Proof(databases, console)
                proof.names(self._client("rds"), old)
                proof.same_rows(TARGET, seed.target, unmasked, "the source's rows", without=MASKED)
                proof.masked(TARGET, seed.target, all_of_them=True)
                proof.masked(SOURCE, seed.source, all_of_them=False)
                proof.same_rows(old, seed.target, before[TARGET], "the rows the target had before")
                proof.same_rows(SOURCE, seed.source, before[SOURCE], "the rows it had before")
                proof.application_rights(self._secret("app-credentials"))
            with console.part("What was recorded and told"):
                self._playbook("status", whole=True, operation=operation)
                for subject, message in inbox.messages():
                    console.say(f"notification: {subject}")
                    for line in message.splitlines():
                        console.say(f"    {line}")
        console.table()
        self._what_next(operation)

    def _found_or_new(self) -> Emulator:
        settings = self._settings
        found = Emulator.find(settings.state_dir)
        if found and found.pid:
            if settings.port not in (None, found.settings.port):
                raise DemoError(
                    f"the demo in {settings.state_dir} runs on port {found.settings.port} already. To go on with it "
                    f"leave DEMO_PORT out; to have it on port {settings.port} stop it first: {settings.down}"
                )
            return found
        port = settings.port or DEFAULT_PORT
        return Emulator(settings.state_dir, port=port, wait_scale=settings.scale, aurora_scale=settings.scale)

    def _start(self) -> None:
        started = self._emulator.start()
        again = "" if started else ", running already"
        self._console.say(f"{self._emulator.endpoint_url}{again}; log {self._emulator.settings.log_file}")
        self._console.say(f"AWS's own waiting times are scaled by {self._emulator.settings.aurora_scale:g}")

    def _deploy(self, name: str) -> list[str]:
        """Run site.yml; returns the names of the tasks that changed something."""
        output = self._run([*self._settings.playbook, "site.yml"], name)
        changed = _CHANGED.findall(output)
        self._console.say(f"changed={len(changed)}")
        return changed

    def _require_unchanged(self, changed: list[str]) -> None:
        if changed:
            log = self._settings.log_dir / "deploy-again.log"
            raise DemoError(f"the second deployment changed something: {'; '.join(changed)}. Its log is {log}")

    def _playbook(self, name: str, *, whole: bool, **variables: str) -> None:
        extra = [word for key, value in variables.items() for word in ("-e", f"{key}={value}")]
        self._run([*self._settings.playbook, f"playbooks/{name}.yml", *extra], name, whole=whole)

    def _run(self, command: list[str], name: str, *, whole: bool = False) -> str:
        log = self._settings.log_dir / f"{name}.log"
        return self._console.run(command, log, env=self._emulator.env, cwd=REPOSITORY, whole=whole)

    def _seed(self, databases: Databases) -> Seed:
        master = self._secret("master-credentials")
        source = Login(master.username, self._source_password())
        seed = Seed(self._client("rds"), self._client("kms"), databases, self._console, source, master)
        seed.sow()
        return seed

    def _logins(self, seed: Seed) -> dict[str, Login]:
        return {SOURCE: seed.source, TARGET: seed.target}

    def _source_password(self) -> str:
        """The source's master password: another one than the pipeline's, kept where the next run finds it."""
        kept = self._settings.log_dir / "source-password"
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.touch(mode=0o600)
            kept.write_text(secrets.token_urlsafe(24), encoding="ascii")
        return kept.read_text(encoding="ascii")

    def _secret(self, name: str) -> Login:
        answer = self._client("secretsmanager").get_secret_value(SecretId=f"{NAME_PREFIX}/{name}")
        value = json.loads(answer["SecretString"])
        return Login(value["username"], value["password"])

    def _client(self, service: str) -> Any:
        environment = self._emulator.env
        session: Any = boto3.session.Session(
            region_name=environment["AWS_REGION"],
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        )
        return session.client(service, endpoint_url=environment["AWS_ENDPOINT_URL"])

    @property
    def _topic_arn(self) -> str:
        environment = self._emulator.env
        return f"arn:aws:sns:{environment['AWS_REGION']}:{environment['AWS_ACCESS_KEY_ID']}:{NAME_PREFIX}-notifications"

    def _what_next(self, operation: str) -> None:
        inventory = shlex.join(self._settings.inventory)
        restore = f"playbooks/restore.yml {inventory} -e target={TARGET}"
        commands = {
            f"playbooks/status.yml {inventory} -e operation={operation}": "look at the operation again",
            f"{restore} -e dry_run=true": "plan a restore, change nothing",
            f"{restore} -e source_snapshot=nosuch": "see a restore fail and leave the target as it was",
            f"site.yml {inventory} --check --diff": "see what a deployment would change",
        }
        print("\nTry next")
        print(f'    . .venv/bin/activate; eval "$({self._settings.emulator_env})"')
        for command, purpose in commands.items():
            print(f"    ansible-playbook {command}  # {purpose}")
        print(f"    {self._settings.down}  # stop it all; no process and no file stays")
