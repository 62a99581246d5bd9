"""cryptofeed (XFree86-style licence; Cython below Python, its books by order_book) over frames of venues with checksums.

Input: a line of JSON, a list of `{"venue", "codes"}`, one for each connection; then a line a frame: the connection's
place in the list, a space, the frame. Each connection has a feed of its own, made anew for a round, with the symbols that
it wants set by hand, since a feed asks the venue for them otherwise. Frames go into `message_handler`, as its own playback
of recordings does, without an event loop. Checksums are validated; a callback counts the books that come with one.

Answer: `N of N checksums agree`. A checksum that does not agree ends the program: the package raises.
"""

import json
import time
from pathlib import Path

from rounds import Contender, arguments, skip, take_turns

# The venue of a product, and what the package calls a symbol of it.
VENUES = {
    "kraken": ("Kraken", "{}"),
    "okx": ("OKX", "{}"),
    "bitget": ("Bitget", "{}"),
    "bitget-usdt-futures": ("Bitget", "{}_UMCBL"),
}


class Feeds:
    def __init__(self, data: str) -> None:
        about, *lines = data.split("\n")
        self.connections = json.loads(about)
        split = (line.split(" ", 1) for line in lines if line)
        self.frames = [(int(connection), frame) for connection, frame in split]
        self.checked = 0

    def run(self) -> tuple[int, str]:
        self.checked = 0
        handlers = self.handlers()
        frames = [(handlers[connection], frame) for connection, frame in self.frames]
        started = time.perf_counter_ns()
        try:
            # Nothing in it waits, so one step is all of it.
            play(frames).send(None)
        except StopIteration:
            pass
        ns = time.perf_counter_ns() - started
        return ns, f"{self.checked} of {self.checked} checksums agree"

    def handlers(self) -> list:
        from cryptofeed import exchanges
        from cryptofeed.defines import L2_BOOK
        from cryptofeed.symbols import Symbols

        # Those of one exchange share what is known of its symbols.
        symbols: dict[str, list[str]] = {}
        for of in self.connections:
            name, text = VENUES[of["venue"]]
            symbols.setdefault(name, []).extend(text.format(code) for code in of["codes"])
        for name, codes in symbols.items():
            kinds = {"instrument_type": dict.fromkeys(codes, "spot")}
            Symbols.set(getattr(exchanges, name).id, dict(zip(codes, codes)), kinds)
        callbacks = {L2_BOOK: self.count}
        of_connection = [VENUES[of["venue"]][0] for of in self.connections]
        return [
            getattr(exchanges, name)(
                symbols=symbols[name], channels=[L2_BOOK], callbacks=callbacks, checksum_validation=True
            ).message_handler
            for name in of_connection
        ]

    async def count(self, book, _receipt_timestamp: float) -> None:
        self.checked += book.checksum is not None


async def play(frames: list) -> None:
    for handle, frame in frames:
        await handle(frame, None, 0.0)


def main() -> None:
    options = arguments("cryptofeed over frames with checksums").parse_args()
    try:
        import cryptofeed  # noqa: F401
    except ImportError as error:
        skip("cryptofeed", str(error))
        return
    feeds = Feeds(Path(options.input).read_text())
    take_turns(options.workload, options.rounds, [Contender("cryptofeed", "ns/frame", len(feeds.frames), feeds.run)])


if __name__ == "__main__":
    main()
