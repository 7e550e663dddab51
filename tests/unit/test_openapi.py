"""/openapi.json: an example of everything that is sent and answered, and nothing secret in an address."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from service.api import examples
from service.app import create_app
from service.config import Settings


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    url = f"sqlite:///{tmp_path_factory.mktemp('api') / 'x.db'}"
    app = create_app(Settings(contract="0x" + "11" * 20, receipt_key="22" * 32, database_url=url))  # type: ignore[arg-type]
    found: dict[str, Any] = app.openapi()
    app.state.context.database.close()
    return found


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield method, path, operation


def _validate(document: dict[str, Any], schema: dict[str, Any], value: Any) -> None:
    Draft202012Validator({**schema, "components": document["components"]}).validate(value)


def test_every_operation_has_valid_examples_of_what_is_sent_and_answered(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    looked_at = 0
    for method, path, operation in _operations(document):
        bodies = [operation.get("requestBody")] if method == "post" else []
        answers = [answer for status, answer in operation["responses"].items() if status != "default"]
        assert answers, path
        for part in [*bodies, *answers]:
            assert part, (method, path)
            for content in part["content"].values():
                _validate(document, content["schema"], content["example"])
                looked_at += 1
        problem = operation["responses"]["default"]["content"]["application/problem+json"]["schema"]
        assert problem == {"$ref": "#/components/schemas/Problem"}
        assert operation["summary"]
    assert looked_at >= 35
    _validate(document, {"$ref": "#/components/schemas/Problem"}, examples.PROBLEM)


def test_the_document_names_every_operation_of_the_design(document: dict[str, Any]) -> None:
    served = {f"{method.upper()} {path}" for method, path, _ in _operations(document)}
    assert served >= {
        "POST /v1/invoices",
        "POST /v1/invoices/batch",
        "POST /v1/invoices/check",
        "POST /v1/imports",
        "GET /v1/imports/{id}",
        "POST /v1/invoices/search",
        "GET /v1/invoices/{number}",
        "GET /v1/invoices/{number}/timeline",
        "GET /v1/invoices/{number}/proof",
        "POST /v1/invoices/{number}/void",
        "POST /v1/proofs",
        "POST /v1/statements",
        "GET /v1/trust",
        "GET /v1/anchors",
        "GET /v1/anchors/head",
        "GET /v1/anchors/{seq}",
        "GET /v1/anchors/{seq}/leaves",
        "POST /v1/keys",
        "GET /v1/keys",
        "DELETE /v1/keys/{id}",
        "GET /livez",
        "GET /readyz",
        "GET /metrics",
        "GET /status",
    }


def test_nothing_secret_stands_in_a_path_or_query(document: dict[str, Any]) -> None:
    secret = re.compile("tax|seller|buyer|name|commitment|salt|key|token|secret|amount|title")
    for method, path, operation in _operations(document):
        for parameter in operation.get("parameters", []):
            if parameter["in"] in ("path", "query"):
                assert not secret.search(parameter["name"]), (method, path, parameter["name"])


def test_names_are_snake_case(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        for member in schema.get("properties", {}):
            assert re.fullmatch("[a-z][a-z0-9_]*", member), (name, member)
