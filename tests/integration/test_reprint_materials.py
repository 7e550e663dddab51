"""Materials over the API: what is kept of them, who sees them, what is written down, and that they are forgotten."""

import io
from collections.abc import Iterator
from typing import Any

import pikepdf
import pytest
from PIL import Image
from sqlalchemy import select, update

from service import activity, rotation
from service.db import Database
from service.formats.previews import Previews
from service.reprints import cases, materials, reviewing
from service.reprints.materials import material_retentions, reprint_material_pages, reprint_materials
from service.vault import NotDecrypted, Vault
from tests.integration.api import S01, S10, Api
from tests.integration.reprinting import DAY_S, NAME, Applicant, Reprinting
from tests.integration.test_previews import chunks, opened, pdf, photo
from tests.integration.test_sandbox import encoded

OTHER_FACTS = {"number": S10, "issued_on": "2026-10-09", "amount_with_tax": "50000.00"}
NEW_KEYS = Vault({1: b"\x33" * 32, 2: b"\x44" * 32})
"""The key of tests.integration.api, and one more."""


class Shared(Previews):
    """Processes that outlive the application of one test: starting them is what takes time."""

    def close(self) -> None:
        """Later, by `end`."""

    def end(self) -> None:
        super().close()


@pytest.fixture(scope="module")
def drawing() -> Iterator[Shared]:
    shared = Shared(max_pages=20)
    yield shared
    shared.end()


@pytest.fixture
def world(api: Api, drawing: Shared) -> Reprinting:
    api.context.previews = drawing
    return Reprinting(api)


@pytest.fixture
def lite_world(lite: Api, drawing: Shared) -> Reprinting:
    lite.context.previews = drawing
    return Reprinting(lite)


def send(applicant: Applicant, data: bytes, type_: str = "identity", **headers: str) -> Any:
    path = f"/v1/reprints/{applicant.id}/materials?type={type_}"
    return applicant.world.api.client.post(path, content=data, headers={**applicant.headers, **headers})


def sent(applicant: Applicant, data: bytes, type_: str = "identity") -> dict[str, Any]:
    answer = send(applicant, data, type_)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def page(applicant: Applicant, material: str, number: int = 1, **options: Any) -> Any:
    path = f"/v1/reprints/{applicant.id}/materials/{material}/pages/{number}"
    options.setdefault("headers", applicant.headers)
    return applicant.world.api.client.get(path, **options)


def code_of(answer: Any) -> str:
    return str(answer.json()["code"])


def test_a_paper_is_kept_encrypted_shown_and_taken_out_again(world: Reprinting) -> None:
    applicant = world.applied()
    needed = applicant.get()["materials"]["needed"]
    assert [(one["type"], one["required"]) for one in needed] == [
        ("identity", True),
        ("company_letter", True),
        ("application_form", True),
        ("other", False),
    ]
    assert (needed[0]["max_bytes"], needed[0]["max_pages"]) == (10 * 2**20, 20)
    data = photo(orientation=6, where="Zhang San")
    made = sent(applicant, data)
    assert (made["type"], made["pages"], made["size"]) == ("identity", 1, len(data))
    shown = page(applicant, made["id"])
    assert (shown.status_code, shown.headers["content-type"], shown.headers["cache-control"]) == (200, "image/png", "no-store")
    assert opened(shown.content).size == (300, 400)
    assert set(chunks(shown.content)) == {b"IHDR", b"IDAT", b"IEND"}
    letter = sent(applicant, pdf(3), "company_letter")
    assert [page(applicant, letter["id"], n).status_code for n in (1, 3, 4)] == [200, 200, 404]
    assert [one["type"] for one in applicant.get()["materials"]["items"]] == ["identity", "company_letter"]

    with world.api.database.read() as connection:
        pictures = [bytes(picture) for picture in connection.scalars(select(reprint_material_pages.c.picture))]
        missing = materials.missing(connection, cases.get(connection, applicant.id))
    assert missing == ["application_form"]
    assert len(pictures) == 4
    assert all(b"PNG" not in picture and b"IHDR" not in picture for picture in pictures)

    path = f"/v1/reprints/{applicant.id}/materials/{letter['id']}"
    assert world.api.client.delete(path, headers=applicant.headers).json() == {"removed": True}
    assert code_of(world.api.client.delete(path, headers=applicant.headers)) == "material_not_found"
    assert page(applicant, letter["id"]).status_code == 404
    with world.api.database.read() as connection:
        assert len(connection.execute(select(reprint_material_pages)).all()) == 1


def test_a_form_of_a_browser_does_as_well(lite_world: Reprinting) -> None:
    applicant = lite_world.applied()
    path = f"/v1/reprints/{applicant.id}/materials?type=other"
    files = {"file": ("../../etc/passwd", photo(), "image/jpeg")}
    answer = lite_world.api.client.post(path, files=files, headers=applicant.headers)
    assert answer.status_code == 201
    assert answer.json()["pages"] == 1


def test_what_is_refused_says_why(lite_world: Reprinting) -> None:
    applicant = lite_world.applied()
    locked = pdf(encryption=pikepdf.Encryption(owner="x", user="secret"))
    refused = {
        "material_heic": b"\x00\x00\x00\x28ftypheic" + bytes(99),
        "material_encrypted": locked,
        "material_too_many_pages": pdf(21),
        "material_format": b"<svg/>",
        "material_unreadable": photo()[:200],
        "invalid_request": b"",
    }
    for code, data in refused.items():
        answer = send(applicant, data)
        assert (answer.status_code, code_of(answer)) == (422, code)
    assert "20" in send(applicant, pdf(21)).json()["detail"]
    assert "JPEG" in send(applicant, refused["material_heic"]).json()["detail"]
    too_large = send(applicant, bytes(10 * 2**20 + 1))
    assert (too_large.status_code, code_of(too_large)) == (413, "body_too_large")
    assert code_of(send(applicant, photo(), "passport")) == "invalid_request"
    assert applicant.get()["materials"]["items"] == []


def test_there_is_a_limit_to_papers(lite_world: Reprinting) -> None:
    applicant = lite_world.applied()
    for _ in range(10):
        last = sent(applicant, photo(40, 30))
    answer = send(applicant, photo(40, 30))
    assert (answer.status_code, code_of(answer)) == (409, "materials_full")
    lite_world.api.client.delete(f"/v1/reprints/{applicant.id}/materials/{last['id']}", headers=applicant.headers)
    sent(applicant, photo(40, 30))


def test_papers_are_changed_only_while_the_case_waits_for_them(world: Reprinting) -> None:
    early = world.opened()
    assert code_of(send(early, photo())) == "materials_closed"
    early.post("cancel", {})
    applicant = world.applied()
    made = [sent(applicant, photo(40, 30), type_) for type_ in ("identity", "company_letter", "application_form")]
    assert applicant.post("submit", {}).status_code == 200
    assert code_of(send(applicant, photo())) == "materials_closed"
    path = f"/v1/reprints/{applicant.id}/materials/{made[0]['id']}"
    assert code_of(world.api.client.delete(path, headers=applicant.headers)) == "materials_closed"
    assert page(applicant, made[0]["id"]).status_code == 200, "its sender still sees it"


def test_nobody_else_gets_at_a_paper(world: Reprinting) -> None:
    first = world.applied()
    made = sent(first, photo())
    other = world.opened(OTHER_FACTS)
    assert code_of(page(first, made["id"], headers=other.headers)) == "case_token_invalid"
    path = f"/v1/reprints/{other.id}/materials/{made['id']}/pages/1"
    answer = world.api.client.get(path, headers=other.headers)
    assert (answer.status_code, code_of(answer)) == (404, "material_not_found")
    assert page(first, made["id"], headers={}).status_code == 401
    for headers in (world.api.auditor, world.api.issuer, world.api.key("operator"), world.api.person("auditor").headers):
        refused = page(first, made["id"], headers=headers)
        assert (refused.status_code, code_of(refused)) == (403, "role_not_allowed")
    assert send(other, photo()).status_code == 409
    assert code_of(world.api.client.post(f"/v1/reprints/{first.id}/materials?type=other", content=photo())) == "not_authenticated"


def test_a_reviewer_says_what_for_and_sees_their_own_name(world: Reprinting) -> None:
    applicant = world.applied()
    made = sent(applicant, photo(900, 600))
    reviewer, other = world.reviewer("林"), world.reviewer("周")
    unsaid = page(applicant, made["id"], headers=reviewer.headers)
    assert (unsaid.status_code, code_of(unsaid)) == (403, "purpose_missing")
    assert "looked_at_material" not in [action for action, _ in world.actions(applicant.id)]
    one = page(applicant, made["id"], headers=reviewer.headers, params={"purpose": "review_1"})
    two = page(applicant, made["id"], headers=other.headers, params={"purpose": "review_2"})
    own = page(applicant, made["id"])
    assert one.status_code == two.status_code == 200
    assert len({one.content, two.content, own.content}) == 3, "each is marked with who looks"
    with world.api.database.read() as connection:
        looks = activity.read(connection, activity.Filter(action="looked_at_material"))
    assert [(look.actor, look.object) for look in looks] == [(other.id, applicant.id), (reviewer.id, applicant.id)]
    assert f'"material":"{made["id"]}","page":"1"' in looks[0].details
    assert '"step":"review_2"' in looks[0].details
    wrong = page(applicant, made["id"], headers=reviewer.headers, params={"purpose": "curiosity"})
    assert code_of(wrong) == "invalid_request"


def test_the_same_upload_again_is_one_paper(world: Reprinting) -> None:
    applicant = world.applied()
    data = photo()
    first = send(applicant, data, **{"Idempotency-Key": "once"})
    again = send(applicant, data, **{"Idempotency-Key": "once"})
    assert (first.status_code, again.json()) == (201, first.json())
    other = send(applicant, photo(50, 50), **{"Idempotency-Key": "once"})
    assert (other.status_code, code_of(other)) == (422, "idempotency_mismatch")
    assert len(applicant.get()["materials"]["items"]) == 1


# At rest


def swap(database: Database, first: str, second: str) -> None:
    """Put each document's page in the other's place."""
    table = reprint_material_pages
    with database.write() as connection:
        rows = {row.material_id: row.picture for row in connection.execute(select(table))}
        for id_, picture in ((first, rows[second]), (second, rows[first])):
            connection.execute(update(table).where(table.c.material_id == id_).values(picture=picture))


def test_nothing_of_one_document_stands_in_the_place_of_another(world: Reprinting) -> None:
    applicant, vault = world.applied(), world.vault
    first, second = sent(applicant, photo(60, 40)), sent(applicant, photo(40, 60))
    swap(world.api.database, first["id"], second["id"])
    with world.api.database.read() as connection, pytest.raises(NotDecrypted):
        materials.picture(connection, applicant.id, first["id"], 1, vault)
    assert page(applicant, first["id"]).status_code == 500, "it is said to be wrong, and not shown"
    swap(world.api.database, first["id"], second["id"])
    with world.api.database.write() as connection:
        keys = {row.id: row.wrapped for row in connection.execute(select(reprint_materials))}
        connection.execute(
            update(reprint_materials).where(reprint_materials.c.id == first["id"]).values(wrapped=keys[second["id"]])
        )
    with world.api.database.read() as connection, pytest.raises(NotDecrypted):
        materials.picture(connection, applicant.id, first["id"], 1, vault)


def digest(world: Reprinting, applicant: Applicant, vault: Vault | None = None) -> str:
    with world.api.database.read() as connection:
        return materials.digest(connection, applicant.id, vault or world.vault)


def test_the_digest_is_of_exactly_these_documents(world: Reprinting) -> None:
    applicant = world.applied()
    seen = {digest(world, applicant)}
    first = sent(applicant, photo(60, 40))
    seen.add(digest(world, applicant))
    sent(applicant, photo(60, 40))
    seen.add(digest(world, applicant))
    assert len(seen) == 3
    assert digest(world, applicant) == digest(world, applicant) in seen
    table = reprint_material_pages
    with world.api.database.write() as connection:  # somebody who has the keys draws another picture
        row = connection.execute(select(reprint_materials).where(reprint_materials.c.id == first["id"])).one()
        key = world.vault.unwrap(row.wrapped, materials.key_context(applicant.id, row.id))
        other = key.encrypt(encoded(Image.new("L", (9, 9))), f"{materials.key_context(applicant.id, row.id)}/1")
        connection.execute(update(table).where(table.c.material_id == row.id).values(picture=other))
    assert digest(world, applicant) not in seen


def test_keys_are_rotated_and_the_documents_stay_as_they_are(world: Reprinting) -> None:
    applicant = world.applied()
    made = sent(applicant, photo())
    before = digest(world, applicant)
    with world.api.database.read() as connection:
        shown = reviewing.hash_of_shown(reviewing.facts(connection, cases.get(connection, applicant.id), world.vault))
        stored = connection.execute(select(reprint_material_pages.c.picture)).scalar_one()
    done = {one.name: one for one in rotation.rotate(world.api.database, NEW_KEYS, 1)}
    assert done["reprint_materials.wrapped"].renewed == 1
    assert done["reprint_cases.application"].renewed == done["reprint_cases.diagnosis"].renewed == 1
    assert done["deliveries.message"].renewed >= 1
    assert not any(one.unreadable for one in done.values())
    assert not any(one.renewed for one in rotation.rotate(world.api.database, NEW_KEYS, 1)), (
        "the second time there is nothing to do"
    )
    world.api.context._vault = alone = Vault({2: b"\x44" * 32})
    assert page(applicant, made["id"]).status_code == 200
    assert applicant.get()["application"]["name"] == NAME
    with world.api.database.read() as connection:
        assert connection.execute(select(reprint_material_pages.c.picture)).scalar_one() == stored
        again = reviewing.hash_of_shown(reviewing.facts(connection, cases.get(connection, applicant.id), alone))
    assert (digest(world, applicant, alone), again) == (before, shown), "an approval stays bound to what was shown"
    assert [action for action, _ in _of_everything(world)].count("rotated_keys") == 1


def test_what_cannot_be_read_is_counted_and_left_alone(lite_world: Reprinting) -> None:
    applicant = lite_world.applied()
    sent(applicant, photo(40, 30))
    stranger = Vault({2: b"\x55" * 32})
    done = {one.name: one for one in rotation.rotate(lite_world.api.database, stranger, 1)}
    assert done["reprint_materials.wrapped"] == rotation.Rotated("reprint_materials.wrapped", 0, 1)
    assert applicant.get()["materials"]["items"]


def _of_everything(world: Reprinting) -> list[tuple[str, str]]:
    with world.api.database.read() as connection:
        return [(record.action, record.details) for record in activity.read(connection)]


# Retention


def test_papers_are_forgotten_when_their_case_is_over(world: Reprinting) -> None:
    ended = world.applied()
    made = [sent(ended, photo(40, 30)), sent(ended, pdf(2))]
    assert ended.post("cancel", {"reason": "找到了"}).status_code == 200
    world.work()
    assert page(ended, made[0]["id"]).status_code == 200
    world.later += 89 * DAY_S
    world.work()
    assert len(_kept(world)) == 2
    world.later += 2 * DAY_S
    world.work()
    assert _kept(world) == []
    with world.api.database.read() as connection:
        assert connection.execute(select(reprint_material_pages)).all() == []
        runs = connection.execute(select(material_retentions).order_by(material_retentions.c.day)).all()
    assert [(run.cases, run.documents) for run in runs] == [(0, 0), (0, 0), (1, 2)]
    said = _of_everything(world)
    assert ("forgot_materials", '{"documents":"2"}') in said
    assert [action for action, _ in said].count("ran_retention") == 3, "each day's run is written down, an idle one too"
    world.work()
    assert [action for action, _ in _of_everything(world)].count("ran_retention") == 3


def test_papers_of_a_case_that_goes_on_are_kept(world: Reprinting) -> None:
    applicant = world.applied()
    sent(applicant, photo(40, 30))
    later = world.api.context.now_ms() + int(400 * DAY_S * 1000)
    assert not materials.forget_due(world.api.database, world.api.settings, later)
    assert len(_kept(world)) == 1
    with world.api.database.read() as connection:
        run = connection.execute(select(material_retentions)).one()
    assert (run.day, run.documents) == (later // 86_400_000, 0)


def _kept(world: Reprinting) -> list[Any]:
    with world.api.database.read() as connection:
        return list(connection.execute(select(reprint_materials)))


# The application form


def test_the_form_is_filled_in_for_its_applicant_alone(world: Reprinting) -> None:
    early = world.opened()
    path = f"/v1/reprints/{early.id}/application-form.pdf"
    assert code_of(world.api.client.get(path, headers=early.headers)) == "case_state"
    early.post("cancel", {})
    applicant = world.applied()
    path = f"/v1/reprints/{applicant.id}/application-form.pdf"
    answer = world.api.client.get(path, headers=applicant.headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    with pikepdf.open(io.BytesIO(answer.content)) as form:
        found = {str(field.T): str(field.V) for field in form.Root.AcroForm.Fields if "/V" in field}
    assert (found["case"], found["number"], found["issued_on"]) == (applicant.id, S01, "2026-09-01")
    assert (found["name"], found["reason"]) == (NAME, "原件遗失，报销需要")
    assert "公司" in found["seller"]
    for headers in ({}, world.reviewer().headers, world.api.issuer):
        assert world.api.client.get(path, headers=headers).status_code in (401, 403)
    drawn = sent(applicant, answer.content, "application_form")
    assert drawn["pages"] == 1, "what the service made can be sent back to it"
