"""Password verifiers computed on our side, so that no server ever sees, logs or samples a literal password.

A verifier is what the server itself would store: it proves a password and does not reveal it.
"""

from __future__ import annotations

import secrets
import string
from base64 import b64encode
from hashlib import sha1, sha256

import scramp

SCRAM_ITERATIONS = 4096  # PostgreSQL's own default (`scram_iterations`)
_SCRAM_SALT_BYTES = 16
_CRYPT_ALPHABET = "./" + string.digits + string.ascii_uppercase + string.ascii_lowercase
_CRYPT_ORDER = (
    *((0, 10, 20), (21, 1, 11), (12, 22, 2), (3, 13, 23), (24, 4, 14)),
    *((15, 25, 5), (6, 16, 26), (27, 7, 17), (18, 28, 8), (9, 19, 29)),
)
_SHA2_PREFIX = b"$A$005$"  # SHA-256, thousands of rounds
_SHA2_ROUNDS = 5000  # MySQL's default
_SHA2_SALT_LENGTH = 20


def postgres_scram(password: str) -> str:
    """The SCRAM-SHA-256 verifier (RFC 5802, RFC 7677, SASLprep included) as `ALTER ROLE ... PASSWORD` takes it.

    Raises ValueError for a password that SASLprep forbids (control and unassigned characters).
    """
    try:
        salt, stored_key, server_key, iterations = scramp.ScramMechanism("SCRAM-SHA-256").make_auth_info(
            password, iteration_count=SCRAM_ITERATIONS, salt=secrets.token_bytes(_SCRAM_SALT_BYTES)
        )
    except scramp.ScramException:
        # The exception quotes the offending character: it stays out of the message and of the chain.
        raise ValueError("the password holds characters that SASLprep (RFC 4013) forbids") from None
    encoded = [b64encode(bytes(part)).decode() for part in (salt, stored_key, server_key)]
    return f"SCRAM-SHA-256${int(iterations)}:{encoded[0]}${encoded[1]}:{encoded[2]}"


def mysql_native(password: str) -> str:
    """The verifier of `mysql_native_password`: MariaDB and clusters whose default plugin it still is."""
    return "*" + sha1(sha1(password.encode()).digest()).hexdigest().upper()  # the plugin's definition


def mysql_caching_sha2(password: str, salt: bytes | None = None) -> str:
    """The verifier of `caching_sha2_password` (MySQL 8): SHA-crypt with a 20-byte salt and 5,000 rounds."""
    if salt is None:
        # MySQL keeps the salt inside a text column: letters and digits survive every character set and dump.
        salt = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(_SHA2_SALT_LENGTH)).encode()
    return (_SHA2_PREFIX + salt + _sha256_crypt(password.encode(), salt)).decode("latin-1")


def mysql_verifier(plugin: str, password: str) -> str:
    """A new verifier for `plugin`. Raises KeyError for a plugin that this module does not know."""
    return _MYSQL[plugin](password)


def mysql_verifier_matches(plugin: str, stored: bytes, password: str) -> bool:
    """Whether the verifier a server stores under `plugin` proves `password`; False for a plugin unknown here."""
    if plugin == "mysql_native_password":
        return stored == mysql_native(password).encode()
    if plugin == "caching_sha2_password" and stored.startswith(_SHA2_PREFIX):
        salt = stored[len(_SHA2_PREFIX) :][:_SHA2_SALT_LENGTH]  # a server's own salt is any bytes
        return stored == mysql_caching_sha2(password, salt).encode("latin-1")
    return False


_MYSQL = {"mysql_native_password": mysql_native, "caching_sha2_password": mysql_caching_sha2}


def _sha256_crypt(password: bytes, salt: bytes) -> bytes:
    """The digest part of Ulrich Drepper's SHA-256 crypt; the standard library's `crypt` is gone since Python 3.13."""
    alternate = sha256(password + salt + password).digest()
    first = sha256(password + salt + _stretch(alternate, len(password)))
    length = len(password)
    while length:
        first.update(alternate if length & 1 else password)
        length >>= 1
    digest = first.digest()
    key = _stretch(sha256(password * len(password)).digest(), len(password))
    seed = _stretch(sha256(salt * (16 + digest[0])).digest(), len(salt))
    for number in range(_SHA2_ROUNDS):
        step = sha256(key if number & 1 else digest)
        if number % 3:
            step.update(seed)
        if number % 7:
            step.update(key)
        step.update(digest if number & 1 else key)
        digest = step.digest()
    groups = [_crypt64((digest[a] << 16) | (digest[b] << 8) | digest[c], 4) for a, b, c in _CRYPT_ORDER]
    return "".join([*groups, _crypt64((digest[31] << 8) | digest[30], 3)]).encode()


def _stretch(block: bytes, length: int) -> bytes:
    return (block * (length // len(block) + 1))[:length]


def _crypt64(value: int, characters: int) -> str:
    return "".join(_CRYPT_ALPHABET[(value >> (6 * place)) & 63] for place in range(characters))
