"""The difference of two states: what was added, changed or removed, each by its path. Plain JSON in, plain JSON out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MISSING = object()


def differences(before: Any, after: Any, path: tuple[str | int, ...] = ()) -> Iterator[dict[str, Any]]:
    """Yield `{"path", "change", "before", "after"}`, in the order of the newer state; removed values come last.

    `path` leads from the whole state to the value: keys of objects, places in arrays. `change` is `added` (no
    `before`), `changed`, or `removed` (no `after`).
    """
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*after, *(key for key in before if key not in after)]:
            yield from differences(before.get(key, MISSING), after.get(key, MISSING), (*path, key))
    elif isinstance(before, list) and isinstance(after, list):
        for place in range(max(len(before), len(after))):
            yield from differences(_item(before, place), _item(after, place), (*path, place))
    elif before is MISSING:
        yield {"path": path, "change": "added", "after": after}
    elif after is MISSING:
        yield {"path": path, "change": "removed", "before": before}
    elif type(before) is not type(after) or before != after:
        # In Python, 1 == True and 1 == 1.0; in JSON these are three different values.
        yield {"path": path, "change": "changed", "before": before, "after": after}


def _item(items: list[Any], place: int) -> Any:
    return items[place] if place < len(items) else MISSING
