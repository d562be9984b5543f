/** The job's secrets, and their replacement in shown text. */

export interface Masks {
  /** Masks the whole value and each of its lines, like the runner. Returns false for a blank value. */
  add(value: string): boolean;
  redact(text: string): string;
  values(): readonly string[];
}

export function createMasks(initial: readonly string[] = []): Masks {
  const secrets = new Set<string>();
  const add = (value: string): boolean => {
    if (value.trim() === '') return false;
    for (const part of [value, ...value.split(/[\r\n]+/)]) {
      if (part !== '') secrets.add(part);
    }
    return true;
  };
  for (const value of initial) add(value);
  return {
    add,
    // The longest first, so that no part of a longer secret remains visible.
    redact: (text) =>
      [...secrets]
        .sort((a, b) => b.length - a.length)
        .reduce((shown, secret) => shown.replaceAll(secret, '***'), text),
    values: () => [...secrets],
  };
}
