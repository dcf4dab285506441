"""Rules that several roles share; each role takes over those that are its own."""

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
    """The bus sends every event to everybody."""

    @contract.course("Every event from the bus is answered with 200")
    def answers_events(it: ServiceBench) -> None:
        """Answer POST /events with 200 and {}, also for types that mean nothing to you: the bus sends every event to
        everybody, the one who published it included, and your code picks out what it needs.
        """
        for kind in ("PostCreated", "SomethingElse"):
            it.bus.publish(kind, {"id": it.unique("x"), "title": "Hello"}).has_status(200).object()


def lets_pages_in(contract: Contract[ServiceBench], path: str, writes: bool) -> None:
    """The page comes from another port, so browsers ask first (CORS)."""

    @contract.course("The page, which is of another origin, is let in (CORS)")
    def allows_the_page(it: ServiceBench) -> None:
        """Send CORS headers: the page comes from port 3000, and to a browser your port is somebody else. Before your
        routes: in Express npm install cors, and app.use(require("cors")()); in Flask pip install flask-cors, and
        from flask_cors import CORS, and CORS(app).
        """
        let_in(it.ask("GET", path, Origin=PAGE))
        if writes:
            preflight = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "content-type"}
            answer = it.ask("OPTIONS", path, Origin=PAGE, **preflight)
            let_in(answer)
            if "content-type" not in allowed(answer, "Headers") and "*" not in allowed(answer, "Headers"):
                came = allowed(answer, "Headers") or "no such header"
                raise Broken(
                    "Access-Control-Allow-Headers: content-type", came, f"{answer.asked}, as browsers ask first"
                )


def let_in(answer: Answer) -> None:
    """The answer lets the page in."""
    if allowed(answer, "Origin") not in ("*", PAGE):
        came = allowed(answer, "Origin") or "no such header"
        raise Broken(f"Access-Control-Allow-Origin: * or {PAGE}", came, f"{answer.asked}, from a page at {PAGE}")


def allowed(answer: Answer, what: str) -> str:
    """Return what the answer allows, in small letters."""
    return answer.headers.get(f"Access-Control-Allow-{what}", "").lower()


def errors_are_json(contract: Contract[Bench], path: str) -> None:
    """A client that expects JSON gets JSON, whatever it did wrong."""

    @contract.solid("Malformed JSON is answered with 400, in JSON", chapter=7)
    def refuses_malformed_json(it: Bench) -> None:
        """Answer 400 with JSON, such as {"errors": [{"message": "…"}]}: whoever reads your answer reads JSON, and the
        frameworks answer with a page of HTML. In Express, after all your routes: app.use((err, req, res, next) =>
        res.status(err.status || 500).json({ errors: [{ message: err.message }] })); in Flask, a function under
        @app.errorhandler(HTTPException) that returns such JSON and error.code.
        """
        it.ask("POST", path, raw='{"type": "PostCr').has_status(400).json()

    @contract.solid("An unknown route is answered with 404, in JSON", chapter=7)
    def knows_no_such_route(it: Bench) -> None:
        """Answer 404 with JSON, such as {"errors": [{"message": "…"}]}. In Express, after all
        your routes: app.use((req, res) => res.status(404).json({ errors: [{ message: "Not found" }] })); in Flask, the
        function under @app.errorhandler(HTTPException) does it, too.
        """
        it.get("/no/such/route").has_status(404).json()


def lives_on(it: ServiceBench, write: Callable[[str], Answer], place: str, kind: str, field: str) -> None:
    """While the bus is away the service answers. A yes is told to the bus later; of what it refused nothing is kept.

    `write` writes a text, which is shown at `place` then, and told to the bus as the `field` of an event of this kind.
    """
    text = it.unique("While the bus is away")
    try:
        with it.bus.away():
            answer = write(text)
            if answer.status not in (200, 201, 202) and answer.status < 500:
                raise answer.broken("503, or 201 for what is told to the bus later")
            time.sleep(NOTICE)  # an error that nobody catches ends a process only then
            kept = it.get(place).has_status(200)
    except NoAnswer as silence:
        silence.asked = f"{silence.asked}, while the bus is away"
        raise
    if answer.status >= 500:
        if text in kept.text:
            raise Broken(
                f'nothing of "{text}", for it was answered {answer.status}, and the bus never hears of it',
                f'"{text}" is among what is shown',
                f"{answer.asked}, while the bus is away, then {kept.asked}",
            )
        return
    try:
        it.bus.heard(kind, **{field: text})
    except Broken as silence:
        expected = f"an event {kind} once the bus is back, for it was answered {answer.status}"
        raise Broken(expected, silence.came, f"{answer.asked}, while the bus is away") from None
