/** Bytes that are written one behind the other. The memory grows by doubling and stays; `clear` begins anew in it. */
export class ByteSink {
  length = 0;
  #bytes: Uint8Array;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** What was written. Valid until the next call that writes. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
  }

  /** Makes room for so many more, and counts them as written: the caller fills them from `length` before the call on. */
  claim(count: number): Uint8Array {
    this.#reserve(count);
    this.length += count;
    return this.#bytes;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.length++] = value;
  }

  bytes(more: Uint8Array): void {
    this.#reserve(more.byteLength);
    this.#bytes.set(more, this.length);
    this.length += more.byteLength;
  }

  int32(value: number): void {
    const at = this.length;
    const bytes = this.claim(4);
    for (let place = 0; place < 4; place += 1) bytes[at + place] = value >> (8 * place);
  }

  /** LEB128 of a whole number from 0 to 2^53. */
  varint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.byte((rest % 0x80) | 0x80);
    this.byte(rest);
  }

  /** LEB128 of a signed 64-bit number, by its two words, as zigzag: the sign is the lowest bit. */
  zigzag(low: number, high: number): void {
    const sign = high >> 31;
    let rest = ((low << 1) ^ sign) >>> 0;
    let above = (((high << 1) | (low >>> 31)) ^ sign) >>> 0;
    while (above !== 0 || rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest = ((rest >>> 7) | (above << 25)) >>> 0;
      above >>>= 7;
    }
    this.byte(rest);
  }

  #reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.#bytes.byteLength) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.byteLength));
    grown.set(this.written);
    this.#bytes = grown;
  }
}
