"""Password verifiers against published vectors, and against the protocol they serve."""

from __future__ import annotations

import pytest
import scramp

from aurora_restore.db import verifiers


def test_a_scram_verifier_proves_its_password_to_a_server() -> None:
    password = "pä'ss$%\\"
    verifier = verifiers.postgres_scram(password)
    head, salt_and_count, keys = verifier.split("$")
    assert head == "SCRAM-SHA-256"
    count, salt = salt_and_count.split(":")
    expected = scramp.ScramMechanism("SCRAM-SHA-256").make_auth_info(
        password, iteration_count=int(count), salt=scramp.core.b64dec(salt)
    )
    assert [scramp.core.b64dec(key) for key in keys.split(":")] == [bytes(expected[1]), bytes(expected[2])]


def test_every_scram_verifier_has_a_salt_of_its_own() -> None:
    assert verifiers.postgres_scram("same") != verifiers.postgres_scram("same")


def test_equivalent_unicode_spellings_are_one_password() -> None:
    """RFC 4013: a client may send either; SASLprep maps both to the same text."""
    salts = iter([b"0123456789abcdef"] * 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verifiers.secrets, "token_bytes", lambda _size: next(salts))
        assert verifiers.postgres_scram("e\u0301ﬁ") == verifiers.postgres_scram("éfi")


@pytest.mark.parametrize("password", ["a\tb", "a\u0007b", "\U0001f600"])
def test_what_saslprep_forbids_is_refused_and_not_shown(password: str) -> None:
    with pytest.raises(ValueError, match="SASLprep") as caught:
        verifiers.postgres_scram(password)
    assert password not in str(caught.value)
    assert caught.value.__suppress_context__


def test_mysql_native_password_as_mysql_documents_it() -> None:
    # MySQL 8.0 Reference Manual, PASSWORD('mypass') of earlier versions.
    assert verifiers.mysql_native("mypass") == "*6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4"


def test_caching_sha2_password_against_a_published_vector() -> None:
    # hashcat's example of mode 7401, password "hashcat".
    salt = bytes.fromhex("F9CC98CE08892924F50A213B6BC571A2C11778C5")
    verifier = verifiers.mysql_caching_sha2("hashcat", salt).encode("latin-1")
    digest = bytes.fromhex("625479393559393965414D45316477456B484F41316E64484742577A2E3162785353526B7554584647562F")
    assert verifier == b"$A$005$" + salt + digest


def test_a_new_caching_sha2_verifier_is_seventy_characters_of_text() -> None:
    verifier = verifiers.mysql_caching_sha2("x" * 256)
    assert len(verifier) == 70
    assert verifier.isascii()
    assert verifier.isprintable()


@pytest.mark.parametrize("plugin", ["mysql_native_password", "caching_sha2_password"])
def test_a_verifier_matches_its_password_only(plugin: str) -> None:
    stored = verifiers.mysql_verifier(plugin, "pä'ss").encode("latin-1")
    assert verifiers.mysql_verifier_matches(plugin, stored, "pä'ss")
    assert not verifiers.mysql_verifier_matches(plugin, stored, "pä'sS")
    assert not verifiers.mysql_verifier_matches("ed25519", stored, "pä'ss")
