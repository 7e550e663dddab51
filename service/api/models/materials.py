"""What whoever looks at materials says, and what removing one is answered with; a case's own members are in reprints.py."""

from typing import Any, Literal

from service.api.models.answers import Answer

ReviewStep = Literal["review_1", "review_2", "handover", "complaint"]
"""What a reviewer looks at a material for; it goes into the activity log."""


class Removed(Answer):
    removed: Literal[True]


MATERIAL: dict[str, Any] = {
    "id": "9d3b7e245f0e8a1c",
    "type": "identity",
    "pages": 2,
    "size": 1483920,
    "uploaded_at": "2026-11-25T08:26:40.000+00:00",
}
REMOVED = {"removed": True}
