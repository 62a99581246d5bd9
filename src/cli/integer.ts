import { InvalidArgumentError } from 'commander';

/** An option's integer of 0 or more. */
export function integer(text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give an integer of 0 or more.');
}
