from __future__ import annotations

import base64
import hashlib
import os
import zipfile
from pathlib import Path

import pytest

from aurora_deploy.errors import DeployError
from aurora_deploy.families import package
from aurora_deploy.families.package import CA_BUNDLE_NAME, PackageSpec, ensure_package, write_zip

PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.fixture
def installs(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Stands in for pip, which would need an index: records its calls and leaves what pip leaves."""
    calls: list[Path] = []

    def install(spec: PackageSpec, target: Path) -> None:
        calls.append(target)
        for name, content in {
            "driver/__init__.py": "VERSION = 1\n",
            "driver/__pycache__/__init__.cpython-313.pyc": "bytecode",
            "driver-1.dist-info/METADATA": "Name: driver\n",
            "driver-1.dist-info/RECORD": f"{target}\n",
            "driver-1.dist-info/INSTALLER": "pip\n",
            "bin/driver": "#!/somewhere/python\n",
            "aws_lambda_powertools/event_handler/api.py": "unused",
            "aws_lambda_powertools/logging/logger.py": "used",
        }.items():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_text(content)

    monkeypatch.setattr(package, "_pip_install", install)
    return calls


def make_spec(root: Path, ca_bundle: str = PEM) -> PackageSpec:
    source = root / "app"
    (source / "steps").mkdir(parents=True)
    (source / "__pycache__").mkdir()
    (source / "__init__.py").write_text("")
    (source / "steps" / "one.py").write_text("def run():\n    return 1\n")
    (source / "__pycache__" / "junk.pyc").write_text("junk")
    (root / "requirements.txt").write_text("driver==1 --hash=sha256:00\n")
    (root / "ca.pem").write_text(ca_bundle)
    probes = root / "masking" / "orders" / "probes"
    probes.mkdir(parents=True)
    (probes / "left.sql").write_text("SELECT 1\n")
    (root / "masking" / "orders" / "010_customers.sql").write_text("UPDATE t SET a = 1;\n")
    (root / "masking" / "README.md").write_text("not SQL\n")
    zip_file = root / "build" / "app.zip"
    return PackageSpec(source, root / "requirements.txt", root / "ca.pem", root / "masking", zip_file, "3.13")


def test_the_zip_holds_sources_dependencies_and_the_ca_bundle_and_nothing_about_the_machine(
    tmp_path: Path, installs: list[Path]
) -> None:
    built = ensure_package(make_spec(tmp_path))
    with zipfile.ZipFile(built.path) as archive:
        names = archive.namelist()
        assert archive.read(CA_BUNDLE_NAME).decode() == PEM
    assert names == [
        "app/__init__.py",
        "app/steps/one.py",
        "aws_lambda_powertools/logging/logger.py",
        "driver-1.dist-info/METADATA",
        "driver/__init__.py",
        "masking/orders/010_customers.sql",
        "masking/orders/probes/left.sql",
        CA_BUNDLE_NAME,
    ]


def test_the_same_input_gives_the_same_bytes_wherever_and_whenever_it_is_built(
    tmp_path: Path, installs: list[Path]
) -> None:
    one, other = make_spec(tmp_path / "one"), make_spec(tmp_path / "other")
    os.utime(other.source / "steps" / "one.py", (1, 1))
    (other.source / "steps" / "one.py").chmod(0o755)
    assert ensure_package(one).path.read_bytes() == ensure_package(other).path.read_bytes()


def test_the_hash_is_that_of_lambda(tmp_path: Path, installs: list[Path]) -> None:
    built = ensure_package(make_spec(tmp_path))
    assert base64.b64decode(built.sha256) == hashlib.sha256(built.path.read_bytes()).digest()
    assert built.size == built.path.stat().st_size


def test_nothing_is_built_while_the_input_is_unchanged(tmp_path: Path, installs: list[Path]) -> None:
    spec = make_spec(tmp_path)
    first = ensure_package(spec)
    again = ensure_package(spec)
    assert (first.built, again.built) == (True, False)
    assert again.sha256 == first.sha256
    assert len(installs) == 1


@pytest.mark.parametrize("what", ["source", "new file", "ca bundle", "damaged zip", "requirements"])
def test_what_changes_is_built_again(tmp_path: Path, installs: list[Path], what: str) -> None:
    spec = make_spec(tmp_path)
    before = ensure_package(spec)
    if what == "source":
        (spec.source / "steps" / "one.py").write_text("def run():\n    return 2\n")
    elif what == "new file":
        (spec.source / "two.py").write_text("")
    elif what == "ca bundle":
        spec.ca_bundle.write_text(PEM + PEM)
    elif what == "damaged zip":
        spec.output.write_bytes(b"half a zip")
    else:
        spec.requirements.write_text("driver==2 --hash=sha256:00\n")
    after = ensure_package(spec)
    assert after.built
    assert (after.sha256 == before.sha256) == (what in ("damaged zip", "requirements"))
    assert len(installs) == (2 if what == "requirements" else 1)


def test_every_missing_input_is_reported_at_once(tmp_path: Path) -> None:
    spec = PackageSpec(
        *(tmp_path / name for name in ("app", "requirements.txt", "ca.pem", "masking", "app.zip")), "3.13"
    )
    with pytest.raises(DeployError) as caught:
        ensure_package(spec)
    for part in ("app does not exist", "requirements.txt does not exist", "set lambda_rds_ca_bundle"):
        assert part in str(caught.value)


def test_a_ca_bundle_without_certificates_is_refused(tmp_path: Path, installs: list[Path]) -> None:
    with pytest.raises(DeployError, match="holds no PEM certificate"):
        ensure_package(make_spec(tmp_path, ca_bundle="nothing"))


def test_a_failed_installation_leaves_no_dependencies_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(spec: PackageSpec, target: Path) -> None:
        (target / "half").mkdir()
        raise DeployError("no index")

    monkeypatch.setattr(package, "_pip_install", fail)
    spec = make_spec(tmp_path)
    with pytest.raises(DeployError, match="no index"):
        ensure_package(spec)
    assert list(spec.output.parent.iterdir()) == []


def test_entries_are_sorted_stored_and_carry_fixed_times_and_modes(tmp_path: Path) -> None:
    write_zip(tmp_path / "a.zip", {"b": b"2", "a": b"1"})
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == ["a", "b"]
    assert {(entry.date_time, entry.external_attr >> 16, entry.compress_type) for entry in entries} == {
        ((1980, 1, 1, 0, 0, 0), 0o100644, zipfile.ZIP_STORED)
    }


def test_every_locked_requirement_has_a_hash_and_a_pinned_version(repository: Path) -> None:
    text = (repository / "requirements-lambda.txt").read_text()
    pinned = [line for line in text.splitlines() if "==" in line]
    assert pinned
    assert text.count("--hash=sha256:") >= len(pinned)


def test_the_bundled_certificates_are_read_by_ssl(repository: Path) -> None:
    import ssl

    context = ssl.create_default_context(cafile=str(repository / "roles/lambda/files/rds-global-bundle.pem"))
    assert context.cert_store_stats()["x509_ca"] >= 81
