import { NameRows, type OrderRows } from './frame-orders.js';
import type { FrameTable } from './frame-table.js';
import { ORDER_NAME_KINDS } from './generated/constants.js';
import { isExact } from './level.js';
import type { OrderId } from './order-queue.js';

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const TEXT = new TextDecoder();

/** The id of an order of a frame; undefined for one of no known kind, or for a name that has not been told. */
export function orderIdAt(orders: OrderRows, index: number, names: NameTable): OrderId | undefined {
  switch (ORDER_NAME_KINDS[orders.idKind(index)]) {
    case 'number': {
      const nearest = orders.idNearest(index);
      return isExact(nearest) ? nearest : orders.idLow(index);
    }
    case 'uuid': {
      let text = '';
      for (let byte = 0; byte < 16; byte += 1) {
        if (byte === 4 || byte === 6 || byte === 8 || byte === 10) text += '-';
        text += HEX[orders.idByte(index, byte)];
      }
      return text;
    }
    case 'text': {
      let text = '';
      for (let byte = 0; byte < 16; byte += 1) {
        const code = orders.idByte(index, byte);
        if (code === 0) break;
        if (code > 127) return longText(orders.idBytes(index));
        text += String.fromCharCode(code);
      }
      return text;
    }
    case 'named':
      return names.get(orders.idLow(index));
    default:
      return undefined;
  }
}

/** A text that is not plain ASCII. */
function longText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return TEXT.decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** Texts by the number that ids refer to. */
export class NameTable {
  private readonly texts = new Map<bigint, string>();

  get size(): number {
    return this.texts.size;
  }

  get(number: bigint): string | undefined {
    return this.texts.get(number);
  }

  /** Takes the names of a frame. */
  take(frame: FrameTable): void {
    const names = new NameRows(frame);
    for (let index = 0; index < names.count; index += 1) {
      const number = names.number(index);
      if (!names.goesOn(index)) {
        this.texts.set(number, TEXT.decode(names.bytes(index)));
        continue;
      }
      const parts: number[] = [...names.bytes(index)];
      while (names.goesOn(index) && index + 1 < names.count && names.number(index + 1) === number) {
        index += 1;
        parts.push(...names.bytes(index));
      }
      this.texts.set(number, TEXT.decode(Uint8Array.from(parts)));
    }
  }

  /** Forgets the texts that `isUsed` does not know. */
  keepOnly(isUsed: (text: string) => boolean): void {
    for (const [number, text] of this.texts) if (!isUsed(text)) this.texts.delete(number);
  }

  clear(): void {
    this.texts.clear();
  }
}
