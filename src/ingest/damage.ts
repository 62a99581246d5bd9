import { DepthwireError, type ErrorDetail } from '../errors.js';

/**
 * What is wrong with a recording of which a part could be read. `truncated`: something is missing behind what was read,
 * which is right as far as it goes. `trailing`: the same, and the rest of the file cannot be read. `corrupt`: what was read
 * may be wrong. `deleted`: the file was taken away while it was read.
 */
export type DamageKind = 'truncated' | 'trailing' | 'corrupt' | 'deleted';

/** An error that takes away nothing: the bytes before it have been handed out. Its code is `recording.` and the kind. */
export class RecordingDamage extends DepthwireError {
  readonly kind: DamageKind;

  constructor(kind: DamageKind, detail: ErrorDetail) {
    super(`recording.${kind}`, detail);
    this.kind = kind;
  }
}
