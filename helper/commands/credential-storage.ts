/** Git credentials in Parameter Store: one parameter each, so that nobody who writes one can lose another. */
import type { Credential, Request } from '../../src/git/credential.ts';
import { isErased, parseEntry, pickAnswer, renderEntry, toBeStored } from '../../src/git/store-entry.ts';
import { folderOf, nameOf, placeOf } from '../../src/git/stored-name.ts';

/** What Parameter Store does for it: secrets/parameter-folder.ts. */
export interface StoredParameters {
  /** All below, the latest first. */
  list(folder: string): Promise<readonly { readonly name: string; readonly text: string }[]>;
  put(name: string, text: string): Promise<void>;
  delete(name: string): Promise<void>;
}

export interface CredentialStorage {
  /** Of a parsed store prefix. */
  readonly prefix: string;
  /** Called when there is something to ask AWS for. */
  readonly open: () => Promise<StoredParameters>;
  readonly nowSeconds: number;
}

/** @throws CREDENTIAL_INVALID, and what reading throws */
export async function getStored(
  request: Request,
  { prefix, open, nowSeconds }: CredentialStorage,
): Promise<Credential | undefined> {
  const place = placeOf(request);
  if (!place) return undefined;
  const parameters = await (await open()).list(folderOf(prefix, place));
  const stored = parameters.map(({ text, name }) => parseEntry(text, name));
  return pickAnswer(stored, request, nowSeconds);
}

/**
 * git tells about every success, the ones with what it got from here included: what is there already is not written again.
 *
 * @throws CREDENTIAL_INVALID, and what reading and writing throw
 */
export async function store(
  request: Request,
  { prefix, open, nowSeconds }: CredentialStorage,
): Promise<void> {
  const [credential, place] = [toBeStored(request, nowSeconds), placeOf(request)];
  if (!credential || !place) return;
  const name = nameOf(prefix, place);
  const text = renderEntry(credential, name);
  const parameters = await open();
  const there = await parameters.list(folderOf(prefix, { username: undefined, ...place }));
  if (!there.some((one) => one.name === name && one.text === text)) await parameters.put(name, text);
}

/** @throws CREDENTIAL_INVALID, and what reading and deleting throw */
export async function erase(request: Request, { prefix, open }: CredentialStorage): Promise<void> {
  const place = placeOf(request);
  if (!place) return;
  const parameters = await open();
  const there = await parameters.list(folderOf(prefix, place));
  const erased = there.filter(({ text, name }) => isErased(parseEntry(text, name), request));
  await Promise.all(erased.map(({ name }) => parameters.delete(name)));
}
