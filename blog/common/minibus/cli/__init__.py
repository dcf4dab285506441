"""`minibus`: the event bus from a terminal. Services do not import this package."""

from __future__ import annotations

from typing import Any

import click

from minibus.bus.client import BusAway, BusRefused, NoAnswer
from minibus.cli.controls import pause, resume, rewind, step
from minibus.cli.files import export_log, import_log
from minibus.cli.live import publish, subscribers, tail
from minibus.cli.options import Away, Refused
from minibus.cli.past import diff, state
from minibus.cli.terminal import clean
from minibus.cli.walk import replay, walk

INTERRUPTED = 130  # a shell's exit code for a program that Ctrl-C ended
HINT = "Start it (make up), or set --bus."


class Cli(click.Group):
    """List the commands in our order; turn a failure into one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except BusRefused as error:
            raise Refused(clean(str(error))) from error
        except NoAnswer as error:
            raise Away(f"{clean(str(error))} {HINT}") from error
        except BusAway as error:
            raise Away(clean(str(error))) from error
        except KeyboardInterrupt:
            raise click.exceptions.Exit(INTERRUPTED) from None


@click.group(cls=Cli, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Read and follow the log, control subscribers, and look back at any moment.

    \b
    Examples:
      minibus tail                    follow the log as it grows
      minibus subscribers             show each subscriber's state and position
      minibus walk query --step       walk through the log event by event, both ways
      minibus state query --at 7      show the state of query after event 7

    Exit codes: 0 success, 1 the bus rejects the request, 2 the command is wrong, 3 the bus or the service is away.
    """


for command in (tail, publish, subscribers, pause, resume, step, rewind, state, diff, walk, export_log, import_log):
    main.add_command(command)
main.add_command(replay)
