/** Checks each stored key and credential: read and decrypted, a sound key, its passphrase and its certificate. */
import { isGitHubApp, parseGitHubApp } from '../../src/github/app.ts';
import { readNamedCredential } from '../../src/git/named-credential.ts';
import { storedAuthority } from '../../src/host/authority.ts';
import { openKey, stored } from '../../src/host/open-key.ts';
import { readCached } from '../../src/host/read-keys.ts';
import { muted } from '../../src/host/voice.ts';
import { referencesOf } from '../../src/keys/key-line.ts';
import { parseCacheAddress } from '../../src/secrets/cache-address.ts';
import type { Secret } from '../../src/secrets/source.ts';
import { readReferences } from '../../src/secrets/read.ts';
import type { AwsAccess } from './aws-access.ts';
import { Failure } from '../../src/errors.ts';
import { failed, ok, unchecked, warn, withCommand, type Finding } from './finding.ts';
import { putIntoKms, remedyForKey, storeElsewhere, type KeyRemedies } from './key-remedy.ts';
import type { WantedSecret } from './wanted.ts';

export interface SecretOptions {
  readonly access: AwsAccess;
  readonly signal: AbortSignal;
  readonly remedies: KeyRemedies;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Seconds for a cache to answer. */
const timeoutSeconds = 8;
const silent = muted({ mask: () => undefined, warn: () => undefined });
const cacheOf = (text: string): URL => parseCacheAddress(text, 'ssm.cache (SSM_SSH_CACHE)');

/** @returns two findings: whether it is read, and whether it can be used */
export async function checkSecret(wanted: WantedSecret, options: SecretOptions): Promise<Finding[]> {
  const { line, kind } = wanted;
  const { text } = line.reference;
  const [reading, using] = [`read ${text}`, `${kind} ${text}`];
  let secrets: Secret[];
  try {
    secrets = await read(wanted, options);
  } catch (error) {
    return [failedFor(wanted, { check: reading, error }, options), unchecked(using, reading)];
  }
  return [
    readFinding(secrets, {
      reading,
      from: withCache(wanted),
      key: text,
      instead: storeElsewhere(wanted, options.remedies),
    }),
    await used(wanted, secrets, { using, ...options }),
  ];
}

async function read(
  { line, place }: WantedSecret,
  { access, signal, remedies: { env } }: SecretOptions,
): Promise<Secret[]> {
  const { cache } = place;
  if (cache !== undefined) {
    const host = { ...place, cache: cacheOf(cache), fresh: false, timeoutSeconds };
    return await readCached(referencesOf([line]), host, { env, signal, voice: silent });
  }
  const { caller, region, credentials } = await access.reader(place);
  const { connection } = caller;
  try {
    return await readReferences(referencesOf([line]), {
      ...{ connection, region, signal },
      ...(credentials && { credentials }),
    });
  } catch (error) {
    throw connection.troubles.explain(error);
  }
}

function withCache({ from, place: { cache } }: WantedSecret): string {
  return cache === undefined ? from : `${from}, through the cache at ${cacheOf(cache).origin}`;
}

/** The value itself is never shown. */
function readFinding(
  secrets: readonly Secret[],
  {
    reading,
    from,
    key,
    instead,
  }: { readonly reading: string; readonly from: string; readonly key: string; instead: string | undefined },
): Finding {
  const [first] = secrets;
  const versions = secrets.map(({ reference, version }) => `${reference.text} (version ${version})`);
  const plain = secrets.find(({ encrypted }) => !encrypted);
  const name = plain?.reference.text ?? '';
  if (plain) {
    const detail = `${name} is a plain String: whoever may read its history reads the key`;
    const remedy =
      'store the key in another parameter (ssm-ssh-agent put NAME FILE), name that one, and delete this one: AWS does not change the type of a parameter. Who read it has the key: replace it at the host';
    // The command stores the key. A passphrase or a certificate may be what is plain.
    const command = name === key ? instead : undefined;
    return warn(reading, `${detail}; store a new key as a SecureString`, command ?? remedy);
  }
  const kind = first?.reference.kind === 'secret' ? 'a secret' : 'a SecureString';
  return ok(reading, `${kind}, read and decrypted: ${versions.join(', ')}, named by ${from}`);
}

type Use = SecretOptions & { readonly using: string };

async function used(wanted: WantedSecret, secrets: readonly Secret[], use: Use): Promise<Finding> {
  try {
    return await (wanted.kind === 'credential' ? usedCredential : usedKey)(wanted, secrets, use);
  } catch (error) {
    return failedFor(wanted, { check: use.using, error }, use);
  }
}

function failedFor(
  wanted: WantedSecret,
  { check, error }: { readonly check: string; readonly error: unknown },
  { remedies }: Pick<SecretOptions, 'remedies'>,
): Finding {
  const command = error instanceof Failure ? remedyForKey(error.code, wanted, remedies) : undefined;
  return withCommand(failed(check, error), command);
}

async function usedKey(
  wanted: WantedSecret,
  secrets: readonly Secret[],
  { using, remedies }: Use,
): Promise<Finding> {
  const { line, kind } = wanted;
  const warnings: string[] = [];
  const voice = muted({
    mask: () => undefined,
    warn: (message: string) => {
      // The finding about reading has it.
      if (!message.includes('is a plain String')) warnings.push(message);
    },
  });
  const key = await openKey(line, secrets, voice);
  const { publicKey, fingerprint, certificate } = key;
  if (kind === 'authority') storedAuthority(key, voice);
  const passphrase = line.passphrase ? ', opened by its passphrase' : '';
  const detail = `${publicKey.type} ${fingerprint}${passphrase}${certificate ? ', with a certificate' : ''}`;
  const [problem] = warnings;
  if (problem === undefined) return ok(using, detail);
  const remedy =
    kind === 'authority' ? putIntoKms(wanted, remedies) : 'sign the key again, and store the new certificate';
  return warn(using, `${detail}: ${problem}`, remedy);
}

async function usedCredential(
  { line, username, place }: WantedSecret,
  secrets: readonly Secret[],
  { using, now, ...use }: Use,
): Promise<Finding> {
  const { text } = stored(line.reference, secrets);
  const resource = line.reference.text;
  if (isGitHubApp(text)) {
    const { privateKey } = parseGitHubApp(text, resource);
    const detail = 'a GitHub App, whose tokens are made when git asks';
    if (!('text' in privateKey)) return ok(using, detail);
    const { requireAppKey } = await import('./app-key.ts');
    await requireAppKey(privateKey, place, use);
    return ok(using, `${detail}, and kms:Sign is allowed with its key in KMS (${privateKey.text})`);
  }
  const { username: user, password_expiry_utc: expiry } = readNamedCredential(
    { text, resource, username },
    now() / 1000,
  );
  const until = expiry === undefined ? '' : `, until ${new Date(Number(expiry) * 1000).toISOString()}`;
  return ok(using, `a token or password${user === undefined ? '' : ` of ${user}`}${until}`);
}
