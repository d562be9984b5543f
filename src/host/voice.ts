/** Messages to the user, and secrets that must not be shown. Pure. */

export interface Voice {
  info(line: string): void;
  /** For somebody who looks for an error: each call to AWS, and the claims of tokens. Absent: nobody wants these lines. */
  readonly debug?: (line: string) => void;
  warn(message: string): void;
  /** Hides the text in all later output. */
  mask(...secrets: readonly string[]): void;
}

/** Only warnings, for a program with a standard output that git or ssh reads. It prints no secret, so mask does nothing. */
export function warningsOnly(warn: Voice['warn']): Voice {
  return { warn, ...muted({ mask: () => undefined }) };
}

/** The same, without progress messages. */
export function muted<T extends object>(voice: T): T & Pick<Voice, 'info'> {
  return { ...voice, info: () => undefined };
}
