/** Mutants of the sample that no test can kill, or that no test needs to kill, with the reason. */
export interface Explained {
  readonly file: string;
  /** The whole line, without the space around it. */
  readonly line: string;
  /** As it is printed: `=== becomes !==`. */
  readonly what: string;
  readonly because: string;
}

export const explained: readonly Explained[] = [];

export const explanationOf = (
  file: string,
  { line, what }: Pick<Explained, 'line' | 'what'>,
): string | undefined =>
  explained.find((one) => one.file === file && one.line === line.trim() && one.what === what)?.because;
