/** What setup changes in git's configuration, and how it takes that out again. */
import { fileOf, filesOf } from '../../src/git/config-places.ts';
import type { GitOptions } from '../../src/git/config-file.ts';
import type { Scope, Setting } from '../../src/git/listing.ts';
import { asBytes, changeFile, fromBytes, readText } from './configuration-file.ts';
import {
  hasUnmarked,
  markedSettings,
  withEdits,
  withoutMarked,
  withoutSettings,
  type Edit,
  type MarkedSetting,
} from './marked-lines.ts';
import { replaced } from './plan.ts';

/** @throws GIT_NOT_FOUND, INPUT_INVALID where setup cannot write there */
export async function checkFile(scope: Scope, options: GitOptions): Promise<void> {
  await readText(await fileOf(scope, options), scope);
}

/** The lines that get a mark, because an earlier setup or somebody by hand wrote the same value. */
export async function unmarkedOf(
  wanted: readonly Setting[],
  scope: Scope,
  options: GitOptions,
): Promise<Setting[]> {
  const text = await readText(await fileOf(scope, options), scope);
  return wanted.filter(
    ({ name, value }) => value !== undefined && hasUnmarked(text, asBytes(name), asBytes(value)),
  );
}

/**
 * A value that somebody else wrote stays where it is: the line of setup stands below it, and git takes the last one. Where
 * git or our programs take all values, the other line becomes a comment.
 *
 * @param adopted get a mark
 * @throws GIT_NOT_FOUND, INPUT_INVALID
 */
export async function write(
  { changes, adopted }: { readonly changes: readonly Setting[]; readonly adopted: readonly Setting[] },
  scope: Scope,
  options: GitOptions,
): Promise<void> {
  if (changes.length + adopted.length === 0) return;
  const path = await fileOf(scope, options);
  const edits: Edit[] = [
    ...changes.map((change) => ({ ...inBytes(change), replaces: replaced(change.name) })),
    ...adopted.map((setting) => ({ ...inBytes(setting), adopts: true })),
  ];
  await changeFile(path, (text) => withEdits(text, edits), scope);
  // setup wrote there when git did: the values would count beside the new ones.
  const names = changes.map(({ name }) => asBytes(name));
  for (const other of (await filesOf(scope, options)).filter((one) => one !== path)) {
    const edit = (text: string | undefined): string | undefined =>
      text === undefined ? undefined : withoutSettings(text, names);
    const text = await readText(other, scope);
    if (edit(text) !== text) await changeFile(other, edit, scope);
  }
}

function inBytes({ name, value }: Setting): Edit {
  return { name: asBytes(name), value: value === undefined ? undefined : asBytes(value) };
}

/**
 * @param dryRun leaves the files as they are
 * @returns what setup had written there
 * @throws GIT_NOT_FOUND, INPUT_INVALID
 */
export async function remove(
  scope: Scope,
  options: GitOptions & { readonly dryRun: boolean },
): Promise<MarkedSetting[]> {
  const edit = (now: string | undefined): string | undefined =>
    now === undefined ? undefined : withoutMarked(now);
  const removed: MarkedSetting[] = [];
  for (const path of await filesOf(scope, options)) {
    const text = await readText(path, scope);
    removed.push(...markedSettings(text));
    if (text !== edit(text) && !options.dryRun) await changeFile(path, edit, scope);
  }
  return removed.map(({ name, value }) => ({ name: fromBytes(name), value: fromBytes(value) }));
}
