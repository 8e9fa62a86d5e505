"""AWS's query protocol for RDS, driven by the service model that botocore ships.

Requests become plain dictionaries and results become XML by the same shapes that boto3 uses on the other side, so no
action here reads a form field or writes an element by hand.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

import botocore.session
from botocore.model import OperationModel, StructureShape

from .errors import RdsError

Response = tuple[int, dict[str, str], bytes]

_DEFAULT_STATUS = 400


@cache
def service_model() -> Any:
    """botocore's model of RDS."""
    return botocore.session.get_session().get_service_model("rds")


def operation(action: str) -> OperationModel:
    """The model of `action`. Raises RdsError InvalidAction for one that RDS does not have."""
    model = service_model()
    if action not in model.operation_names:
        raise RdsError("InvalidAction", f"The action {action or '(none)'} is not valid for this web service.")
    found: OperationModel = model.operation_model(action)
    return found


def parse_request(action: OperationModel, fields: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The parameters of a request as boto3's caller gave them. Raises RdsError for missing or malformed ones."""
    shape = action.input_shape
    if shape is None:
        return {}
    tree: dict[str, Any] = {}
    for key, values in fields.items():
        node = tree
        *parents, leaf = key.split(".")
        for part in parents:
            node = node.setdefault(part, {})
        node[leaf] = values[0]
    parsed: dict[str, Any] = _parse(shape, tree)
    for name in shape.required_members:
        if name not in parsed:
            raise RdsError("MissingParameter", f"The request must contain the parameter {name}.")
    return parsed


def _parse(shape: Any, node: Any) -> Any:
    kind = shape.type_name
    if kind == "structure":
        members = {name: (member.serialization.get("name", name), member) for name, member in shape.members.items()}
        return {name: _parse(member, node[wire]) for name, (wire, member) in members.items() if wire in node}
    if kind == "list":
        # An empty list arrives as `Name=`; a filled one as `Name.<member name>.<n>`.
        if not isinstance(node, dict):
            return []
        numbered = next(iter(node.values()))
        if not isinstance(numbered, dict):
            numbered = node
        return [_parse(shape.member, numbered[n]) for n in sorted(numbered, key=int)]
    try:
        if kind in ("integer", "long"):
            return int(node)
        if kind in ("float", "double"):
            return float(node)
        if kind == "timestamp":
            moment = datetime.fromisoformat(node)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError:
        raise RdsError("MalformedInput", f"{node!r} is not a valid {kind}.") from None
    if kind == "boolean":
        return str(node).lower() == "true"
    return str(node)


def render_result(action: OperationModel, result: Mapping[str, Any]) -> Response:
    """A success answer; members of `result` that the model does not know are left out."""
    root = Element(f"{action.name}Response", xmlns=service_model().metadata["xmlNamespace"])
    shape = action.output_shape
    if shape is not None:
        _render(SubElement(root, shape.serialization.get("resultWrapper", f"{action.name}Result")), shape, result)
    SubElement(SubElement(root, "ResponseMetadata"), "RequestId").text = str(uuid.uuid4())
    return 200, {"Content-Type": "text/xml"}, tostring(root, encoding="utf-8", xml_declaration=True)


def render_error(error: RdsError) -> Response:
    """An error answer, with the wire code and HTTP status of the error's shape where it has one."""
    code, status = error.name, _DEFAULT_STATUS
    if error.name in service_model().shape_names:
        shape: StructureShape = service_model().shape_for(error.name)
        code, status = shape.error_code, shape.metadata["error"]["httpStatusCode"]
    elif error.name == "InternalFailure":
        status = 500
    root = Element("ErrorResponse", xmlns=service_model().metadata["xmlNamespace"])
    detail = SubElement(root, "Error")
    SubElement(detail, "Type").text = "Sender" if status < 500 else "Receiver"
    SubElement(detail, "Code").text = code
    SubElement(detail, "Message").text = error.message
    SubElement(root, "RequestId").text = str(uuid.uuid4())
    return status, {"Content-Type": "text/xml"}, tostring(root, encoding="utf-8", xml_declaration=True)


def _render(parent: Element, shape: Any, value: Any) -> None:
    kind = shape.type_name
    if kind == "structure":
        for name, member in shape.members.items():
            if value.get(name) is not None:
                _render(SubElement(parent, member.serialization.get("name", name)), member, value[name])
    elif kind == "list":
        tag = shape.member.serialization.get("name", "member")
        for item in value:
            _render(SubElement(parent, tag), shape.member, item)
    elif kind == "timestamp":
        parent.text = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    elif kind == "boolean":
        parent.text = "true" if value else "false"
    else:
        parent.text = str(value)
