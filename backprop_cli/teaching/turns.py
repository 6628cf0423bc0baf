"""In which order entries are told, so that each uses only what stands before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

Entry = tuple[str, tuple[int, ...]]  # the id of a step, and a position in what it is about


def in_turn(
    ordered: Mapping[str, Sequence[tuple[int, ...]]], needs: Mapping[Entry, Sequence[Entry]]
) -> Iterator[tuple[str, list[tuple[int, ...]]]]:
    """The steps in this order, each with its entries, as far as each needs only what comes before it; the rest of a
    step follows as soon as it can."""
    waiting = {name: dict.fromkeys(some) for name, some in ordered.items()}
    open_ = {(name, at) for name, some in ordered.items() for at in some}

    def ready(name: str) -> Iterator[tuple[int, ...]]:
        has_moved = True
        while has_moved:
            has_moved = False
            for at in list(waiting[name]):
                if not any(entry in open_ for entry in needs.get((name, at), ()) if entry != (name, at)):
                    del waiting[name][at]
                    open_.discard((name, at))
                    has_moved = True
                    yield at

    while any(waiting.values()):
        found = next(((name, some) for name in waiting if waiting[name] and (some := list(ready(name)))), None)
        if found is None:
            raise ValueError("these entries need each other")
        yield found
