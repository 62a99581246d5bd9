/** Callbacks by event. A callback that throws does not disturb the others: what it threw goes to `onThrow`. */
export class Listeners<Events extends object> {
  private readonly byEvent = new Map<keyof Events, readonly ((value: never) => void)[]>();
  private readonly onThrow: (thrown: unknown) => void;

  constructor(onThrow: (thrown: unknown) => void) {
    this.onThrow = onThrow;
  }

  /** Adds a callback; the returned function removes it, and does nothing the second time. */
  on<Name extends keyof Events>(event: Name, callback: (value: Events[Name]) => void): () => void {
    // A wrapper of its own, so that the same callback added twice is removed once.
    const entry = (value: Events[Name]): void => callback(value);
    this.byEvent.set(event, [...(this.byEvent.get(event) ?? []), entry]);
    return () => {
      const rest = (this.byEvent.get(event) ?? []).filter((other) => other !== entry);
      this.byEvent.set(event, rest);
    };
  }

  has(event: keyof Events): boolean {
    return (this.byEvent.get(event)?.length ?? 0) > 0;
  }

  emit<Name extends keyof Events>(event: Name, value: Events[Name]): void {
    const entries = this.byEvent.get(event);
    if (entries === undefined) return;
    for (const entry of entries) {
      try {
        (entry as (value: Events[Name]) => void)(value);
      } catch (thrown) {
        this.onThrow(thrown);
      }
    }
  }
}
