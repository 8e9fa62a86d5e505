"""What counts as personal data in text, and what only looks a little like it."""

from __future__ import annotations

import pytest

from aurora_restore.masking.detectors import DETECTORS, kinds_in

# The card numbers are those that payment networks publish for tests, the IBANs the examples of the registry.
FOUND = {
    "email": ["ann@mail.org", "see <Ann.Berg+x@shop.co.uk>.", '{"mail": "a@b-c.de"}', "ann@invalid.org"],
    "phone": ["+49 30 1234567", "call +1 (415) 555-2671", "0049 30 1234567", "(415) 555-2671", "+4915112345678"],
    "card": ["4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005", "paid with 4111111111111111."],
    "iban": ["DE89370400440532013000", "GB29 NWBK 6016 1331 9268 19", "to NL91ABNA0417164300!"],
}
NOT_FOUND = {
    "email": ["customer1@masked.invalid", "a@b.test", "root@localhost", "ann at mail.org", "@ann", "ann@mail"],
    "phone": [
        "+00 1000000001",
        "2026-11-23 07:14:50",
        "+1",
        "order 0012345678",
        "555-0123",
        "(415) 555-0123",
        "3.14159",
    ],
    "card": ["4111 1111 1111 1112", "1795417200000000", "9999999999999995", "41111111", "0.4111111111111111"],
    "iban": ["DE89370400440532013001", "DE12", "XX00AAAA", "de89370400440532013000x"],
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in FOUND.items() for text in texts])
def test_it_is_found(kind: str, text: str) -> None:
    assert kind in kinds_in(text, tuple(DETECTORS))


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in NOT_FOUND.items() for text in texts])
def test_it_is_not_taken_for_it(kind: str, text: str) -> None:
    assert kind not in kinds_in(text, tuple(DETECTORS))


def test_only_the_wanted_kinds_are_looked_for() -> None:
    assert list(kinds_in("ann@mail.org +49 30 1234567", ("phone",))) == ["phone"]
