"""Copy the whole log to a file and back: `export`, `import`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click
import msgspec
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from minibus.bus.client import CHUNK, BusAway, BusClient
from minibus.cli.options import Refused, as_json, asks_the_bus
from minibus.cli.terminal import clean, console, on_the_side, print_json


@click.command("export")
@click.argument("file", metavar="FILE|-", type=str)
@as_json
@asks_the_bus
def export_log(bus: BusClient, file: str, as_json: bool) -> None:
    """Write the whole log to a file.

    With -, it goes to the standard output. The format is NDJSON: a header line, then one line for
    each event, as stored.

    \b
    Examples:
      minibus export lesson.ndjson
      minibus export - | gzip > lesson.ndjson.gz
    """
    if file == "-":
        copy(bus, sys.stdout.buffer)
        return
    # The file gets its name only when it is complete, so a failure leaves no half log behind.
    part = Path(f"{file}.part")
    try:
        with part.open("wb") as target:
            events = copy(bus, target)
        os.replace(part, file)
    except OSError as error:
        raise Refused(f"Cannot write {clean(file)}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    size = Path(file).stat().st_size
    if as_json:
        print_json({"file": file, "events": events, "bytes": size})
    else:
        console.print(Text(f"{events:,} events, {size:,} bytes, are in {clean(file)}"))


def copy(bus: BusClient, target: IO[bytes]) -> int:
    """Write the log's file; return its number of events. Raises `BusAway` if the file comes incomplete."""
    lines, promised = -1, None
    with progress("Exporting") as bar:
        try:
            for chunk in bus.export_log():
                if promised is None:
                    promised = int(msgspec.json.decode(chunk.partition(b"\n")[0])["events"])
                    task = bar.add_task("Exporting", total=promised)
                lines += chunk.count(b"\n")
                target.write(chunk)
                bar.update(task, completed=lines)
        except BusAway:
            if promised is None:
                raise
    if lines != promised:
        raise BusAway(f"The bus stopped after {max(lines, 0):,} events; nothing is exported. Export again.")
    return lines


@click.command("import")
@click.argument("file", metavar="FILE|-", type=click.File("rb"))
@as_json
@asks_the_bus
def import_log(bus: BusClient, file: IO[bytes], as_json: bool) -> None:
    """Fill an empty log from a file.

    With -, the file is the standard input. The bus stores all events of the file or none, with their
    numbers, ids and times. It rejects other events meanwhile.

    \b
    Examples:
      minibus import lesson.ndjson
      gunzip -c lesson.ndjson.gz | minibus import -
    """
    if head := bus.head():
        raise Refused(f"The log has {head:,} events already; import needs an empty one. See: make reset")
    with progress("Importing") as bar:
        answer = bus.import_log(Upload(file, bar))
    if as_json:
        print_json(answer)
    else:
        console.print(Text(f"{answer['events']:,} events are in the log"))


class Upload:
    """The chunks of a file; a bar shows how many bytes are sent."""

    def __init__(self, file: IO[bytes], bar: Progress) -> None:
        self.file = file
        self.bar = bar
        self.size = os.fstat(file.fileno()).st_size if file is not sys.stdin.buffer else None
        self.task = bar.add_task("Importing", total=self.size)

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self.file.read(CHUNK):
            yield chunk
            self.bar.advance(self.task, len(chunk))
        self.bar.update(self.task, description="Storing", total=None)


@contextmanager
def progress(what: str) -> Iterator[Progress]:
    """Show a bar on the standard error, if that is a terminal."""
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(),
        console=on_the_side, transient=True, disable=not on_the_side.is_terminal,
    ) as bar:  # fmt: skip
        yield bar
