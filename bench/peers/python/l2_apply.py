"""order_book (GPL-3, C below Python; a process of its own) over decoded level changes: a sorted dictionary a side.

Input: little-endian i64 words. Price exponent, quantity exponent; then frames, each: bids, asks (numbers of levels), then
their prices and quantities in turn, mantissas, quantity 0 removes. The first frame is the snapshot and is loaded outside
the time; the best bid and ask are read after each of the others. Keys and values are Python integers, which are exact and
cheaper than the decimals that the package shows.

The package keeps one value for each price and knows nothing of orders in it: what its author calls L3 is a dictionary of
the user's own as that value. So it takes part in price levels alone.

Answer: `tops HASH, digest SHA-256`, as the Rust half of the comparison makes them. Tops: over best bid price and quantity,
best ask price and quantity (0 0 for none) and 1, of every frame: hash = (hash rotated left by 5 ^ value) *
0x517cc1b727220a95, in 64 bits. Digest: over `B price quantity` and `A price quantity` with line ends, best first, decimals
in their shortest form. Both are made of what the round read and left behind, after its time.
"""

import hashlib
import sys
import time
from array import array
from decimal import Decimal
from pathlib import Path

from rounds import Contender, arguments, skip, take_turns

WORD = (1 << 64) - 1
NONE = (0, 0)


def read(file: Path) -> tuple[int, int, list]:
    words = array("q")
    words.frombytes(file.read_bytes())
    if sys.byteorder == "big":
        words.byteswap()
    frames, at = [], 2
    while at < len(words):
        sides = []
        lengths, at = words[at : at + 2], at + 2
        for length in lengths:
            levels = words[at : at + 2 * length].tolist()
            if len(levels) != 2 * length:
                sys.exit(f"{file}: a frame of {length} levels ends after {len(levels) // 2}")
            sides.append(list(zip(levels[::2], levels[1::2])))
            at += 2 * length
        frames.append(tuple(sides))
    return words[0], words[1], frames


class Levels:
    def __init__(self, order_book, price_exponent: int, qty_exponent: int, frames: list) -> None:
        self.order_book = order_book
        self.exponents = (price_exponent, qty_exponent)
        self.snapshot, *self.frames = frames
        self.count = sum(len(bids) + len(asks) for bids, asks in self.frames)

    def run(self) -> tuple[int, str]:
        book = self.order_book()
        book.bids, book.asks = (dict(side) for side in self.snapshot)
        bid_side, ask_side = book.bids, book.asks
        tops = []
        started = time.perf_counter_ns()
        for bids, asks in self.frames:
            for price, qty in bids:
                if qty:
                    bid_side[price] = qty
                elif price in bid_side:
                    del bid_side[price]
            for price, qty in asks:
                if qty:
                    ask_side[price] = qty
                elif price in ask_side:
                    del ask_side[price]
            tops.append(bid_side.index(0) if len(bid_side) else NONE)
            tops.append(ask_side.index(0) if len(ask_side) else NONE)
        ns = time.perf_counter_ns() - started
        return ns, f"tops {hash_of(tops):016x}, digest {self.digest(bid_side, ask_side)}"

    def digest(self, bids, asks) -> str:
        text = hashlib.sha256()
        for letter, side in (("B", bids), ("A", asks)):
            for level in side.to_list():
                price, qty = (short(value, exponent) for value, exponent in zip(level, self.exponents))
                text.update(f"{letter} {price} {qty}\n".encode())
        return text.hexdigest()


def hash_of(tops: list) -> int:
    hashed = 0
    for bid, ask in zip(tops[::2], tops[1::2]):
        for value in (*bid, *ask, 1):
            rotated = (hashed << 5 | hashed >> 59) & WORD
            hashed = (rotated ^ (value & WORD)) * 0x517C_C1B7_2722_0A95 & WORD
    return hashed


def short(mantissa: int, exponent: int) -> str:
    return format(Decimal(mantissa).scaleb(exponent).normalize(), "f")


def main() -> None:
    options = arguments("order_book over decoded level changes").parse_args()
    try:
        from order_book import OrderBook
    except ImportError as error:
        skip("order-book", str(error))
        return
    levels = Levels(OrderBook, *read(Path(options.input)))
    take_turns(options.workload, options.rounds, [Contender("order-book", "ns/level change", levels.count, levels.run)])


if __name__ == "__main__":
    main()
