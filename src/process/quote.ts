/** Text as a word of sh. Pure. */

/**
 * Quoted only where the shell asks for it: in container jobs the runner translates a value that begins with RUNNER_TEMP,
 * and no other.
 */
export function quoteForShell(path: string): string {
  return /^[\w/.,:@%+-]+$/.test(path) ? path : quoted(path);
}

/** In quotes, whatever it is. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
