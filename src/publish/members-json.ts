import { decimalText } from '../wire/decimal.js';
import type { ServedEngine } from './feed-engine.js';

/** A member of a consolidated book. */
interface MemberJson {
  readonly instrument: string;
  /** Whether it counts. */
  readonly isIn: boolean;
  /** Why it does not; none where it does. */
  readonly reason: string;
}

/** What a member has at a price: its name, how much, and when the message arrived that told it last, ns since the epoch. */
type PartJson = readonly [instrument: string, qty: string, toldNs: string];

type MembersEngine = Pick<ServedEngine, 'instrument' | 'members' | 'venueParts'>;

/** Who is in a consolidated book; nothing for any other instrument. */
export function membersJson(engine: MembersEngine, id: number): { readonly members?: readonly MemberJson[] } {
  const members = engine.members(id);
  if (members === null) return {};
  return {
    members: members.map(({ instrument, isIn, reason }) => ({
      instrument: engine.instrument(instrument).name,
      isIn,
      reason,
    })),
  };
}

/** Whose the best levels of a consolidated book are, level by level; nothing for any other instrument. */
export function partsJson(engine: MembersEngine, id: number, depth: number): object {
  const { members } = membersJson(engine, id);
  if (members === undefined) return {};
  const parts = engine.venueParts(id, depth);
  const names = new Map<number, string>();
  const { qtyExponent } = engine.instrument(id);
  const levels = (side: (typeof parts)['bids']): readonly (readonly PartJson[])[] => {
    const rows: PartJson[][] = [];
    let price: bigint | undefined;
    for (const part of side) {
      if (part.price !== price) rows.push([]);
      price = part.price;
      const name = names.get(part.instrument) ?? engine.instrument(part.instrument).name;
      names.set(part.instrument, name);
      rows.at(-1)?.push([name, decimalText(part.qty, qtyExponent), String(part.toldNs)]);
    }
    return rows;
  };
  return { members, bidParts: levels(parts.bids), askParts: levels(parts.asks) };
}
