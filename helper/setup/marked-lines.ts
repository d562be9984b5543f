/**
 * The lines that setup writes into a file of git's configuration. Each ends in a comment with a check sum, so that
 * `setup --remove` takes out what setup wrote, and keeps what somebody changed since. Pure.
 */
import { createHash } from 'node:crypto';
import { Failure } from '../../src/errors.ts';
import { canonicalName } from '../../src/git/listing.ts';
import { headerOf, quotedValue, sectionsOf, type ConfigEntry } from '../../src/git/config-text.ts';
import { replacedLine, restoredLine } from './replaced-lines.ts';

export interface MarkedSetting {
  readonly name: string;
  readonly value: string;
}

export interface Edit {
  readonly name: string;
  /** undefined: the line is removed. */
  readonly value: string | undefined;
  /** The values of others that must not count beside this one. */
  readonly replaces?: RegExp | undefined;
  /** Whether a line with this value and without a mark gets one. */
  readonly adopts?: boolean;
}

const mark = ' # ssm-ssh-agent setup ';
const note =
  '# ssm-ssh-agent setup wrote the marked lines. setup --remove takes them out; or delete them by hand';
/** They stand behind the note, where it has to say how the file was before. */
const [madeFile, endedLine] = [' (it made this file)', ' (it ended the line above)'];

/** @param text undefined: there is no file */
export function markedSettings(text: string | undefined): MarkedSetting[] {
  return sectionsIn(linesOf(text)).flatMap(({ marked }) =>
    marked.map(({ name, value }) => ({ name, value })),
  );
}

/** Whether the file has a line with this value and without a mark, which `adopts` can mark. */
export function hasUnmarked(text: string | undefined, name: string, value: string): boolean {
  return unmarkedIn(linesOf(text), name, value) !== undefined;
}

/** @returns the file without what setup wrote for these names */
export function withoutSettings(text: string, names: readonly string[]): string {
  const lines = linesOf(text);
  const canonical = new Set(names.map(canonicalName));
  const gone = new Set(
    sectionsIn(lines).flatMap((section) =>
      goneOf(
        section,
        section.marked.filter(({ name }) => canonical.has(canonicalName(name))),
      ),
    ),
  );
  return lines.filter((_, index) => !gone.has(index)).join('\n');
}

/**
 * @param text undefined: there is no file yet
 * @throws INPUT_INVALID where a line that is to be replaced is also that of its section
 */
export function withEdits(text: string | undefined, edits: readonly Edit[]): string {
  const lines = linesOf(text);
  const writes = edits.some(
    ({ name, value }) => value !== undefined || othersIn(sectionsIn(lines), name).length > 0,
  );
  return edits.reduce(withEdit, writes ? begin(text) : lines).join('\n');
}

/** @returns undefined where setup made the file, and nothing else is in it */
export function withoutMarked(text: string): string | undefined {
  const lines = linesOf(text);
  const sections = sectionsIn(lines);
  const noteAt = lines.findIndex(isNote);
  const noted = lines[noteAt] ?? '';
  const gone = new Set([noteAt, ...sections.flatMap((section) => goneOf(section, section.marked))]);
  const restored = new Map(sections.flatMap(({ replaced }) => [...replaced]));
  const kept = lines.flatMap((line, index) => (gone.has(index) ? [] : [restored.get(index) ?? line]));
  const wasLast =
    noteAt >= 0 && lines.every((line, index) => index <= noteAt || gone.has(index) || line === '');
  if (wasLast && noted.includes(endedLine) && kept.at(-1) === '') kept.pop();
  const left = kept.join('\n');
  return left === '' && noted.includes(madeFile) ? undefined : left;
}

interface Marked extends MarkedSetting {
  readonly index: number;
}

interface Section {
  /** Its first line, with the white space that setup writes. */
  readonly header: string;
  readonly start: number;
  readonly marked: readonly Marked[];
  /** Whether setup began it: a marked line is its first. */
  readonly isOurs: boolean;
  /** The settings that setup did not write. */
  readonly others: readonly ConfigEntry[];
  /** Whether somebody wrote a comment below its lines. */
  readonly hasComment: boolean;
  /** Index → the line that setup made a comment of. */
  readonly replaced: ReadonlyMap<number, string>;
}

function linesOf(text = ''): string[] {
  return text.split('\n');
}

function isNote(line: string): boolean {
  return [note, `${note}${madeFile}`, `${note}${endedLine}`].includes(line.trim());
}

function sectionsIn(lines: readonly string[]): Section[] {
  const found = sectionsOf(lines.join('\n'));
  return found.map(({ name: named, start, entries }, number) => {
    const header = plainHeader(lines[start] ?? '');
    const variableOf = ({ first, last }: ConfigEntry): string | undefined =>
      first === last ? markedVariable(header, lines[first] ?? '') : undefined;
    const marked = entries.flatMap((entry) => {
      const variable = variableOf(entry);
      const { first: index, value = '' } = entry;
      return variable === undefined ? [] : [{ index, name: `${named}.${variable}`, value }];
    });
    const body = lines.slice(start + 1, found[number + 1]?.start).map((line, at) => ({ line, at }));
    const replaced = body.flatMap(({ line, at }): [number, string][] => {
      const text = restoredLine(header, line);
      return text === undefined ? [] : [[start + 1 + at, text]];
    });
    const others = entries.filter((entry) => variableOf(entry) === undefined);
    const isOurs = marked[0]?.index === start + 1;
    const hasComment = hasOwnComment(
      header,
      body.map(({ line }) => line),
    );
    return { header, start, marked, isOurs, others, hasComment, replaced: new Map(replaced) };
  });
}

/** Of somebody else. A comment below an empty line may be about the next section. */
function hasOwnComment(header: string, body: readonly string[]): boolean {
  const end = body.findIndex((line) => line.trim() === '');
  const isOurs = (line: string): boolean => isNote(line) || restoredLine(header, line) !== undefined;
  return body.slice(0, end < 0 ? undefined : end).some((line) => /^\s*[#;]/.test(line) && !isOurs(line));
}

interface Other {
  readonly section: Section;
  readonly entry: ConfigEntry;
}

function othersIn(sections: readonly Section[], name: string): Other[] {
  return sections.flatMap((section) =>
    section.others.filter((entry) => entry.name === canonicalName(name)).map((entry) => ({ section, entry })),
  );
}

/**
 * The lines to take out with these: the header, too, where setup wrote it and nothing is left below it. A comment
 * counts, as in git.
 *
 * @source git's config.c, maybe_remove_section()
 */
function goneOf(section: Section, taken: readonly Marked[]): number[] {
  const { start, marked, isOurs, others, hasComment, replaced } = section;
  const isLeft = others.length > 0 || hasComment || replaced.size > 0 || taken.length < marked.length;
  const isEmpty = isOurs && !isLeft;
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

function withEdit(given: readonly string[], { name, value, replaces, adopts }: Edit): string[] {
  if (adopts) return adopted(given, name, value ?? '');
  const lines = replaces ? withReplaced(given, name, replaces) : given;
  const sections = sectionsIn(lines);
  const besideOthers = othersIn(sections, name).length > 0;
  const taken = sections.map((section) => ({
    section,
    marked: section.marked.filter((one) => canonicalName(one.name) === canonicalName(name)),
  }));
  const [only, ...more] = taken.filter(({ marked }) => marked.length > 0);
  if (only?.marked.length === 1 && more.length === 0 && value !== undefined && !besideOthers)
    return lines.with(only.marked[0]?.index ?? 0, markedLine(only.section.header, name, value));
  const gone = new Set(taken.flatMap(({ section, marked }) => goneOf(section, marked)));
  const left = lines.filter((_, index) => !gone.has(index));
  // An empty value takes back one that setup did not write.
  return value === undefined && !besideOthers
    ? left
    : withLine(left, { name, value: value ?? '' }, besideOthers);
}

/** @param isLast whether the line has to be the last one: others write the same name, and git takes the last one */
function withLine(lines: readonly string[], { name, value }: MarkedSetting, isLast: boolean): string[] {
  const header = headerOf(name);
  const line = markedLine(header, name, value);
  const section = sectionsIn(lines).findLast((one) => one.isOurs && one.header === header);
  const last = isLast ? undefined : section?.marked.at(-1)?.index;
  if (last !== undefined) return lines.toSpliced(last + 1, 0, line);
  // The last line may have got no end since. An empty line ends a value that a backslash would continue.
  const before = lines.at(-1) === '' ? lines.slice(0, -1) : lines;
  return [...before, ...(before.at(-1)?.endsWith('\\') ? [''] : []), header, line, ''];
}

function withReplaced(lines: readonly string[], name: string, replaces: RegExp): readonly string[] {
  const changed = [...lines];
  for (const { section, entry } of othersIn(sectionsIn(lines), name)) {
    if (!replaces.test(entry.value ?? '')) continue;
    if (entry.first === section.start)
      throw new Failure('INPUT_INVALID', `setup cannot replace ${name}: it is in the line of its section`, {
        hint: `write ${name.slice(name.lastIndexOf('.') + 1)} on a line of its own, below ${section.header}`,
      });
    for (let at = entry.first; at <= entry.last; at++) {
      const line = lines[at] ?? '';
      // A backslash at the end of the file made the note a part of the value, and ends it there.
      if (!isNote(line)) changed[at] = replacedLine(section.header, line);
    }
  }
  return changed;
}

/** With a mark on the line of this value that has none. */
function adopted(lines: readonly string[], name: string, value: string): string[] {
  const found = unmarkedIn(lines, name, value);
  return found ? lines.with(found.entry.first, markedLine(found.section.header, name, value)) : [...lines];
}

function unmarkedIn(lines: readonly string[], name: string, value: string): Other | undefined {
  return othersIn(sectionsIn(lines), name).findLast(
    ({ section, entry }) =>
      entry.value === value &&
      entry.first === entry.last &&
      entry.first > section.start &&
      isPlain(lines[entry.first] ?? '', name, value),
  );
}

/** As git and setup write it: a person's own spelling or comment must not be lost. */
function isPlain(line: string, name: string, value: string): boolean {
  return line.trim() === `${name.slice(name.lastIndexOf('.') + 1)} = ${quotedValue(value)}`;
}

function markedLine(header: string, name: string, value: string): string {
  const text = `\t${name.slice(name.lastIndexOf('.') + 1)} = ${quotedValue(value)}`;
  return `${text}${mark}${checkSum(header, text)}`;
}

/** The name of the variable, as it is written; undefined where setup did not write the line so. */
function markedVariable(header: string, line: string): string | undefined {
  const [, written = '', sum] = /^(.*?)[ \t]+# ssm-ssh-agent setup ([0-9a-f]{8})[ \t\r]*$/s.exec(line) ?? [];
  // Editors may change the white space around names, and line ends. That inside a value counts.
  const [, variable, value] = /^[ \t]*([\w-]+)[ \t]*=[ \t]*(.*?)[ \t]*$/s.exec(written) ?? [];
  if (variable === undefined || value === undefined) return undefined;
  return sum === checkSum(header, `\t${variable} = ${value}`) ? variable : undefined;
}

function plainHeader(line: string): string {
  return line.trim().replace(/^\[([^\s"\]]+)[ \t]+"/, '[$1 "');
}

function checkSum(header: string, text: string): string {
  return createHash('sha256').update(`${header}\n${text}`).digest('hex').slice(0, 8);
}
