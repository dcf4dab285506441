"""Every part: bodies that break off or never end, and the text that it prints."""

from __future__ import annotations

import io
import logging
import sys
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from gunicorn.http.errors import ChunkMissingTerminator, InvalidChunkSize, NoMoreData
from minibus.http.app import MAX_FORM_BYTES, create_app
from minibus.http.fields import json_object
from minibus.http.lifecycle import OneLine


@pytest.fixture
def app() -> FlaskClient:
    app: Flask = create_app("test")

    @app.post("/echo")
    def echo() -> dict[str, Any]:
        return json_object()

    return app.test_client()


def send_in_chunks(app: FlaskClient, body: io.BytesIO) -> Any:
    """Send a body without its length, as a server passes on a chunked one."""
    environ = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    return app.post("/echo", input_stream=body, content_type="application/json", environ_overrides=environ)


def test_a_body_in_chunks_is_read_to_its_end(app: FlaskClient) -> None:
    assert send_in_chunks(app, io.BytesIO(b'{"a": 1}')).json == {"a": 1}


@pytest.mark.parametrize("broken", [InvalidChunkSize(b"ZZ"), ChunkMissingTerminator(b""), NoMoreData(), OSError()])
def test_a_body_that_breaks_off_is_an_error_of_the_client(app: FlaskClient, broken: Exception) -> None:
    class BrokenBody(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise broken

    answer = send_in_chunks(app, BrokenBody())

    assert answer.status_code == 400
    assert answer.json["errors"][0]["message"]


@pytest.mark.parametrize("more", [b"", b" " * 10, b"{}"])
def test_a_body_in_chunks_over_the_limit_is_rejected_and_never_cut_off(app: FlaskClient, more: bytes) -> None:
    answer = send_in_chunks(app, io.BytesIO(b'{"a": 1}'.ljust(MAX_FORM_BYTES) + more))

    assert answer.status_code == 413


def test_printed_text_stays_on_its_line_and_has_no_control_characters() -> None:
    formatter = OneLine("%(name)-10s %(message)s")

    def line(text: str, error: Any = None) -> str:
        return formatter.format(logging.LogRecord("bus", logging.INFO, "", 0, "#1 %s", (text,), error))

    assert (
        line("Grüße\nbus        #2 Forged \x1b[2J\u202e")
        == "bus        #1 Grüße\\nbus        #2 Forged \\u001b[2J\\u202e"
    )
    try:
        raise ValueError("\x1b[2J")
    except ValueError:
        printed = line("failed", sys.exc_info()).splitlines()
    assert (printed[0], printed[-1]) == ("bus        #1 failed", "ValueError: \\u001b[2J")
