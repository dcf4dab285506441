"""The whole log as a file, and back: `export`, `import`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click
import msgspec
import requests
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from minibus.bus.client import BusAway
from minibus.cli.bus import CONNECT, LINES, Bus, Refused, as_json, asks_the_bus, read
from minibus.cli.terminal import clean, console, on_the_side, print_json

CHUNK = 64 * 1024  # bytes
STORING = 600.0  # seconds for the bus to store a large log


@click.command("export")
@click.argument("file", metavar="FILE|-", type=str)
@as_json
@asks_the_bus
def export_log(bus: Bus, file: str, as_json: bool) -> None:
    """Write the whole log to a file, or, with -, to the output.

    It is NDJSON: a header, then the events as they are stored.

    \b
    Examples:
      minibus export lesson.ndjson
      minibus export - | gzip > lesson.ndjson.gz
    """
    if file == "-":
        copy(bus, sys.stdout.buffer)
        return
    # Under another name, until it is whole.
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


def copy(bus: Bus, target: IO[bytes]) -> int:
    """Write the log; return how many events that were. Raises `BusAway` where it does not come whole."""
    with bus.open("GET", "/log") as answer, progress("Exporting") as bar:
        lines, promised = -1, None
        try:
            for chunk in answer.iter_content(CHUNK):
                if promised is None:
                    promised = int(msgspec.json.decode(chunk.partition(b"\n")[0])["events"])
                    task = bar.add_task("Exporting", total=promised)
                lines += chunk.count(b"\n")
                target.write(chunk)
                bar.update(task, completed=lines)
        except requests.RequestException:
            pass
        if lines != promised:
            raise BusAway(f"The bus has gone after {max(lines, 0):,} events; nothing is exported.")
        return lines


@click.command("import")
@click.argument("file", metavar="FILE|-", type=click.File("rb"))
@as_json
@asks_the_bus
def import_log(bus: Bus, file: IO[bytes], as_json: bool) -> None:
    """Fill an empty log from a file, all or none.

    Everything comes out as it was. Meanwhile the bus takes nothing else.

    \b
    Examples:
      minibus import lesson.ndjson
      gunzip -c lesson.ndjson.gz | minibus import -
    """
    if head := bus.head():
        raise Refused(f"The log has {head:,} events already; a log goes into an empty one only.")
    with progress("Importing") as bar:
        upload = Upload(file, bar)
        with bus.open("PUT", "/log", {"Content-Type": LINES}, data=upload, timeout=(CONNECT, STORING)) as answer:
            answered = read(answer)
    if as_json:
        print_json(answered)
    else:
        console.print(Text(f"{answered['events']:,} events are in the log"))


class Upload:
    """A file that shows how much of it is sent."""

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
    """Show a bar on the side, where a terminal looks on."""
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(),
        console=on_the_side, transient=True, disable=not on_the_side.is_terminal,
    ) as bar:  # fmt: skip
        yield bar
