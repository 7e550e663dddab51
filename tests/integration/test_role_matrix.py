"""Who may do what to whose: every operation of /openapi.json by everybody there is, cell by cell.

Rows are the operations (verb and path), columns the actors; where an operation is about one invoice or case, those who belong to
another one are columns too. What is expected comes from the document alone: `x-roles` and `x-people-only`.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from argon2 import PasswordHasher

from service.api import cookies
from service.auth import people
from service.auth.keys import Role as KeyRole
from service.auth.people import PersonRole
from tests.integration.api import S01, S10, SELLER, Api, running_api
from tests.integration.reprinting import APPLICATION, FACTS, Reprinting

OTHER_SELLER = "92110101MAXXXX04XG"
BUYER = "91110105MAXXXX023T"
DENIED = {
    "role_not_allowed",
    "person_needed",
    "not_authenticated",
    "not_signed_in",
    "csrf_missing",
    "key_invalid",
    "case_token_invalid",
}
NOT_THEIRS = {"not_found", "case_not_found"}


class Actor(NamedTuple):
    """`role` as an operation names it. `is_stranger`: they belong to another invoice and another case."""

    name: str
    role: str
    headers: dict[str, str]
    is_person: bool = False
    is_stranger: bool = False


class Cell(NamedTuple):
    """`codes` are those that it may be answered with where it is denied; None: it must not be denied."""

    codes: set[str] | None
    why: str


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reprinting]:
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(people, "_HASHER", quick)
        patched.setattr(people, "_NOBODY", quick.hash("nobody"))
        with running_api(f"sqlite:///{tmp_path_factory.mktemp('matrix') / 'x.db'}") as api:
            yield Reprinting(api)


def actors(world: Reprinting, case_token: str, other_token: str) -> Iterator[Actor]:
    """Everybody, with new sessions: an operation may end one."""
    api = world.api
    yield Actor("nobody", "", {})
    yield Actor("applicant", "applicant", {"Authorization": f"Bearer {case_token}"})
    yield Actor("applicant of another case", "applicant", {"Authorization": f"Bearer {other_token}"}, is_stranger=True)
    keys: tuple[tuple[KeyRole, tuple[str, ...], bool], ...] = (
        ("issuer", (SELLER,), False),
        ("issuer", (OTHER_SELLER,), True),
        ("recipient", (BUYER,), False),
        ("auditor", (), False),
        ("central", (), False),
        ("node", (), False),
        ("operator", (), False),
    )
    for role, bound, is_stranger in keys:
        yield Actor(f"key of {role} {''.join(bound)}", role, api.key(role, *bound), is_stranger=is_stranger)
    staff: tuple[tuple[PersonRole, tuple[str, ...], bool], ...] = (
        ("reviewer", (), False),
        ("auditor", (), False),
        ("operator", (), False),
        ("clerk", (SELLER,), False),
        ("clerk", (OTHER_SELLER,), True),
        ("approver", (SELLER,), False),
        ("approver", (OTHER_SELLER,), True),
    )
    for person, sellers, is_stranger in staff:
        signed = api.person(person, *sellers)
        acts_as = "issuer" if person == "clerk" else person
        yield Actor(f"{person} {''.join(sellers)}", acts_as, signed.headers, is_person=True, is_stranger=is_stranger)
    forged = {"Cookie": api.person("operator").headers["Cookie"], cookies.CSRF_HEADER: "0" * 64}
    yield Actor("another site in an operator's browser", "operator", forged, is_person=True)


def expected(actor: Actor, method: str, path: str, operation: dict[str, Any]) -> Cell:
    roles = operation.get("x-roles")
    if roles is None:
        return Cell(None, "for anybody")
    is_forged = actor.headers.get(cookies.CSRF_HEADER) == "0" * 64
    if not actor.headers:
        return Cell({"not_authenticated", "not_signed_in"}, "nobody is there")
    if actor.role == "applicant":
        if "applicant" not in roles:
            return Cell({"key_invalid", "not_signed_in"}, "a case's token is no key")
        is_of_other = actor.is_stranger and path.startswith("/v1/reprints/{id}")
        return Cell({"case_token_invalid"} if is_of_other else None, "of a case")
    if is_forged and method != "get":
        return Cell({"csrf_missing"}, "no token of the session")
    if actor.role not in roles:
        return Cell({"role_not_allowed"}, "not a role for it")
    if operation.get("x-people-only") and not actor.is_person:
        return Cell({"person_needed"}, "for people alone")
    if actor.is_stranger and ("{number}" in path or path.startswith("/v1/reprints/{id}")):
        return Cell(NOT_THEIRS, "somebody else's")
    return Cell(None, "theirs")


def operations(api: Api) -> list[tuple[str, str, dict[str, Any]]]:
    return [(method, path, one) for path, every in api.app.openapi()["paths"].items() for method, one in every.items()]


def url_of(path: str, operation: dict[str, Any], case_id: str) -> str:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            name, schema = parameter["name"], parameter["schema"]
            value = "1" if schema.get("type") == "integer" else "a" * 16
            if name == "number":
                value = S01
            if name == "id" and path.startswith("/v1/reprints/"):
                value = case_id
            path = path.replace(f"{{{name}}}", value)
    required = [one for one in operation.get("parameters", ()) if one["in"] == "query" and one.get("required")]
    values = "&".join(f"{one['name']}={_example(one['schema'])}" for one in required)
    return f"{path}?{values}" if values else path


def _example(schema: dict[str, Any]) -> Any:
    return schema["enum"][0] if "enum" in schema else 0 if schema.get("type") == "integer" else "x"


def body_of(operation: dict[str, Any]) -> dict[str, Any]:
    """The document's own example; of what is not JSON something of that type."""
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return {}
    if "application/json" in content:
        return {"json": content["application/json"]["example"]}
    media_type = next(iter(content))
    if media_type == "multipart/form-data":
        return {"files": {"file": ("x.png", b"\x89PNG")}}
    return {"content": b"x", "headers": {"Content-Type": media_type}}


def ask(world: Reprinting, actor: Actor, method: str, url: str, body: dict[str, Any]) -> tuple[int, str]:
    headers = {**actor.headers, **body.get("headers", {})}
    rest = {name: value for name, value in body.items() if name != "headers"}
    answer = world.api.client.request(method.upper(), url, headers=headers, **rest)
    is_problem = answer.headers.get("content-type", "").startswith("application/problem+json")
    return answer.status_code, answer.json()["code"] if is_problem else ""


def test_cell_by_cell(world: Reprinting) -> None:
    """Those who are denied come first: what they ask for has not been done by somebody else."""
    mine = world.opened(FACTS)
    assert mine.post("application", APPLICATION).status_code == 200
    other = world.opened({"number": S10, "commitment": world.registered[1]["commitment"]})
    wrong: list[str] = []
    cells = denied = 0
    for method, path, operation in operations(world.api):
        url, body = url_of(path, operation, mine.id), body_of(operation)
        row = [(actor, expected(actor, method, path, operation)) for actor in actors(world, mine.token, other.token)]
        for actor, cell in sorted(row, key=lambda one: one[1].codes is None):
            status, code = ask(world, actor, method, url, body)
            cells += 1
            denied += cell.codes is not None
            is_denied = code in DENIED and bool(operation.get("x-roles"))
            if is_denied if cell.codes is None else code not in cell.codes:
                wrong.append(f"{method.upper()} {path} by {actor.name}: {status} {code or 'done'}, though {cell.why}")
    assert not wrong, "\n".join(wrong)
    assert cells > 1500
    assert denied > cells / 2
