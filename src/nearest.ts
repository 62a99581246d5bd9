/** Names longer than this are not compared: the cost grows with the product of the lengths. */
const NAME_LENGTH_MAX = 64;

/** Shorter names are no part that says which candidate was meant. */
const PART_LENGTH_MIN = 2;

/**
 * The candidate that a mistyped name most likely meant, without regard to case: the only one that contains it, else the
 * one that differs least, by at most a third of its length (two letters are always allowed in four), else undefined.
 * Cost: one edit distance per candidate.
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > NAME_LENGTH_MAX) return undefined;
  const wanted = name.toLowerCase();
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  const containing: string[] = [];
  for (const candidate of candidates) {
    if (candidate.length > NAME_LENGTH_MAX) continue;
    const lower = candidate.toLowerCase();
    if (lower.includes(wanted)) containing.push(candidate);
    // A symbol without its venue is the commonest slip of all, so such a name is compared with symbols.
    const part = wanted.includes(':') ? lower : lower.slice(lower.indexOf(':') + 1);
    const distance = editDistance(wanted, part);
    const distanceMax = part.length < 4 ? 1 : Math.max(2, Math.floor(part.length / 3));
    if (distance < bestDistance && distance <= distanceMax) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return containing.length === 1 && wanted.length >= PART_LENGTH_MIN ? containing[0] : best;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const swap = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
