/**
 * Whose rotation a secret's labels belong to. A JSON secret has its labels once for all its members, and the version that
 * a rotation stages differs in one member from the version that it is to replace. Pure.
 */
import { membersOf } from '../keys/json-secret.ts';

export interface LabelledVersion {
  /** The whole secret. Secret. */
  readonly text: string;
  readonly created: Date | undefined;
}

export interface Labelled {
  /** AWSCURRENT. */
  readonly latest: LabelledVersion;
  readonly previous?: LabelledVersion | undefined;
  readonly next?: LabelledVersion | undefined;
  readonly current?: LabelledVersion | undefined;
  /** AWSPREVIOUS: the latest version before the last value was stored. */
  readonly before?: LabelledVersion | undefined;
}

/** @returns empty if the labels are of the member's own rotation, or if there are none */
export function othersRotated(versions: Labelled, member: string): string[] {
  const rotated = [ofPrevious(versions), ofNext(versions, member)];
  return [...new Set(rotated.flatMap((names) => (names.includes(member) ? [] : names)))];
}

/** Whether the value was another one when the next one was staged. With the label `previous`, both are known. */
export function isReplaced(versions: Labelled, pick: (text: string) => unknown): boolean {
  const { latest, previous, next } = versions;
  if (!next || previous || !isNewer(latest, next)) return false;
  const base = baseOf(next, versions);
  return base === undefined || pick(base.text) !== pick(latest.text);
}

function ofPrevious({ latest, previous, next, current }: Labelled): string[] {
  if (!previous) return [];
  return differing(previous, isRotated(current, previous) ? current : (next ?? latest));
}

function ofNext(versions: Labelled, member: string): string[] {
  const { latest, previous, next, current } = versions;
  if (!next) return [];
  if (previous && !isRotated(current, previous)) return differing(next, previous);
  const base = baseOf(next, versions);
  if (base) return differing(next, base);
  // Several values were stored since then. If only this member differs, it is the one.
  const names = differing(next, latest);
  return names.length > 1 ? names.filter((name) => name !== member) : names;
}

/** The version that was the latest one when the next one was staged, if that can be told. */
function baseOf(next: LabelledVersion, { latest, before }: Labelled): LabelledVersion | undefined {
  if (!isNewer(latest, next)) return latest;
  return before && !isNewer(before, next) ? before : undefined;
}

/** Whether the last rotation that has ended is the one that the label `previous` waits for. */
function isRotated(
  current: LabelledVersion | undefined,
  previous: LabelledVersion,
): current is LabelledVersion {
  return current !== undefined && isNewer(current, previous);
}

export function isNewer({ created }: LabelledVersion, than: LabelledVersion): boolean {
  return created !== undefined && than.created !== undefined && created > than.created;
}

function differing(one: LabelledVersion, other: LabelledVersion): string[] {
  const [mine, theirs] = [membersOf(one.text), membersOf(other.text)];
  if (!mine || !theirs) return [];
  const isOther = (name: string): boolean =>
    JSON.stringify(mine.get(name)) !== JSON.stringify(theirs.get(name));
  return [...new Set([...mine.keys(), ...theirs.keys()])].filter(isOther);
}
