"""`minibus`: the event bus from a terminal. Services import nothing of this."""

from __future__ import annotations

from typing import Any

import click

from minibus.bus.client import BusAway, BusRefused
from minibus.cli.bus import Away, Refused
from minibus.cli.controls import pause, resume, rewind, step
from minibus.cli.files import export_log, import_log
from minibus.cli.live import publish, subscribers, tail
from minibus.cli.past import diff, state
from minibus.cli.replay import replay
from minibus.cli.terminal import clean

INTERRUPTED = 130  # as a shell says that Ctrl-C ended a program


class Cli(click.Group):
    """Lists its commands in our order, and turns what goes wrong into one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except BusRefused as error:
            raise Refused(clean(str(error))) from error
        except BusAway as error:
            raise Away(clean(str(error))) from error
        except KeyboardInterrupt:
            raise click.exceptions.Exit(INTERRUPTED) from None


@click.group(cls=Cli, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Look at the event bus, hold and step who listens, and go through the log at any moment.

    \b
    Examples:
      minibus tail                      follow the log as it grows
      minibus subscribers               who listens, and how far each is
      minibus replay query --step       go through the log event by event, both ways
      minibus state query --at 7        what query held after event 7

    Exit codes: 0 all is well, 1 the bus refuses, 2 the command is wrong, 3 the bus or the service is away.
    """


for command in (tail, publish, subscribers, pause, resume, step, rewind, state, diff, replay, export_log, import_log):
    main.add_command(command)
