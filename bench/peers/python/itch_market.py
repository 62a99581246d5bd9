"""itch-book (MIT, C++ below Python) over BinaryFILE bytes of ITCH 5.0: parsing and order-by-order books with queues.

Input: the file. `--lead BYTES`: so many first bytes (whole messages, the opening) fill the books outside the time. Each
round makes a new session, since the package has no way to empty one.

* `itch-book`: no tables asked for, so the session keeps the books and nothing else. It has no way to read a book then,
  so its tops are those of one pass with tables, made before the rounds; what the round itself proves is its counters.
* `itch-book, tops`: the table of best bids and asks, a row for each change of one, taken away after each chunk.

Answer: `tops SHA-256, orders N, refused N`. Hashed is a line `locate bid_price bid_qty ask_price ask_qty` and a line end
for each book that is not empty, by rising locate code: prices in ten-thousandths of a dollar, 0 0 for an empty side.
Orders are those that rest at the end, in all books; refused are messages that the books could not apply.
"""

import hashlib
import time
from pathlib import Path

from rounds import Contender, arguments, skip, take_turns

# What the package's own reader of files hands to a session at once.
CHUNK_BYTES = 8 << 20
# A session reserves room for the rows of a chunk, as the package's reader of files does; no message is shorter.
MESSAGE_BYTES_MIN = 21
REFUSALS = ("unknown", "malformed", "missing_ref", "dup_ref", "rejected", "clamped", "pending_bytes")


def chunks(data: bytes) -> list[bytes]:
    return [data[at : at + CHUNK_BYTES] for at in range(0, len(data), CHUNK_BYTES)]


def counters(stats: dict) -> str:
    return f"orders {stats['live_orders']}, refused {sum(stats[name] for name in REFUSALS)}"


class Market:
    def __init__(self, session, data: bytes, lead_bytes: int) -> None:
        self.session = session
        self.lead, self.measured = chunks(data[:lead_bytes]), chunks(data[lead_bytes:])
        self.count = 0
        _, stats, tops = self.run_with_tops()
        self.count = stats["messages"] - self.lead_count
        self.tops = tops

    def run(self) -> tuple[int, str]:
        session = self.session(tables=[], depth=0, symbols=[])
        for chunk in self.lead:
            session.feed(chunk)
        started = time.perf_counter_ns()
        for chunk in self.measured:
            session.feed(chunk)
        ns = time.perf_counter_ns() - started
        return ns, f"{self.tops}, {counters(session.stats())}"

    def run_tops(self) -> tuple[int, str]:
        ns, stats, tops = self.run_with_tops()
        return ns, f"{tops}, {counters(stats)}"

    def run_with_tops(self) -> tuple[int, dict, str]:
        session = self.session(tables=["bbo"], depth=0, symbols=[])
        session.reserve(CHUNK_BYTES // MESSAGE_BYTES_MIN)
        taken = []
        for chunk in self.lead:
            session.feed(chunk)
            taken.append(session.take_bbo())
        self.lead_count = session.stats()["messages"]
        started = time.perf_counter_ns()
        for chunk in self.measured:
            session.feed(chunk)
            taken.append(session.take_bbo())
        ns = time.perf_counter_ns() - started
        return ns, session.stats(), digest(taken)


def digest(taken: list[dict]) -> str:
    """The last row of each book over all chunks."""
    from numpy import unique

    tops = {}
    for rows in taken:
        locates, from_the_end = unique(rows["locate"][::-1], return_index=True)
        last = len(rows["locate"]) - 1 - from_the_end
        columns = [rows[name][last].tolist() for name in ("bid_px", "bid_sz", "ask_px", "ask_sz")]
        tops.update(zip(locates.tolist(), zip(*columns)))
    lines = (f"{locate} {' '.join(map(str, tops[locate]))}\n" for locate in sorted(tops) if any(tops[locate]))
    return f"tops {hashlib.sha256(''.join(lines).encode()).hexdigest()}"


def main() -> None:
    parser = arguments("itch-book over BinaryFILE bytes")
    parser.add_argument("--lead", type=int, default=0, help="bytes that are not timed")
    options = parser.parse_args()
    try:
        from itch_book import Session
    except ImportError as error:
        skip("itch-book", str(error))
        return
    market = Market(Session, Path(options.input).read_bytes(), options.lead)
    contenders = [
        Contender("itch-book", "ns/message", market.count, market.run),
        Contender("itch-book, tops", "ns/message", market.count, market.run_tops),
    ]
    take_turns(options.workload, options.rounds, contenders)


if __name__ == "__main__":
    main()
