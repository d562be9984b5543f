/** What setup changes in git's configuration, and how it takes that out again. */
import { fileOf, readSettings, writeSetting, type GitOptions } from '../../src/git/config-file.ts';
import { canonicalName, type Scope, type Setting, type Settings } from '../../src/git/listing.ts';
import { asBytes, changeFile, fromBytes, readText } from './configuration-file.ts';
import { markedSettings, withEdits, withoutMarked, type MarkedSetting } from './marked-lines.ts';
import { replaced } from './plan.ts';

/**
 * A value that somebody else wrote stays where it is: the line of setup stands below it, and git takes the last one.
 *
 * @throws GIT_NOT_FOUND, INPUT_INVALID
 */
export async function write(changes: readonly Setting[], scope: Scope, options: GitOptions): Promise<void> {
  if (changes.length === 0) return;
  const path = await fileOf(scope, options);
  // Of these git takes more than the last one.
  for (const { name } of changes) {
    const pattern = replaced(name);
    const others = pattern === undefined ? [] : await valuesOfOthers(name, { path, scope, options });
    if (others.some((value) => new RegExp(pattern ?? '').test(value)))
      await writeSetting({ name, value: undefined, among: pattern }, scope, options);
  }
  const known = await readSettings(scope, options);
  const edit = (text: string | undefined): string => {
    const edits = changes.map(({ name, value }) => ({
      name: asBytes(name),
      value: value === undefined ? undefined : asBytes(value),
      besideOthers: others(known, markedSettings(text), name).length > 0,
    }));
    return withEdits(text, edits);
  };
  await changeFile(path, edit, { forAll: scope === 'system' });
}

interface Place {
  readonly path: string;
  readonly scope: Scope;
  readonly options: GitOptions;
}

async function valuesOfOthers(name: string, { path, scope, options }: Place): Promise<readonly string[]> {
  return others(await readSettings(scope, options), markedSettings(await readText(path)), name);
}

/** The values that setup did not write, of those that git lists. */
function others(known: Settings, marked: readonly MarkedSetting[], name: string): readonly string[] {
  const ours = marked.filter((one) => canonicalName(fromBytes(one.name)) === canonicalName(name));
  const left = [...(known.get(canonicalName(name)) ?? [])];
  for (const { value } of ours) {
    const at = left.lastIndexOf(fromBytes(value));
    if (at >= 0) left.splice(at, 1);
  }
  return left;
}

/**
 * @param dryRun leaves the file as it is
 * @returns what setup had written there
 * @throws GIT_NOT_FOUND, INPUT_INVALID
 */
export async function remove(
  scope: Scope,
  options: GitOptions & { readonly dryRun: boolean },
): Promise<MarkedSetting[]> {
  const path = await fileOf(scope, options);
  const text = await readText(path);
  const marked = markedSettings(text);
  const isThere = text !== undefined && withoutMarked(text) !== text;
  const edit = (now: string | undefined): string | undefined =>
    now === undefined ? undefined : withoutMarked(now);
  if (isThere && !options.dryRun) await changeFile(path, edit, { forAll: scope === 'system' });
  return marked.map(({ name, value }) => ({ name: fromBytes(name), value: fromBytes(value) }));
}
