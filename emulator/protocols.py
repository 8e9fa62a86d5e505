"""Which AWS call a request is, and how an error of that call's protocol looks on the wire.

The protocols are those of the service models of the SDKs (``metadata.protocol``): json, query, ec2, rest-json, rest-xml
and smithy-rpc-v2-cbor.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

_SCOPE = re.compile(rb"Credential=[^/,]+/[^/]+/[^/]+/([^/]+)/aws4_request")
_CBOR_PATH = re.compile(r"/service/[^/]+/operation/(\w+)")
_EC2_ERROR = "<Response><Errors><Error>{}</Error></Errors><RequestID>injected</RequestID></Response>"
_QUERY_ERROR = "<ErrorResponse><Error><Type>Sender</Type>{}</Error><RequestId>injected</RequestId></ErrorResponse>"


@dataclasses.dataclass(frozen=True)
class Call:
    """One AWS call: the service's signing name, its action, and the protocol it came in.

    REST services name no action on the wire; theirs is the IAM action of the request, such as ``InvokeFunction``.
    """

    service: str
    action: str
    protocol: str

    def error(self, code: str, message: str) -> tuple[dict[str, str], bytes]:
        """Headers and body of an error answer."""
        if self.protocol == "cbor":
            headers = {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
            headers["x-amzn-query-error"] = f"{code};Sender"
            return headers, _cbor_map({"__type": code, "message": message})
        if self.protocol in ("query", "ec2"):
            fault = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
            body = _EC2_ERROR if self.protocol == "ec2" else _QUERY_ERROR
            return {"content-type": "text/xml"}, body.format(fault).encode()
        headers = {"content-type": "application/x-amz-json-1.1", "x-amzn-errortype": code}
        return headers, json.dumps({"__type": code, "message": message}).encode()


def identify(scope: MutableMapping[str, Any], body: bytes) -> Call | None:
    """Name the AWS call of an ASGI request; None when it is not one, such as a health check."""
    headers = {name.lower(): value for name, value in scope["headers"]}
    signed = _SCOPE.search(headers.get(b"authorization", b""))
    if signed is None:
        return None
    service = signed.group(1).decode()
    if cbor := _CBOR_PATH.match(scope["path"]):
        return Call(service, cbor.group(1), "cbor")
    if target := headers.get(b"x-amz-target"):
        return Call(service, target.decode().rpartition(".")[2], "json")
    if headers.get(b"content-type", b"").startswith(b"application/x-www-form-urlencoded"):
        action = parse_qs(body.decode(errors="replace")).get("Action", ["?"])[0]
        return Call(service, action, "ec2" if service == "ec2" else "query")
    return Call(service, _rest_action(service, scope, body), "rest-json")


def _rest_action(service: str, scope: MutableMapping[str, Any], body: bytes) -> str:
    from ministack.core.iam_actions import extract_iam_action

    headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
    params = parse_qs(scope["query_string"].decode(), keep_blank_values=True)
    action = extract_iam_action(service, scope["method"], scope["path"], headers, body, params)
    return str(action).partition(":")[2] if action else f"{scope['method']} {scope['path']}"


def _cbor_map(values: dict[str, str]) -> bytes:
    """CBOR (RFC 8949) of a small map of short texts: all that an error needs."""

    def text(value: str) -> bytes:
        data = value.encode()
        return b"\x79" + len(data).to_bytes(2, "big") + data

    return bytes([0xA0 | len(values)]) + b"".join(text(name) + text(value) for name, value in values.items())
