"""What personal data looks like in text: e-mail addresses, phone numbers, card numbers, IBANs.

A detector prefers to be right over finding everything: each pattern is confirmed by what the standard says about it,
so that order numbers and time stamps do not stop a restore. Masked values keep clear of them by using what the
standards reserve: the top-level domain `.invalid` (RFC 2606), country code 0 (ITU-T E.164 gives none out).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_EMAIL = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._%+-]*@(?P<domain>(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,63})\b"
)
_RESERVED = ("invalid", "test", "example", "localhost")  # RFC 2606, section 2: no mail ever leaves for these
# E.164, written with +, or with 00 where something sets the country code apart from an order number. Up to 15
# digits, the first of them 1 to 9; seven is the least that any numbering plan has.
_INTERNATIONAL = re.compile(r"(?<![\w+])(?:\+|00(?=[1-9]\d{0,2}[ ./()-]))[1-9](?:[ ./()-]{0,2}\d){6,14}(?!\d)")
# North America, as people write it there; 555-01xx is kept free for fiction.
_NORTH_AMERICAN = re.compile(
    r"(?<![\w.+-])(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[-. ])(?!555[-. ]01)[2-9]\d{2}[-. ]\d{4}(?![\w-])"
)
# ISO/IEC 7812: 13 to 19 digits; the first says which industry, and cards of payment begin with 2 to 6.
_CARD = re.compile(r"(?<!\d)(?<!\d[.-])[2-6](?:[ -]?\d){12,18}(?!\d|[.-]\d)")
# ISO 13616: country, two check digits, up to 30 letters and digits; printed in groups of four.
_IBAN = re.compile(r"(?<![A-Z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Z0-9])")


def _is_email(text: str) -> bool:
    return any(found["domain"].rsplit(".", 1)[-1].lower() not in _RESERVED for found in _EMAIL.finditer(text))


def _is_phone(text: str) -> bool:
    return bool(_INTERNATIONAL.search(text) or _NORTH_AMERICAN.search(text))


def _is_card(text: str) -> bool:
    return any(_luhn([int(digit) for digit in found.group() if digit.isdigit()]) for found in _CARD.finditer(text))


def _is_iban(text: str) -> bool:
    return any(_mod_97(found.group().replace(" ", "")) for found in _IBAN.finditer(text))


def _luhn(digits: list[int]) -> bool:
    """ISO/IEC 7812-1, annex B: from the right every second digit counts double, its own digits added."""
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _mod_97(iban: str) -> bool:
    """ISO 7064, MOD 97-10: the first four characters to the end, letters as 10 to 35, the remainder is 1."""
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97 == 1


DETECTORS: dict[str, Callable[[str], bool]] = {
    "email": _is_email,
    "phone": _is_phone,
    "card": _is_card,
    "iban": _is_iban,
}


def kinds_in(text: str, kinds: tuple[str, ...]) -> Iterator[str]:
    """Which of `kinds` appear in `text`."""
    return (kind for kind in kinds if DETECTORS[kind](text))
