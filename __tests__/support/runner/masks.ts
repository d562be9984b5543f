/** The job's secrets, and their replacement in whatever is shown. */

export interface Masks {
  /** The value as a whole and each of its lines, as the runner does. False for a blank value. */
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
    // The longest first: a secret that contains another one leaves nothing of itself beside the stars.
    redact: (text) =>
      [...secrets]
        .sort((a, b) => b.length - a.length)
        .reduce((shown, secret) => shown.replaceAll(secret, '***'), text),
    values: () => [...secrets],
  };
}
