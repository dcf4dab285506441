"""Rules that several roles share. The module of a role adds the ones that apply to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from conformance.answer import Answer, NoAnswer
from conformance.contract import Broken, Contract
from conformance.workbench import NOTICE, ServiceBench, Workbench

Bench = TypeVar("Bench", bound=Workbench)

PAGE = "http://localhost:3000"


def takes_every_event(contract: Contract[ServiceBench]) -> None:
    """Add the rule that a service accepts every event."""

    @contract.course("Every event from the bus is answered with 200")
    def answers_events(it: ServiceBench) -> None:
        """Answer POST /events with 200 and {}, even for types that you do not handle. The bus delivers every event to
        every service, and to its publisher. Your code handles the types that it needs.
        """
        for kind in ("PostCreated", "SomethingElse"):
            it.bus.publish(kind, {"id": it.unique("x"), "title": "Hello"}).has_status(200).object()


def lets_pages_in(contract: Contract[ServiceBench], path: str, writes: bool) -> None:
    """Add the rule that a page of another port may call the service: browsers check that (CORS)."""

    @contract.course("Pages of another origin may call it (CORS)")
    def allows_the_page(it: ServiceBench) -> None:
        """Send CORS headers: the page comes from port 3000, and to a browser your port is another origin. In Express
        run npm install cors, and put app.use(require("cors")()) before your routes. In Flask run pip install
        flask-cors, then from flask_cors import CORS and CORS(app).
        """
        let_in(it.ask("GET", path, Origin=PAGE))
        if writes:
            preflight = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "content-type"}
            answer = it.ask("OPTIONS", path, Origin=PAGE, **preflight)
            let_in(answer)
            if "content-type" not in allowed(answer, "Headers") and "*" not in allowed(answer, "Headers"):
                found = allowed(answer, "Headers") or "no such header"
                raise Broken(
                    "Access-Control-Allow-Headers: content-type", found, f"{answer.asked}, as a browser sends it first"
                )


def let_in(answer: Answer) -> None:
    """Check that the answer allows the page's origin. Raises `Broken`."""
    if allowed(answer, "Origin") not in ("*", PAGE):
        found = allowed(answer, "Origin") or "no such header"
        raise Broken(f"Access-Control-Allow-Origin: * or {PAGE}", found, f"{answer.asked}, from a page at {PAGE}")


def allowed(answer: Answer, what: str) -> str:
    """Return the value of an Access-Control-Allow header, in lower case."""
    return answer.headers.get(f"Access-Control-Allow-{what}", "").lower()


def errors_are_json(contract: Contract[Bench], path: str) -> None:
    """Add the rules that errors are answered in JSON."""

    @contract.solid("Malformed JSON is answered with 400, in JSON", chapter=7)
    def refuses_malformed_json(it: Bench) -> None:
        """Answer 400 with JSON, such as {"errors": [{"message": "…"}]}. Clients read JSON, but the frameworks answer
        with an HTML page. In Express add, after all routes: app.use((err, req, res, next) => res.status(err.status ||
        500).json({ errors: [{ message: err.message }] })). In Flask add a function under
        @app.errorhandler(HTTPException) that returns such JSON and error.code.
        """
        it.ask("POST", path, raw='{"type": "PostCr').has_status(400).json()

    @contract.solid("An unknown route is answered with 404, in JSON", chapter=7)
    def knows_no_such_route(it: Bench) -> None:
        """Answer 404 with JSON, such as {"errors": [{"message": "…"}]}. In Express add, after all routes:
        app.use((req, res) => res.status(404).json({ errors: [{ message: "Not found" }] })). In Flask the function under
        @app.errorhandler(HTTPException) handles this, too.
        """
        it.get("/no/such/route").has_status(404).json()


def lives_on(it: ServiceBench, write: Callable[[str], Answer], place: str, kind: str, field: str) -> None:
    """Check a service while the bus is down: after 201 it publishes the event later, after 5xx it has stored nothing.

    `write` writes a text. The service shows the text at `place`, and publishes it as the `field` of an event of `kind`.
    """
    text = it.unique("While the bus is down")
    try:
        with it.bus.away():
            answer = write(text)
            if answer.status not in (200, 201, 202) and answer.status < 500:
                raise answer.broken("503, or 201 for an event that is published later")
            time.sleep(NOTICE)  # an uncaught error ends the process only after the answer
            kept = it.get(place).has_status(200)
    except NoAnswer as silence:
        silence.asked = f"{silence.asked}, while the bus is down"
        raise
    if answer.status >= 500:
        if text in kept.text:
            raise Broken(
                f'an answer without "{text}": the write was answered {answer.status}, and was never published',
                f'"{text}" in the answer',
                f"{answer.asked}, while the bus is down, then {kept.asked}",
            )
        return
    try:
        it.bus.received(kind, **{field: text})
    except Broken as silence:
        expected = f"an event {kind} once the bus is back: the write was answered {answer.status}"
        raise Broken(expected, silence.found, f"{answer.asked}, while the bus is down") from None
