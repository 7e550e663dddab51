"""Reprint cases of the API under test that are approved without their way there, for what comes afterwards."""

from typing import Any

from service.reprints import cases, completing
from service.reprints.cases import Case
from tests.integration.api import S10, Api
from tests.reprints import case_of


def case_about(api: Api, number: str = S10, **options: Any) -> Case:
    """A case about it, approved or as far as `until` says."""
    return case_of(api.database, api.context.vault, number, api.context.now_ms(), **options)


def complete(api: Api, case: Case) -> bool:
    context = api.context
    return completing.complete(api.database, case.id, context.keys, context.vault, api.settings, context.now_ms())


def read(api: Api, case: Case) -> Case:
    with api.database.read() as connection:
        return cases.get(connection, case.id)
