"""What a log line may show."""

import json
import logging
from typing import Any

import pytest
import structlog

from service import logs

KEY = "zp_live_mij3fr2dy6_732hxfqt47tsryldefthomagjzyysw5ss6qqnnm6kvef4wbekclax7lygni"


pytestmark = pytest.mark.usefixtures("restored_logging")


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_in_production_an_event_is_one_json_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("production")
    structlog.get_logger("service.anchoring").info("sealed", seq=3, size=2)
    logging.getLogger("uvicorn.error").warning("two\nlines")
    sealed, foreign = logged(capsys)
    assert sealed.pop("timestamp").endswith("Z")
    assert sealed == {"event": "sealed", "level": "info", "logger": "service.anchoring", "seq": 3, "size": 2}
    assert (foreign["event"], foreign["level"]) == ("two\nlines", "warning")


def test_in_dev_an_event_is_a_readable_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("dev")
    structlog.get_logger("service.anchoring").info("sealed", seq=3)
    line = capsys.readouterr().err
    assert "sealed" in line
    assert "seq=3" in line
    assert "\x1b" not in line  # not a terminal


@pytest.mark.parametrize("env", ["dev", "production"])
def test_an_api_key_is_cut_to_its_id(env: Any, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(env)
    structlog.get_logger("x").info("asked", header=f"Bearer {KEY}")
    logging.getLogger("uvicorn.error").error("refused %s", KEY)
    printed = capsys.readouterr().err
    assert printed.count("zp_live_mij3fr2dy6…") == 2
    assert "732hx" not in printed


def test_in_production_an_exception_is_its_type_and_place(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("production")

    def store(name: str) -> None:
        raise ValueError(name)

    for log in (structlog.get_logger("x").exception, logging.getLogger("uvicorn.error").exception):
        try:
            try:
                store("王开票")
            except ValueError as error:
                raise RuntimeError("王开票") from error
        except RuntimeError:
            log("failed")
    printed = capsys.readouterr().err
    assert "王" not in printed
    assert "\\u" not in printed
    for line in printed.splitlines():
        outer, inner = json.loads(line)["exception"]
        assert (outer["type"], inner["type"]) == ("builtins.RuntimeError", "builtins.ValueError")
        assert inner["at"][-1].endswith(" store")
