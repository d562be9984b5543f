/**
 * The lines that setup writes into a file of git's configuration. Each ends in a comment with a check sum, so that
 * `setup --remove` takes out what setup wrote, and keeps what somebody changed since. Pure.
 */
import { createHash } from 'node:crypto';
import { canonicalName } from '../../src/git/listing.ts';

export interface MarkedSetting {
  readonly name: string;
  readonly value: string;
}

export interface Edit {
  readonly name: string;
  /** undefined: the line is removed. */
  readonly value: string | undefined;
  /** Whether the file has values of this name that setup did not write. git takes the last one. */
  readonly besideOthers: boolean;
}

const mark = ' # ssm-ssh-agent setup ';
const anyMark = / # ssm-ssh-agent setup [0-9a-f]{8}(?=\r?$)/;
const note =
  '# ssm-ssh-agent setup wrote the marked lines. setup --remove takes them out; or delete them by hand';
/** They stand behind the note, where it has to say how the file was before. */
const [madeFile, endedLine] = [' (it made this file)', ' (it ended the line above)'];

/** @param text undefined: there is no file */
export function markedSettings(text: string | undefined): MarkedSetting[] {
  return sectionsIn(linesOf(text)).flatMap(({ header, marked }) =>
    marked.map(({ text: entry }) => settingOf(header, entry)),
  );
}

/** @param text undefined: there is no file yet */
export function withEdits(text: string | undefined, edits: readonly Edit[]): string {
  let lines = edits.some(({ value, besideOthers }) => value !== undefined || besideOthers)
    ? begin(text)
    : linesOf(text);
  for (const edit of edits) lines = withEdit(lines, edit);
  return lines.join('\n');
}

/** @returns undefined where setup made the file, and nothing else is in it */
export function withoutMarked(text: string): string | undefined {
  const lines = linesOf(text);
  const noteAt = lines.findIndex(isNote);
  const noted = lines[noteAt] ?? '';
  const gone = new Set([noteAt, ...sectionsIn(lines).flatMap((section) => goneOf(section, section.marked))]);
  const kept = lines.filter((_, index) => !gone.has(index));
  const wasLast =
    noteAt >= 0 && lines.every((line, index) => index <= noteAt || gone.has(index) || line === '');
  if (wasLast && noted.includes(endedLine) && kept.at(-1) === '') kept.pop();
  // What somebody changed by hand stays, without our mark.
  const left = kept.map((line) => line.replace(anyMark, '')).join('\n');
  return left === '' && noted.includes(madeFile) ? undefined : left;
}

interface Marked {
  readonly index: number;
  /** Without the mark. */
  readonly text: string;
}

interface Section {
  /** Its first line, as it is written. */
  readonly header: string;
  readonly start: number;
  /** The index behind its last line. */
  readonly end: number;
  readonly marked: readonly Marked[];
  /** Whether setup began it: a marked line is its first. */
  readonly isOurs: boolean;
  /** The number of lines with a setting that setup did not write. */
  readonly others: number;
}

function linesOf(text = ''): string[] {
  return text.split('\n');
}

function isNote(line: string): boolean {
  return line.startsWith(note);
}

/** A line of a value that goes on over several lines may look like a header: setup writes no such value. */
function sectionsIn(lines: readonly string[]): Section[] {
  const starts = lines.flatMap((line, index) => (/^\s*\[/.test(line) ? [index] : []));
  return starts.map((start, number) => {
    const header = (lines[start] ?? '').trim();
    const end = starts[number + 1] ?? lines.length;
    const body = lines.slice(start + 1, end);
    const marked = body.flatMap((line, at) => {
      const text = unmarked(header, line);
      return text === undefined ? [] : [{ index: start + 1 + at, text }];
    });
    const spoken = body.filter((line) => !/^\s*([#;]|$)/.test(line)).length;
    const isOurs = marked[0]?.index === start + 1;
    return { header, start, end, marked, isOurs, others: spoken - marked.length };
  });
}

/** The lines to take out with these: the header, too, where setup wrote it and nothing is left below it. */
function goneOf({ start, marked, isOurs, others }: Section, taken: readonly Marked[]): number[] {
  const isEmpty = isOurs && others === 0 && taken.length === marked.length;
  return [...(isEmpty ? [start] : []), ...taken.map(({ index }) => index)];
}

/** The note, before the first line of setup. A comment also ends a value that a backslash would continue. */
function begin(text: string | undefined): string[] {
  const lines = linesOf(text);
  if (lines.some(isNote)) return lines;
  const isEnded = lines.at(-1) === '';
  const before = isEnded ? lines.slice(0, -1) : lines;
  const how = text === undefined ? madeFile : isEnded ? '' : endedLine;
  return [...before, `${note}${how}`, ''];
}

function withEdit(lines: readonly string[], { name, value, besideOthers }: Edit): string[] {
  const sections = sectionsIn(lines);
  const isIts = (header: string, text: string): boolean =>
    canonicalName(settingOf(header, text).name) === canonicalName(name);
  const there = sections.flatMap((section) =>
    section.marked.filter(({ text }) => isIts(section.header, text)).map((line) => ({ section, line })),
  );
  const [only] = there;
  const written = value ?? '';
  if (only && there.length === 1 && value !== undefined && !besideOthers)
    return lines.with(only.line.index, markedLine(only.section.header, name, value));
  const gone = new Set(
    sections.flatMap((section) =>
      goneOf(
        section,
        section.marked.filter(({ text }) => isIts(section.header, text)),
      ),
    ),
  );
  const left = lines.filter((_, index) => !gone.has(index));
  // An empty value takes back one that setup did not write.
  if (value === undefined && !besideOthers) return left;
  const header = headerOf(name);
  const section = besideOthers
    ? undefined
    : sectionsIn(left).findLast((one) => one.isOurs && one.header === header);
  const last = section?.marked.at(-1)?.index;
  const line = markedLine(header, name, written);
  if (last !== undefined) return left.toSpliced(last + 1, 0, line);
  // The last line may have got no end since.
  return [...(left.at(-1) === '' ? left.slice(0, -1) : left), header, line, ''];
}

function markedLine(header: string, name: string, value: string): string {
  const text = `\t${name.slice(name.lastIndexOf('.') + 1)} = ${quotedValue(value)}`;
  return `${text}${mark}${checkSum(header, text)}`;
}

/** The line without its mark; undefined where setup did not write it so. */
function unmarked(header: string, line: string): string | undefined {
  const at = line.lastIndexOf(mark);
  if (at < 0) return undefined;
  const text = line.slice(0, at);
  return line.slice(at + mark.length).trimEnd() === checkSum(header, text) ? text : undefined;
}

function checkSum(header: string, text: string): string {
  return createHash('sha256').update(`${header}\n${text}`).digest('hex').slice(0, 8);
}

/** @source git's config.c, write_section() */
function headerOf(name: string): string {
  const [, section = '', middle = ''] = /^([^.]*)\.(?:(.*)\.)?[^.]*$/s.exec(name) ?? [];
  return middle === '' ? `[${section}]` : `[${section} "${middle.replace(/["\\]/g, '\\$&')}"]`;
}

/** @source git's config.c, write_pair() */
function quotedValue(value: string): string {
  const escaped = value.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t');
  return /^ | $|[;#\r]/.test(value) ? `"${escaped}"` : escaped;
}

/** What `headerOf` and `markedLine` wrote. */
function settingOf(header: string, text: string): MarkedSetting {
  const [, section = '', middle = ''] = /^\[([^\s"]+)(?: "(.*)")?\]$/s.exec(header) ?? [];
  const [, variable = '', written = ''] = /^\t(\S+) = (.*)$/s.exec(text) ?? [];
  const named = middle === '' ? section : `${section}.${middle.replace(/\\(.)/g, '$1')}`;
  const value = written
    .replace(/^"(.*)"$/s, '$1')
    .replace(/\\(.)/g, (_, one: string) => ({ n: '\n', t: '\t' })[one] ?? one);
  return { name: `${named}.${variable}`, value };
}
