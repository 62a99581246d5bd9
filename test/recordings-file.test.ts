import { describe, expect, it } from 'vitest';
import { recordingsJson, recordingsSchema } from './support/recordings-file.js';

type Fields = Record<string, unknown>;

/** Every object in a value that is no list, the value itself first. */
function objectsIn(value: unknown): readonly Fields[] {
  if (Array.isArray(value)) return value.flatMap(objectsIn);
  if (typeof value !== 'object' || value === null) return [];
  return [value as Fields, ...Object.values(value).flatMap(objectsIn)];
}

describe('the numbers of the real recordings', () => {
  it('are what their schema says', () => {
    expect(recordingsSchema.safeParse(recordingsJson()).error).toBeUndefined();
  });

  it('refuse an unknown field wherever it stands', () => {
    const json = recordingsJson();
    const objects = objectsIn(json);
    expect(objects.length).toBeGreaterThan(100);
    for (const fields of objects) {
      fields.notAField = 1;
      expect(recordingsSchema.safeParse(json).success, JSON.stringify(fields)).toBe(false);
      delete fields.notAField;
    }
    expect(recordingsSchema.safeParse(json).success).toBe(true);
  });

  it('miss no field anywhere', () => {
    const json = recordingsJson();
    for (const fields of objectsIn(json)) {
      for (const [name, value] of Object.entries(fields)) {
        delete fields[name];
        expect(recordingsSchema.safeParse(json).success, `${JSON.stringify(fields)} without ${name}`).toBe(
          false,
        );
        fields[name] = value;
      }
    }
    expect(recordingsSchema.safeParse(json).success).toBe(true);
  });
});
