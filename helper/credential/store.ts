/** Git credentials in Parameter Store. Each has its own parameter, so that parallel writes do not overwrite each other. */
import { parseArgs } from 'node:util';
import { isExpired, type Credential, type Request } from '../../src/git/credential.ts';
import {
  hasAll,
  isErased,
  parseEntry,
  pickAnswer,
  renderEntry,
  toBeStored,
  folderOf,
  nameOf,
  placeOf,
  parsePrefix,
} from '../../src/git/store-entry.ts';
import type { Settings } from '../../src/git/listing.ts';
import { settingsOf } from '../../src/host/settings.ts';
import { warningsOnly } from '../../src/host/voice.ts';
import { parseHostPlace, timeLimit } from '../command-line/host-place.ts';

/** The part of secrets/parameter-folder.ts that is used here. */
export interface StoredParameters {
  /** All parameters below the folder, the latest first. */
  list(folder: string): Promise<readonly { readonly name: string; readonly text: string }[]>;
  put(name: string, text: string): Promise<void>;
  delete(name: string): Promise<void>;
}

export interface CredentialStorage {
  /** A parsed store prefix. */
  readonly prefix: string;
  /** Opens the store, which loads the AWS SDK. The work may be done twice: with new credentials if they have expired. */
  readonly use: <T>(work: (parameters: StoredParameters) => Promise<T>) => Promise<T>;
  readonly nowSeconds: number;
}

/** @throws CREDENTIAL_INVALID, and the errors of reading */
export async function getStored(
  request: Request,
  { prefix, use, nowSeconds }: CredentialStorage,
): Promise<Credential | undefined> {
  const place = placeOf(request);
  if (!place) return undefined;
  const parameters = await use((all) => all.list(folderOf(prefix, place)));
  const stored = parameters.map(({ text, name }) => parseEntry(text, name));
  return pickAnswer(stored, request, nowSeconds);
}

/**
 * git stores a credential after every success, even one from this helper. It is not written again unless it has
 * something new, so that an older git on another host removes nothing.
 *
 * @throws CREDENTIAL_INVALID, and the errors of reading and writing
 */
export async function store(request: Request, { prefix, use, nowSeconds }: CredentialStorage): Promise<void> {
  const [credential, place] = [toBeStored(request, nowSeconds), placeOf(request)];
  if (!credential || !place) return;
  const name = nameOf(prefix, place);
  const text = renderEntry(credential, name);
  await use(async (parameters) => {
    const there = await parameters.list(folderOf(prefix, { username: undefined, ...place }));
    const isThere = there.some(
      (one) =>
        one.name === name &&
        hasAll(one.text, credential) &&
        !isExpired(parseEntry(one.text, name), nowSeconds),
    );
    if (!isThere) await parameters.put(name, text);
  });
}

/** @throws CREDENTIAL_INVALID, and the errors of reading and deleting */
export async function erase(request: Request, { prefix, use }: CredentialStorage): Promise<void> {
  const place = placeOf(request);
  if (!place) return;
  await use(async (parameters) => {
    const there = await parameters.list(folderOf(prefix, place));
    const erased = there.filter(({ text, name }) => isErased(parseEntry(text, name), request));
    await Promise.all(erased.map(({ name }) => parameters.delete(name)));
  });
}

interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly warn: (message: string) => void;
}

/**
 * @param args the option in `credential.helper = "ssm --store-prefix /git-credentials"` takes precedence over
 *   `ssm.storePrefix`; an empty value turns it off
 * @throws INPUT_INVALID
 */
export function storageFor(
  args: readonly string[],
  settings: Settings,
  { env, warn }: Surroundings,
): CredentialStorage | undefined {
  const option = storePrefixOf(args);
  const setting = option === undefined ? 'ssm.storePrefix' : '--store-prefix';
  const prefix = option ?? settings.get('ssm.storeprefix')?.at(-1) ?? '';
  if (prefix === '') return undefined;
  const place = parseHostPlace(settingsOf(settings, env));
  const kmsKeyId = settings.get('ssm.kmskeyid')?.at(-1) || undefined;
  return {
    prefix: parsePrefix(prefix, setting),
    nowSeconds: Date.now() / 1000,
    use: async (work) => {
      const { withHostFolder } = await import('../../src/host/parameter-folder.ts');
      const signal = timeLimit(place.timeoutSeconds, 'asking Parameter Store');
      const options = { env, signal, voice: warningsOnly(warn) };
      return await withHostFolder({ ...place, kmsKeyId }, options, work);
    },
  };
}

/** Ignores unknown options: a newer git-credential-ssm on another host may use the same configuration. */
function storePrefixOf(args: readonly string[]): string | undefined {
  const options = { 'store-prefix': { type: 'string' } } as const;
  const { values } = parseArgs({ args: args.slice(0, -1), options, strict: false, allowPositionals: true });
  const value = values['store-prefix'];
  return typeof value === 'string' ? value : undefined;
}
