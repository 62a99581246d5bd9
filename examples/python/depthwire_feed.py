#!/usr/bin/env python3
"""A reader of a depthwire feed, in one file: docs/protocol.md as a program.

It keeps the full book of an instrument exactly, or says that it is stale, and why. Python 3.9 or newer; `websockets` is needed
for the connection alone (`pip install websockets`), the rest is the standard library.

    python3 depthwire_feed.py ws://127.0.0.1:8642 sim:BTCUSDT --count 20

`frames` cuts a message into frames and reads them, `Book` applies the rules for a reader, `follow` keeps a connection up.
"""

import argparse
import asyncio
import hashlib
import json
import random
import struct
import sys
from array import array
from bisect import bisect_left, insort

# --- The bytes of a frame -------------------------------------------------------------------------------------------------

IMAGE, DELTA, CHECK, STATUS = 1, 2, 3, 6
STREAM_BOOK, STREAM_STATUS = 1, 4
FLAG_STALE, FLAG_CROSSED, FLAG_BEYOND_KNOWN = 2, 8, 128
STATE_SYNCING, STATE_SYNCED = 1, 2
REASONS = (
    "none", "gap", "silence", "levels_limit", "contradiction", "orders_limit", "unreadable", "source_failed", "unattributed",
    "skipped", "venue_doubt",
)
LEVELS_MAX = 1 << 20

# Structs by their names: a format of the module `struct`, and the fields in their order. Padding has no name.
STRUCTS = {
    "Header": ("<7QI2BH", "epoch seq prev_seq venue_seq ts_event ts_recv ts_send instrument kind stream flags"),
    "ImageInfo": ("<2q3I2b2B", "bid_known_to ask_known_to chunk_index chunk_count depth price_exponent qty_exponent state reason"),
    "Check": ("<4I", "top_crc all_crc bid_count ask_count"),
    "Status": ("<3Q2B6x", "expected received age_ns state reason"),
    "Level": ("<2q", "price qty"),
    "Trade": ("<2q2Q2B6x", "price qty id ts_event aggressor id_kind"),
    "Gap": ("<7QB7x", "expected received lost_from noticed mended epoch_before seq_before reason"),
    "Order": ("<2Q2qI4B", "id_low id_high price qty place action side cause id_kind"),
    "Name": ("<QB55s", "number size text"),
    "Ticker": (
        "<I2b2x6qQ10q",
        "mask price_exponent qty_exponent last mark index volume open_interest funding_rate_e9 funding_at underlying "
        "interest_rate_e9 mark_iv_e9 bid_iv_e9 ask_iv_e9 delta_e9 gamma_e9 vega_e9 theta_e9 rho_e9",
    ),
    "Trading": ("<QB7x", "ts_event status"),
    "ViewInfo": ("<qQI4x", "grouping interval_ns depth"),
    "Signal": ("<q2QHbB4x", "value window_ns ts_event id exponent flags"),
    "Volume": ("<4qI4x", "price bought sold unknown trades"),
    "Cost": (
        "<5q2b3BxH",
        "qty filled price_average price_worst cost price_exponent cost_exponent side is_complete is_known bps",
    ),
    "Session": ("<2Q", "since missed_at"),
}
STRUCTS = {name: (struct.Struct(form), tuple(fields.split())) for name, (form, fields) in STRUCTS.items()}

# Fields of the table, the entry at 4 first; vectors end with *.
TABLE = (
    "header:Header info:ImageInfo check:Check status:Status bids:Level* asks:Level* trades:Trade* gap:Gap orders:Order* "
    "names:Name* ticker:Ticker trading:Trading view:ViewInfo signals:Signal* volumes:Volume* costs:Cost* "
    "session:Session"
)
ENTRIES = {
    field: (4 + 2 * at, name.rstrip("*"), name.endswith("*"))
    for at, (field, name) in enumerate(entry.split(":") for entry in TABLE.split())
}


class BadFrame(Exception):
    """Bytes that are no frame, or one that lacks what the protocol asks of its kind. Leave the connection and come back."""


class Frame:
    """One frame. The header's fields are attributes; `struct` and `levels` read the rest from the bytes when it is asked for."""

    def __init__(self, data):
        self.data = data
        if bytes(data[8:12]) != b"DWF1":
            raise BadFrame("the identifier is not DWF1")
        self.table = 4 + self._number("<I", 4)
        self.vtable = self.table - self._number("<i", self.table)
        self.vtable_bytes = self._number("<H", self.vtable)
        header = self.struct("header")
        if header is None:
            raise BadFrame("a frame has no header")
        self.__dict__.update(header)

    def _number(self, form, at):
        try:
            if at < 0:
                raise BadFrame("an offset points before the frame")
            return struct.unpack_from(form, self.data, at)[0]
        except struct.error as error:
            raise BadFrame(f"an offset points behind the frame: {error}") from None

    def _find(self, field):
        """Where a field stands; None where the frame does not have it."""
        entry = ENTRIES[field][0]
        offset = self._number("<H", self.vtable + entry) if entry + 2 <= self.vtable_bytes else 0
        return self.table + offset if offset else None

    def struct(self, field):
        """The fields of a struct as a dict; None where the frame does not have it."""
        at, (packing, names) = self._find(field), STRUCTS[ENTRIES[field][1]]
        if at is None:
            return None
        if at + packing.size > len(self.data):
            raise BadFrame(f"{field} stands behind the frame's end")
        return dict(zip(names, packing.unpack_from(self.data, at)))

    def rows(self, field):
        """A vector as tuples; empty where the frame does not have it."""
        at, (packing, _) = self._find(field), STRUCTS[ENTRIES[field][1]]
        if at is None:
            return ()
        vector = at + self._number("<I", at)
        count = self._number("<I", vector)
        rows = self.data[vector + 4 : vector + 4 + count * packing.size]
        if len(rows) != count * packing.size:
            raise BadFrame(f"{field} go on behind the frame's end")
        return packing.iter_unpack(rows)

    def __repr__(self):
        return f"Frame(kind={self.kind}, stream={self.stream}, epoch={self.epoch}, seq={self.seq})"


def frames(message):
    """The frames of a binary message, which stand back to back."""
    at, view = 0, memoryview(message)
    while at < len(view):
        if at + 12 > len(view):
            raise BadFrame("the last frame is cut off")
        end = at + 4 + int.from_bytes(view[at : at + 4], "little")
        if end > len(view) or end - at < 12:
            raise BadFrame("a frame is cut off")
        yield Frame(view[at:end])
        at = end


# --- Checksums ------------------------------------------------------------------------------------------------------------


def _crc_table():
    """CRC32C (Castagnoli) of each 16 bits, so that a loop of Python goes two bytes a turn."""
    bytewise = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        bytewise.append(value)
    return [(bytewise[low] >> 8) ^ bytewise[(bytewise[low] & 0xFF) ^ high] for high in range(256) for low in range(256)]


_CRC = _crc_table()


def crc32c(data, crc=0):
    """CRC32C of an even number of bytes, going on from an earlier one."""
    crc, table, words = crc ^ 0xFFFFFFFF, _CRC, array("H", bytes(data))
    if sys.byteorder == "big":
        words.byteswap()
    for word in words:
        crc = table[(crc ^ word) & 0xFFFF] ^ (crc >> 16)
    return crc ^ 0xFFFFFFFF


# --- A book ---------------------------------------------------------------------------------------------------------------


class Side:
    """Levels of one side: quantities by price, and prices in order. Keys of bids are negative, so that the best comes first."""

    def __init__(self, sign):
        self.sign, self.qty, self.keys = sign, {}, []

    def set(self, price, qty):
        key = self.sign * price
        if qty == 0:
            if self.qty.pop(price, None) is not None:
                del self.keys[bisect_left(self.keys, key)]
        else:
            if price not in self.qty:
                insort(self.keys, key)
            self.qty[price] = qty

    def load(self, levels):
        self.qty = {price: qty for price, qty in levels if qty != 0}
        self.keys = sorted(self.sign * price for price in self.qty)

    def levels(self, count=None):
        """The best levels, best first, as (price, qty)."""
        return [(self.sign * key, self.qty[self.sign * key]) for key in self.keys[:count]]

    def packed(self, count=None):
        """The same as the bytes of a frame."""
        flat = [number for level in self.levels(count) for number in level]
        return struct.pack(f"<{len(flat)}q", *flat)


class Book:
    """The book of an instrument, by the rules for a reader of docs/protocol.md. `state` is `syncing`, `synced` or `stale`; only a
    synced one is exactly the server's at (`epoch`, `seq`). Of any other the levels are the last that were known, and `reason` says
    why: a word of the server, or `sequence_gap`, `check_failed`, `bad_frame`, `disconnected`, `behind`."""

    def __init__(self):
        self.state, self.reason = "syncing", "no_image"
        self.epoch = self.seq = self.venue_seq = self.flags = 0
        self.price_exponent = self.qty_exponent = 0
        self.known_to = None
        self.bids, self.asks = Side(-1), Side(1)
        self.checks = 0
        self.has_image = False
        # Only an image helps: the levels are not those of their sequence, or the server sends nothing that follows them.
        self.awaits_image = True
        # The sequence up to which the server brings the levels: before it they are not the present.
        self.present_seq = 0
        # Of an image in chunks: (epoch, seq, next index, count) and its levels so far.
        self.due, self.staged = None, ([], [])

    # What changes the trust.

    def doubt(self, reason):
        """What follows is not arriving for now. The levels stay exact at their sequence."""
        self.state, self.reason = ("stale" if self.has_image else "syncing"), reason

    def lose(self, reason):
        """Nothing can be trusted until the next image."""
        self.awaits_image = True
        self.doubt(reason)

    def place(self):
        """Where to resume from: (epoch, seq), or None."""
        return None if self.awaits_image else (self.epoch, self.seq)

    def bring_to(self, epoch, seq, state, reason):
        """The server brings the levels to a sequence by what follows; `state` is that of its own book."""
        if self.awaits_image or epoch != self.epoch:
            return
        if state != "synced":
            self.awaits_image, self.state, self.reason = True, state, reason
            return
        self.present_seq = seq
        self._settle()

    def _settle(self):
        if self.seq < self.present_seq:
            return
        stale = self.flags & FLAG_STALE
        self.state, self.reason = ("stale", "unknown") if stale else ("synced", "none")

    # Frames.

    def apply(self, frame):
        """Takes a frame of stream `book`, or a status frame. Says what it did: `image`, `chunk`, `applied`, `checked`, `status`,
        `old`, `ignored`; or `gap`, `check_failed`, `discarded`, upon which a resync is to be asked for. Raises BadFrame."""
        try:
            if frame.kind == IMAGE:
                return self._image(frame)
            if frame.kind == STATUS:
                return self._status(frame)
            if frame.kind not in (DELTA, CHECK) or self.awaits_image:
                return "ignored"
            if frame.epoch != self.epoch:
                # Rule 2. The image that opens a later epoch was missed.
                if frame.epoch < self.epoch:
                    return "ignored"
                self.lose("sequence_gap")
                return "gap"
            return self._delta(frame) if frame.kind == DELTA else self._check(frame)
        except BadFrame:
            self.due = None
            self.lose("bad_frame")
            raise

    def _image(self, frame):
        """Rule 1: replaces everything, at its last chunk."""
        info, check = frame.struct("info"), frame.struct("check")
        if info is None or check is None:
            raise BadFrame("an image without info and check")
        index, count = info["chunk_index"], info["chunk_count"]
        if index >= count:
            raise BadFrame(f"chunk {index} of {count}")
        if index == 0:
            self.staged = ([], [])
        elif self.due != (frame.epoch, frame.seq, index, count):
            self.due = None
            return "discarded"
        for staged, field in zip(self.staged, ("bids", "asks")):
            staged.extend(levels_of(frame, field))
            if len(staged) > LEVELS_MAX:
                raise BadFrame(f"more than {LEVELS_MAX} levels")
        if index + 1 < count:
            self.due = (frame.epoch, frame.seq, index + 1, count)
            return "chunk"
        self.due, self.has_image, self.present_seq = None, True, 0
        self.bids.load(self.staged[0])
        self.asks.load(self.staged[1])
        self.epoch = frame.epoch
        self.price_exponent, self.qty_exponent = info["price_exponent"], info["qty_exponent"]
        self.known_to = (info["bid_known_to"], info["ask_known_to"])
        self._take_header(frame)
        if not self._agrees(check):
            self.lose("check_failed")
            return "check_failed"
        if info["state"] == STATE_SYNCED:
            self._settle()
        else:
            self.state, self.reason = state_of(info)
        self.awaits_image = self.state != "synced"
        return "image"

    def _delta(self, frame):
        """Rule 3. Quantities are absolute; 0 removes."""
        if frame.seq <= self.seq:
            return "old"
        if frame.prev_seq > self.seq:
            self.doubt("sequence_gap")
            return "gap"
        changes = [(side, list(levels_of(frame, field))) for side, field in ((self.bids, "bids"), (self.asks, "asks"))]
        for side, levels in changes:
            for price, qty in levels:
                side.set(price, qty)
        self._take_header(frame)
        self._settle()
        return "applied"

    def _check(self, frame):
        """Rule 5."""
        if frame.seq > self.seq:
            self.doubt("sequence_gap")
            return "gap"
        if frame.seq < self.seq:
            return "ignored"
        check = frame.struct("check")
        if check is None:
            raise BadFrame("a check without its sums")
        if not self._agrees(check):
            self.lose("check_failed")
            return "check_failed"
        # The server's doubt may begin or end while the levels stay.
        doubts = FLAG_CROSSED | FLAG_BEYOND_KNOWN
        self.flags = (self.flags & ~doubts) | (frame.flags & doubts)
        return "checked"

    def _status(self, frame):
        """Rule 6. `synced` proves nothing: an image does."""
        status = frame.struct("status")
        if status is None:
            raise BadFrame("a status without its state")
        if self.has_image and frame.epoch >> 32 == self.epoch >> 32 and frame.epoch < self.epoch:
            return "ignored"
        if status["state"] != STATE_SYNCED:
            self.awaits_image = True
            self.state, self.reason = state_of(status)
        return "status"

    def _take_header(self, frame):
        self.seq, self.venue_seq, self.flags = frame.seq, frame.venue_seq, frame.flags

    def _agrees(self, check):
        self.checks += 1
        if (len(self.bids.keys), len(self.asks.keys)) != (check["bid_count"], check["ask_count"]):
            return False
        top = crc32c(self.asks.packed(10), crc32c(self.bids.packed(10)))
        return top == check["top_crc"] and crc32c(self.asks.packed(), crc32c(self.bids.packed())) == check["all_crc"]

    # Reading.

    def top(self):
        """Best bid and ask as exact decimals, None for a side without levels."""
        best = [side.levels(1) for side in (self.bids, self.asks)]
        return tuple(decimal(levels[0][0], self.price_exponent) if levels else None for levels in best)

    def qty_at(self, side, price):
        """The quantity mantissa at a price mantissa of `bids` or `asks`; None where the venue has not made the book known."""
        levels, known_to = (self.bids, 0) if side == "bids" else (self.asks, 1)
        qty = levels.qty.get(price)
        if qty is None and self.known_to is not None:
            is_known = levels.sign * price <= levels.sign * self.known_to[known_to]
            return 0 if is_known else None
        return qty

    def digest(self):
        """SHA-256 of all levels as text, as `depthwire verify` prints it."""
        text = hashlib.sha256()
        for letter, side in (("B", self.bids), ("A", self.asks)):
            for price, qty in side.levels():
                line = f"{letter} {decimal(price, self.price_exponent)} {decimal(qty, self.qty_exponent)}\n"
                text.update(line.encode())
        return text.hexdigest()


def levels_of(frame, field):
    for price, qty in frame.rows(field):
        if qty < 0:
            raise BadFrame(f"a quantity of {qty}")
        yield price, qty


def state_of(told):
    """State and reason behind their numbers; a state that is not known is not to be trusted."""
    if told["state"] == STATE_SYNCING:
        return "syncing", "none"
    return "stale", REASONS[told["reason"]] if told["reason"] < len(REASONS) else "unknown"


def decimal(mantissa, exponent):
    """mantissa × 10^exponent as the shortest exact decimal."""
    if exponent >= 0 or mantissa == 0:
        return str(mantissa * 10 ** max(exponent, 0))
    digits = str(abs(mantissa)).rjust(1 - exponent, "0")
    fraction = digits[exponent:].rstrip("0")
    return ("-" if mantissa < 0 else "") + digits[:exponent] + ("." + fraction if fraction else "")


# --- A connection ---------------------------------------------------------------------------------------------------------


class Refused(Exception):
    """The server will not have this client, or does not serve what it asks for: trying again does not help."""


class Reader:
    """Follows the book of one instrument on one connection after another. It does no I/O: `opened`, `text` and `binary` say what
    arrived, and return the control messages that are to be sent."""

    def __init__(self, instrument):
        self.instrument, self.book = instrument, Book()
        self.number = None
        self.ids = 0
        self.heartbeat_s = None
        self.window_s = None
        self.is_mending = False

    def opened(self):
        """A connection is there: asks for the book, from where it stands."""
        self.number, self.is_mending, self.window_s = None, False, None
        place = self.book.place()
        more = {} if place is None else {"resume": {"epoch": str(place[0]), "seq": str(place[1]), "by": "net"}}
        return [self._ask("subscribe", **more)]

    def closed(self):
        """It is gone: what it brought is no longer the present."""
        self.number = None
        self.book.doubt("disconnected")

    def text(self, text):
        message = json.loads(text)
        op = message.get("op")
        if op == "hello":
            self.heartbeat_s = message.get("heartbeatMs", 0) / 1000
        elif op == "subscribed":
            self.number = message["instrumentId"]
            resume = message.get("resume")
            if resume and resume["by"] in ("nothing", "range", "net"):
                self.book.bring_to(int(message["epoch"]), int(resume["to"]), message["state"], message["reason"])
        elif op == "slow" and message["state"] == "behind":
            if any(stream["channel"] == "book" for stream in message["streams"]):
                self.book.doubt("behind")
        elif op == "slow" and message["state"] == "rejoined":
            if message["channel"] == "book" and message["by"] != "image":
                self.book.bring_to(self.book.epoch, int(message["to"]), "synced", "none")
        elif op == "shutdown":
            self.window_s = message.get("reconnectMs", 0) / 1000
        elif op in ("error", "removed"):
            raise Refused(f"{message.get('code', op)}: {message.get('what') or message.get('reason')}. {message.get('fix', '')}")
        return []

    def binary(self, message):
        outgoing = []
        for frame in frames(message):
            if frame.instrument != self.number or frame.stream not in (STREAM_BOOK, STREAM_STATUS):
                continue
            outcome = self.book.apply(frame)
            if self.book.state == "synced" or outcome == "status":
                self.is_mending = False
            elif outcome in ("gap", "check_failed", "discarded") and not self.is_mending:
                # One request at a time: the image that it brings ends it, and a connection that brings none is left.
                self.is_mending = True
                outgoing.append(self._ask("resync"))
        return outgoing

    def _ask(self, op, **more):
        self.ids += 1
        return json.dumps({"op": op, "id": self.ids, "channel": "book", "instrument": self.instrument, **more})


def address_of(text):
    """The address of a feed: http(s) and none of the schemes are understood, and the path may be left out."""
    scheme, rest = text.split("://", 1) if "://" in text else ("ws", text)
    scheme = {"http": "ws", "https": "wss"}.get(scheme.lower(), scheme.lower())
    return f"{scheme}://{rest.rstrip('/').removesuffix('/v1/feed')}/v1/feed"


MESSAGE_BYTES_MAX = 64 << 20
PAUSE_FIRST_S, PAUSE_LONGEST_S = 0.1, 0.8
MEND_WITHIN_S = 10


async def follow(url, instrument, token=None):
    """Yields the book after each message that it took, and when the connection is lost: always the same object, with its state.

    Comes back by itself with jittered pauses, within 1 s of a server that is there again. Raises Refused."""
    import websockets

    reader, attempts = Reader(instrument), 0
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    while True:
        try:
            options = {"subprotocols": ["depthwire.v1"], "additional_headers": headers, "max_size": MESSAGE_BYTES_MAX}
            async with websockets.connect(address_of(url), compression=None, open_timeout=5, **options) as socket:
                for message in reader.opened():
                    await socket.send(message)
                mending_since = None
                loop = asyncio.get_running_loop()
                while True:
                    # Three heartbeats without a word: the server is lost.
                    silence_s = 3 * reader.heartbeat_s if reader.heartbeat_s else 30
                    message = await asyncio.wait_for(socket.recv(), silence_s)
                    outgoing = reader.text(message) if isinstance(message, str) else reader.binary(message)
                    for text in outgoing:
                        await socket.send(text)
                    mending_since = (mending_since or loop.time()) if reader.is_mending else None
                    if mending_since is not None and loop.time() > mending_since + MEND_WITHIN_S:
                        raise BadFrame("a resync brings no image")
                    if isinstance(message, bytes):
                        attempts = 0
                        yield reader.book
        except websockets.exceptions.InvalidStatus as error:
            if error.response.status_code in (400, 401, 403):
                raise Refused(f"the server answers {error.response.status_code}") from error
        except websockets.exceptions.ConnectionClosed as error:
            code = error.rcvd.code if error.rcvd else 1006
            if code in (1008, 1009, 4400, 4401, 4403):
                raise Refused(f"the server closes with {code}: {error.rcvd.reason}") from error
            if code in (4408, 4429):
                attempts = 8
        except (OSError, asyncio.TimeoutError, BadFrame, websockets.exceptions.WebSocketException) as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
        reader.closed()
        yield reader.book
        pause_s = 10 if attempts >= 8 else min(PAUSE_LONGEST_S, PAUSE_FIRST_S * 2**attempts)
        window_s, reader.window_s = reader.window_s, None
        # All clients of a server that stops are told the same window: they spread over all of it.
        await asyncio.sleep(random.uniform(0, window_s) if window_s else pause_s * random.uniform(0.5, 1))
        attempts = min(attempts + 1, 7)


async def run(options):
    count, told = 0, None
    async for book in follow(options.url, options.instrument, options.token):
        bid, ask = book.top()
        line = f"{bid} / {ask}" if book.state == "synced" else f"{book.state} ({book.reason})"
        if line == told:
            continue
        told = line
        print(f"{book.epoch}:{book.seq} {line}", flush=True)
        count += 1
        if count == options.count:
            return


def main():
    parser = argparse.ArgumentParser(description="Prints the best bid and ask of a depthwire feed whenever they change.")
    parser.add_argument("url", help="ws://127.0.0.1:8642")
    parser.add_argument("instrument", help="sim:BTCUSDT")
    parser.add_argument("--count", type=int, default=0, help="end after so many lines; 0 = never")
    parser.add_argument("--token", help="what the server knows this client by")
    try:
        asyncio.run(run(parser.parse_args()))
    except Refused as error:
        sys.exit(f"{error}")
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
