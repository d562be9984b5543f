/** Sets one member of a JSON object and keeps every other character: numbers and white space of others stay as they are. Pure. */
import { membersOf } from './json-secret.ts';

/** A string of JSON, or one other character (RFC 8259 §7). The text is valid, so nothing else is checked. */
const token = /"(?:[^"\\]|\\.)*"|[^"]/gs;

interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * @param text a JSON object; a byte order mark at its start is kept
 * @param value secret
 * @returns undefined if the text is not a JSON object
 */
export function setMember(text: string, key: string, value: string): string | undefined {
  const members = membersOf(text);
  if (!members) return undefined;
  const written = JSON.stringify(value);
  // Programs disagree on which of several members of one name counts.
  const spans = valuesOf(text, key);
  if (spans.length > 0) {
    return spans.reduceRight((now, { start, end }) => now.slice(0, start) + written + now.slice(end), text);
  }
  const end = text.lastIndexOf('}');
  const before = text.slice(0, end).trimEnd();
  const member = `${JSON.stringify(key)}: ${written}`;
  return `${before}${members.size > 0 ? ', ' : ''}${member}${text.slice(before.length)}`;
}

/** The places of the values of the object's own members with this key. */
function valuesOf(text: string, key: string): Span[] {
  const found: Span[] = [];
  let [depth, name, start] = [0, undefined as string | undefined, -1];
  for (const { 0: part, index } of text.matchAll(token)) {
    if (depth === 1 && part.startsWith('"') && start < 0) name = JSON.parse(part) as string;
    if (depth === 1 && part === ':') start = index + 1;
    if (depth === 1 && (part === ',' || part === '}') && start >= 0) {
      if (name === key) found.push(trimmed(text, start, index));
      start = -1;
    }
    if (part === '{' || part === '[') depth += 1;
    if (part === '}' || part === ']') depth -= 1;
  }
  return found;
}

function trimmed(text: string, start: number, end: number): Span {
  const value = text.slice(start, end);
  return {
    start: start + (value.length - value.trimStart().length),
    end: end - (value.length - value.trimEnd().length),
  };
}
