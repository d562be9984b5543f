/** The entries of a file of git's configuration, with their lines (git-config(1), "Syntax"). Pure. */

export interface ConfigEntry {
  /** In git's form: section and variable in lower case. */
  readonly name: string;
  /** undefined: a name without a value. */
  readonly value: string | undefined;
  /** Indexes of its first and last line. A backslash at the end of a line continues a value. */
  readonly first: number;
  readonly last: number;
}

export interface ConfigSection {
  /** In git's form, with the subsection. */
  readonly name: string;
  /** The index of its line. */
  readonly start: number;
  readonly entries: ConfigEntry[];
}

interface Reader {
  readonly text: string;
  at: number;
  line: number;
}

/**
 * A line that git refuses is skipped: git has read the file before.
 *
 * @source git's config.c, git_parse_source()
 */
export function sectionsOf(text: string): ConfigSection[] {
  const reader: Reader = { text: text.replaceAll('\r\n', '\n'), at: 0, line: 0 };
  const sections: ConfigSection[] = [];
  for (
    let found = next(reader, /\uFEFF?(?:\u00EF\u00BB\u00BF)?[ \t\r\n]*/y);
    ;
    found = next(reader, /[ \t\r\n]*/y)
  ) {
    if (found === undefined || reader.at >= reader.text.length) return sections;
    const start = reader.line;
    const header = next(reader, /\[([\w.-]+)(?:[ \t\r]+"((?:\\[^\n]|[^"\\\n])*)")?\]/y);
    const variable = header ? undefined : next(reader, /([a-zA-Z][\w-]*)[ \t]*(=?)/y);
    const section = sections.at(-1);
    if (header) sections.push({ name: nameOf(header), start, entries: [] });
    else if (variable && section) {
      const value = variable[2] === '=' ? readValue(reader) : undefined;
      const name = `${section.name}.${(variable[1] ?? '').toLowerCase()}`;
      section.entries.push({ name, value, first: start, last: reader.line });
    } else next(reader, /[^\n]*/y);
  }
}

/**
 * @param name in git's form: section and variable in lower case, the subsection as written
 * @returns the numbers of the lines that set it, from 1, in the order of the file
 */
export function linesOfSetting(text: string, name: string): number[] {
  const entries = sectionsOf(text).flatMap((section) => section.entries);
  return entries.flatMap((entry) => (entry.name === name ? [entry.first + 1] : []));
}

function nameOf([, section = '', middle]: RegExpExecArray): string {
  const lower = section.toLowerCase();
  return middle === undefined ? lower : `${lower}.${middle.replace(/\\(.)/g, '$1')}`;
}

/** @source git's config.c, parse_value() */
function readValue(reader: Reader): string {
  let [value, spaces, isQuoted] = ['', '', false];
  for (;;) {
    const [piece = ''] = next(reader, /\\[^]|[^\n]/y) ?? [];
    if (piece === '' || (!isQuoted && /^[;#]/.test(piece))) {
      next(reader, /[^\n]*/y);
      return value;
    }
    if (/^[ \t\r]$/.test(piece) && !isQuoted) {
      spaces += value === '' ? '' : piece;
      continue;
    }
    if (piece === '"') isQuoted = !isQuoted;
    const text = piece === '"' || piece === '\\\n' ? '' : escaped(piece);
    value += `${spaces}${text}`;
    spaces = '';
  }
}

function escaped(piece: string): string {
  if (!piece.startsWith('\\')) return piece;
  return { t: '\t', n: '\n', b: '\b' }[piece.slice(1)] ?? piece.slice(1);
}

function next(reader: Reader, pattern: RegExp): RegExpExecArray | undefined {
  pattern.lastIndex = reader.at;
  const found = pattern.exec(reader.text);
  if (!found) return undefined;
  reader.at = pattern.lastIndex;
  reader.line += found[0].split('\n').length - 1;
  return found;
}

/** @source git's config.c, write_section() */
export function headerOf(name: string): string {
  const [, section = '', middle] = /^([^.]*)\.(?:(.*)\.)?[^.]*$/s.exec(name) ?? [];
  return middle === undefined ? `[${section}]` : `[${section} "${middle.replace(/["\\]/g, '\\$&')}"]`;
}

/** @source git's config.c, write_pair() */
export function quotedValue(value: string): string {
  const escaped = value.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t');
  return /^ | $|[;#\r]/.test(value) ? `"${escaped}"` : escaped;
}
