/** Who is told what is going on, and what must not be shown. Pure. */

export interface Voice {
  info(line: string): void;
  warn(message: string): void;
  /** From now on the text shows nowhere. */
  mask(secret: string): void;
}

/** Of a program whose standard output git or ssh reads: warnings alone. It says no secret, so there is nothing to mask. */
export function warningsOnly(warn: Voice['warn']): Voice {
  return { warn, ...muted({ mask: () => undefined }) };
}

/** The same, without what is going on. */
export function muted<T extends object>(voice: T): T & Pick<Voice, 'info'> {
  return { ...voice, info: () => undefined };
}
