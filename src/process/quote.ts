/** Quotes text for the shell. Pure. */

/** Quotes only if needed: in container jobs the runner only translates values that begin with RUNNER_TEMP. */
export function quoteForShell(path: string): string {
  return /^[\w/.,:@%+-]+$/.test(path) ? path : quoted(path);
}

/** Always in quotes. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A path of git's configuration, where `~/` is the home folder: in quotes the shell would not know it. */
export function pathForShell(path: string): string {
  return path.startsWith('~/') ? `~/${quoteForShell(path.slice(2))}` : quoteForShell(path);
}
