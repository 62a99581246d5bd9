"""Tests of the reader: run by `npm test`, which gives feeds of recordings and a server (scripts/python-reader.mjs).

Alone, `python3 -m unittest` runs what needs neither.
"""

import asyncio
import base64
import contextlib
import io
import json
import os
import pathlib
import re
import struct
import sys
import types
import unittest
import urllib.request

import depthwire_feed as feed
from depthwire_feed import CHECK, DELTA, IMAGE, STATUS, BadFrame, Book, Reader, crc32c, frames

VECTORS = pathlib.Path(__file__).parents[2] / "crates/core/schema/vectors.json"
FEEDS, SERVER = os.environ.get("DEPTHWIRE_FEEDS"), os.environ.get("DEPTHWIRE_SERVER")


def vectors():
    for vector in json.loads(VECTORS.read_text())["vectors"]:
        yield vector["name"], bytes.fromhex(vector["hex"]), vector["frame"]


def as_told(of, row):
    """A struct's row as the vectors have it: integers of 64 bits as text, texts without their padding."""
    packing, names = feed.STRUCTS[of]
    parts = re.findall(r"(\d*)([a-zA-Z])", packing.format)
    letters = "".join(letter if letter == "s" else letter * int(count or 1) for count, letter in parts if letter != "x")

    def value(letter, value):
        if letter == "s":
            return value.rstrip(b"\0").decode()
        return str(value) if letter in "qQ" else value

    return {name: value(*each) for name, *each in zip(names, letters, row)}


def frame(kind, epoch, prev_seq, seq, stream=1, flags=0, **fields):
    """A frame as another builder would write it: header first, then each field in the order of the table."""
    entries, inline, vectors = {}, bytearray(), []
    parts = {"header": (epoch, seq, prev_seq, seq, 0, 0, 0, 7, kind, stream, flags), **fields}
    for name, value in parts.items():
        entry, of, is_vector = feed.ENTRIES[name]
        packing = feed.STRUCTS[of][0]
        entries[entry] = 4 + len(inline)
        if is_vector:
            vectors.append((len(inline), struct.pack("<I", len(value)) + b"".join(packing.pack(*row) for row in value)))
            inline += bytes(4)
        else:
            inline += packing.pack(*value)
    last = max(entries)
    vtable = struct.pack("<2H", last + 2, 4 + len(inline))
    vtable += b"".join(struct.pack("<H", entries.get(entry, 0)) for entry in range(4, last + 2, 2))
    table = 12 + len(vtable) + (-len(vtable) % 8)
    at = table + 4 + len(inline)
    behind = bytearray()
    for where, vector in vectors:
        struct.pack_into("<I", inline, where, at + len(behind) - (table + 4 + where))
        behind += vector
    data = struct.pack("<II", 0, table - 4) + b"DWF1" + vtable + bytes(table - 12 - len(vtable))
    data += struct.pack("<i", table - 12) + inline + behind
    data += bytes(-len(data) % 8)
    return struct.pack("<I", len(data) - 4) + data[4:]


def check_of(bids, asks):
    def packed(levels):
        return b"".join(struct.pack("<2q", *level) for level in levels)

    top = crc32c(packed(asks[:10]), crc32c(packed(bids[:10])))
    return (top, crc32c(packed(asks), crc32c(packed(bids))), len(bids), len(asks))


LEAST, GREATEST = -(1 << 63), (1 << 63) - 1


def image(epoch, seq, bids, asks=(), state=2, reason=0, chunk=(0, 1), check=None):
    info = (LEAST, GREATEST, *chunk, 0, -2, -5, state, reason)
    check = check_of(list(bids), list(asks)) if check is None else check
    return frame(IMAGE, epoch, seq, seq, info=info, check=check, bids=list(bids), asks=list(asks))


def delta(epoch, prev_seq, seq, bids):
    return frame(DELTA, epoch, prev_seq, seq, bids=bids)


def apply(book, *messages):
    return [book.apply(each) for message in messages for each in frames(message)]


class Vectors(unittest.TestCase):
    def test_every_vector_is_read_as_it_says(self):
        count = 0
        for name, data, told in vectors():
            (read,) = frames(data)
            for field, (_, of, is_vector) in feed.ENTRIES.items():
                with self.subTest(vector=name, field=field):
                    if is_vector:
                        own = [as_told(of, row) for row in read.rows(field)]
                        self.assertEqual(own, told.get(field, []))
                    else:
                        fields = read.struct(field)
                        self.assertEqual(fields and as_told(of, fields.values()), told.get(field))
            count += 1
        self.assertGreater(count, 25)

    def test_the_first_three_are_a_book_its_change_and_the_check_of_both(self):
        book, all_of_them = Book(), {name: data for name, data, _ in vectors()}
        first = list(all_of_them.values())[:3]
        self.assertEqual(apply(book, *first), ["image", "applied", "checked"])
        self.assertEqual((book.state, book.seq, book.top()), ("synced", 2, ("61800.19", "61800.21")))
        self.assertEqual(apply(book, all_of_them["kind of the future"]), ["ignored"])
        self.assertEqual(apply(book, all_of_them["delta of the future"]), ["applied"])
        chunks = [all_of_them[f"book image, chunk {at} of 2"] for at in (1, 2)]
        self.assertEqual(apply(book, *chunks), ["chunk", "image"])
        self.assertEqual((book.state, book.seq), ("synced", 7))

    def test_damaged_frames_are_typed_errors_and_never_anything_else(self):
        book = Book()
        for name, data, _ in vectors():
            for cut in range(1, len(data)):
                with self.assertRaises(BadFrame, msg=f"{name} at {cut}"):
                    apply(Book(), data[:cut])
            for at in range(len(data)):
                for by in (0x01, 0x80, 0xFF):
                    damaged = bytearray(data)
                    damaged[at] ^= by
                    with contextlib.suppress(BadFrame):
                        for read in frames(damaged):
                            for field, (_, _, is_vector) in feed.ENTRIES.items():
                                list(read.rows(field)) if is_vector else read.struct(field)
                            book.apply(read)


class Rules(unittest.TestCase):
    def book(self):
        book = Book()
        self.assertEqual(apply(book, image(1, 5, [(100, 1), (99, 1)])), ["image"])
        return book

    def test_deltas_apply_by_their_links(self):
        book = self.book()
        self.assertEqual(apply(book, delta(1, 3, 5, [(100, 9)])), ["old"])
        self.assertEqual(apply(book, delta(1, 4, 9, [(100, 3)])), ["applied"])
        self.assertEqual(apply(book, delta(1, 10, 11, [(100, 8)])), ["gap"])
        self.assertEqual((book.state, book.reason, book.bids.levels(1)), ("stale", "sequence_gap", [(100, 3)]))
        self.assertEqual(apply(book, delta(1, 9, 12, [(100, 0)])), ["applied"], "one that reaches back")
        self.assertEqual((book.state, book.bids.levels()), ("synced", [(99, 1)]))
        self.assertEqual(apply(book, delta(2, 1, 2, [(5, 1)]), delta(1, 12, 13, [])), ["gap", "ignored"])
        self.assertEqual((book.state, book.place()), ("stale", None))

    def test_a_check_that_disagrees_and_bad_news_make_it_stale(self):
        good = check_of([(100, 1), (99, 1)], [])
        for check, outcome in ((good, "checked"), ((good[0], good[1] ^ 1, 2, 0), "check_failed"), ((*good[:3], 1), "check_failed")):
            book = self.book()
            self.assertEqual(apply(book, frame(CHECK, 1, 5, 5, check=check)), [outcome])
            self.assertEqual(book.state, "synced" if outcome == "checked" else "stale")
        self.assertEqual(apply(self.book(), frame(CHECK, 1, 6, 6, check=good)), ["gap"])
        book = self.book()
        self.assertEqual(apply(book, frame(STATUS, 1, 5, 5, stream=4, status=(0, 0, 0, 3, 2))), ["status"])
        self.assertEqual((book.state, book.reason), ("stale", "silence"))
        self.assertEqual(apply(book, delta(1, 5, 6, [(100, 4)])), ["ignored"])
        book = Book()
        with self.assertRaises(BadFrame):
            apply(book, image(1, 1, [(100, -1)]))

    def test_an_image_takes_effect_at_its_last_chunk(self):
        whole, first, second = check_of([(100, 1)], [(101, 2)]), [(100, 1)], [(101, 2)]
        chunks = [image(2, 1, first, (), chunk=(0, 2), check=whole), image(2, 1, (), second, chunk=(1, 2), check=whole)]
        book = self.book()
        self.assertEqual(apply(book, chunks[0]), ["chunk"])
        self.assertEqual((book.state, book.epoch), ("synced", 1))
        self.assertEqual(apply(book, chunks[1]), ["image"])
        self.assertEqual((book.state, book.epoch, book.top()), ("synced", 2, ("1", "1.01")))
        self.assertEqual(apply(Book(), chunks[1], chunks[0], chunks[0], chunks[1]), ["discarded", "chunk", "chunk", "image"])

    def test_what_is_not_known_is_not_zero(self):
        book = Book()
        info = (98, GREATEST, 0, 1, 0, -2, -5, 2, 0)
        message = frame(IMAGE, 1, 1, 1, info=info, check=check_of([(100, 1)], []), bids=[(100, 1)])
        self.assertEqual(apply(book, message), ["image"])
        self.assertEqual([book.qty_at("bids", price) for price in (100, 99, 98, 97)], [1, 0, 0, None])
        self.assertIsNone(Book().qty_at("asks", 1))

    def test_decimals_are_exact(self):
        for mantissa, exponent, text in (
            (6_180_020, -2, "61800.2"), (-5, -2, "-0.05"), (0, -8, "0"), (GREATEST, -2, "92233720368547758.07"), (7, 3, "7000"),
        ):  # fmt: skip
            self.assertEqual(feed.decimal(mantissa, exponent), text)

    def test_addresses_are_understood(self):
        for text in ("ws://h:1/v1/feed", "http://h:1", "h:1", "ws://h:1/"):
            self.assertEqual(feed.address_of(text), "ws://h:1/v1/feed")
        self.assertEqual(feed.address_of("https://h"), "wss://h/v1/feed")


class Connections(unittest.TestCase):
    GRANTED = {"op": "subscribed", "id": 1, "instrumentId": 7, "state": "synced", "reason": "none", "epoch": "1", "seq": "1"}

    def test_a_gap_is_mended_and_a_lost_connection_resumed(self):
        reader = Reader("a:B")
        self.assertNotIn("resume", json.loads(reader.opened()[0]))
        reader.text(json.dumps(self.GRANTED))
        self.assertEqual(reader.binary(image(1, 1, [(100, 1)]) + delta(1, 1, 2, [(100, 2)])), [])
        (resync,) = reader.binary(delta(1, 3, 4, [(100, 4)]))
        self.assertEqual(json.loads(resync)["op"], "resync")
        self.assertEqual(reader.binary(delta(1, 4, 5, [(100, 5)])), [], "one request at a time")
        reader.binary(image(1, 5, [(100, 5)]))
        self.assertEqual(reader.book.state, "synced")
        reader.closed()
        self.assertEqual((reader.book.state, reader.book.reason), ("stale", "disconnected"))
        self.assertEqual(json.loads(reader.opened()[0])["resume"], {"epoch": "1", "seq": "5", "by": "net"})
        reader.text(json.dumps({**self.GRANTED, "resume": {"by": "net", "from": "5", "to": "8"}}))
        self.assertEqual(reader.book.state, "stale", "what was missed has not come yet")
        reader.binary(delta(1, 5, 8, [(100, 8)]))
        self.assertEqual((reader.book.state, reader.book.bids.levels()), ("synced", [(100, 8)]))

    def test_a_slow_reader_is_stale_until_it_is_brought_back(self):
        reader = Reader("a:B")
        reader.opened()
        reader.text(json.dumps(self.GRANTED))
        reader.binary(image(1, 1, [(100, 1)]))
        reader.text(json.dumps({"op": "slow", "state": "behind", "streams": [{"channel": "book"}]}))
        self.assertEqual((reader.book.state, reader.book.reason), ("stale", "behind"))
        reader.text(json.dumps({"op": "slow", "state": "rejoined", "channel": "book", "from": "1", "to": "3", "by": "net"}))
        self.assertEqual(reader.book.state, "stale")
        reader.binary(delta(1, 1, 3, [(100, 3)]))
        self.assertEqual(reader.book.state, "synced")

    def test_what_the_server_refuses_is_said(self):
        with self.assertRaises(feed.Refused):
            Reader("a:B").text(json.dumps({"op": "error", "code": "feed.unknown_instrument", "what": "no"}))


@unittest.skipIf(FEEDS is None, "started without feeds: npm test gives them")
class Feeds(unittest.TestCase):
    def test_books_end_as_the_engine_says(self):
        folder = pathlib.Path(FEEDS)
        names = sorted(path.stem for path in folder.glob("*.json"))
        self.assertIn("simulated", names)
        for name in names:
            with self.subTest(feed=name):
                expected = json.loads((folder / f"{name}.json").read_text())["digests"]
                self.assertTrue(expected)
                books = {}
                for read in frames((folder / f"{name}.feed").read_bytes()):
                    if read.stream in (feed.STREAM_BOOK, feed.STREAM_STATUS):
                        outcome = books.setdefault(read.instrument, Book()).apply(read)
                        self.assertNotIn(outcome, ("gap", "check_failed", "discarded"))
                synced = [book.digest() for book in books.values() if book.state == "synced"]
                self.assertEqual(sorted(synced), sorted(expected))
                self.assertTrue(all(book.checks > 0 for book in books.values() if book.state == "synced"))


class Closed(Exception):
    """Of the stand-in for `websockets` below: what its exceptions of these names are."""


class Socket:
    """As much of a WebSocket as `follow` uses, for machines without `websockets`."""

    def __init__(self, url, **_):
        self.host, _, self.port = url.split("/")[2].partition(":")

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection(self.host, int(self.port))
        key = base64.b64encode(os.urandom(16)).decode()
        lines = (
            "GET /v1/feed HTTP/1.1", f"Host: {self.host}:{self.port}", "Upgrade: websocket", "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: depthwire.v1",
        )  # fmt: skip
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        answer = await self.reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in answer.splitlines()[0]:
            raise Closed(answer)
        return self

    async def __aexit__(self, *_):
        self.writer.close()

    async def send(self, text):
        data, mask = text.encode(), os.urandom(4)
        size = struct.pack(">BB", 0x81, 0x80 | len(data)) if len(data) < 126 else struct.pack(">BBH", 0x81, 0xFE, len(data))
        self.writer.write(size + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(data)))

    async def recv(self):
        message = b""
        while True:
            first, size = await self.reader.readexactly(2)
            if size >= 126:
                size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
            message += await self.reader.readexactly(size)
            if first & 0x0F == 8:
                raise Closed(message)
            if first & 0x80 and first & 0x0F < 8:
                return message.decode() if first & 0x0F == 1 else message


def with_websockets():
    """The library, or the stand-in for it."""
    try:
        import websockets  # noqa: F401
    except ImportError:
        names = ("InvalidStatus", "ConnectionClosed", "WebSocketException")
        exceptions = types.SimpleNamespace(**{name: type(name, (Closed,), {}) for name in names})
        sys.modules["websockets"] = types.SimpleNamespace(connect=Socket, exceptions=exceptions)


@unittest.skipIf(SERVER is None, "started without a server: npm test gives one")
class Served(unittest.TestCase):
    def setUp(self):
        with_websockets()

    def test_a_server_is_followed_to_the_book_that_it_holds(self):
        async def follow():
            seen = []
            async for book in feed.follow(f"http://{SERVER}", "sim:BTCUSDT"):
                if book.state == "synced":
                    seen.append((book.seq, book.top()))
                if len(seen) > 50 and book.checks >= 3:
                    return seen, book

        seen, book = asyncio.run(asyncio.wait_for(follow(), 60))
        self.assertTrue(all(before[0] <= after[0] for before, after in zip(seen, seen[1:])))
        with urllib.request.urlopen(f"http://{SERVER}/v1/book/sim:BTCUSDT?depth=1") as answer:
            served = json.load(answer)
        self.assertEqual(served["state"], "synced")
        self.assertEqual(int(served["epoch"]), book.epoch)

    def test_the_program_prints_so_many_lines(self):
        out, arguments = io.StringIO(), ["depthwire_feed.py", SERVER, "sim:ETHUSDT", "--count", "3"]
        before, sys.argv = sys.argv, arguments
        try:
            with contextlib.redirect_stdout(out):
                feed.main()
        finally:
            sys.argv = before
        self.assertEqual(len(out.getvalue().splitlines()), 3)


if __name__ == "__main__":
    unittest.main()
