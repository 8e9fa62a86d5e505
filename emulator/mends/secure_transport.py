"""A call counts as made over TLS, although the endpoint on the loopback interface speaks plain HTTP.

The endpoint stands for AWS's own, which refuse plain HTTP. Without this mend every resource policy that demands TLS
(``aws:SecureTransport``) would deny every call.
"""

from __future__ import annotations

from ministack import app

from emulator.settings import Settings


def apply(settings: Settings) -> None:
    """Replace what the evaluator is told about each request."""
    del settings
    pin_request_origin = app.pin_request_origin

    def pin(source_ip: str, secure_transport: bool) -> None:
        del secure_transport
        pin_request_origin(source_ip, True)

    app.pin_request_origin = pin
