/**
 * Opens a key that signs and cannot be read, for the agent in front: asks for its public half, and for credentials again
 * when they end. Importing this file loads the AWS SDK.
 */
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Certificate } from '../keys/certificate.ts';
import type { CertificateOptions } from '../keys/certificate-options.ts';
import { generateKey, parseKeyKind } from '../keys/generate-key.ts';
import { isStored, type KeyReference, type KmsReference } from '../keys/key-reference.ts';
import { memorySigner } from '../keys/memory-signer.ts';
import type { Reference } from '../keys/reference.ts';
import type { Signer } from '../keys/signer.ts';
import type { FrontIdentity, KnownHost } from '../kms/front/identity.ts';
import { openKmsSigner } from '../kms/kms-signer.ts';
import { hostsOf } from '../ssh/repository-hosts.ts';
import { storedAuthority } from './authority.ts';
import type { FrontWanted, ServedKey, SigningOrder } from './front-order.ts';
import type { LoadedKey } from './open-key.ts';
import { retryIfExpired, type ReadOptions } from './call-aws.ts';
import { serveCertified, type Serving } from './serve-certified.ts';
import { signingAccess, type SigningAccess } from './signing-access.ts';
import { unwritable } from './state-folder.ts';

export interface Opening extends ReadOptions {
  readonly wanted: FrontWanted;
  /** Ends what is done later: renewals. */
  readonly ended: AbortSignal;
}

/**
 * Opens the key and adds it to the agent. Tries once more, with a new session, if AWS says that the credentials have
 * expired.
 *
 * @throws the errors of reading keys, of KMS and of assuming the role
 */
export async function serveKey(order: SigningOrder, front: Serving, opening: Opening): Promise<ServedKey> {
  const { wanted, env, voice } = opening;
  const renewable = { role: wanted.role ?? undefined, env, voice };
  return await retryIfExpired(renewable, () => serveOnce(order, front, opening));
}

async function serveOnce(order: SigningOrder, front: Serving, opening: Opening): Promise<ServedKey> {
  const { line } = order;
  const { certificate: terms } = line.signing;
  const references = [line.reference, ...(terms ? [terms.authority] : [])];
  const [access, stored] = await Promise.all([
    accessTo(
      references.filter((one): one is KmsReference => one.kind === 'kms'),
      opening,
    ),
    readStored(order, references.filter(isStored), opening),
  ]);
  const open = { access, stored };
  const { signer, ...told } = await openSigner(line.reference, open);
  const identity: FrontIdentity = {
    signer,
    blobs: [signer.publicKey.blob],
    comment: signer.publicKey.comment,
    limits: limitsOf(order),
  };
  if (!terms) {
    front.identities.add(identity);
    return { publicKey: signer.publicKey, ...told };
  }
  const authority = await openAuthority(terms, open, opening);
  const certify = (): Promise<Certificate> =>
    serveCertified({ order, identity, authority, terms }, front, opening);
  const certificate = await (access ? access.explain(certify) : certify());
  return { publicKey: signer.publicKey, certificate: certificate.line, ...told };
}

interface Opened {
  readonly access: SigningAccess | undefined;
  readonly stored: readonly LoadedKey[];
}

async function accessTo(
  references: readonly KmsReference[],
  { wanted, ...options }: Opening,
): Promise<SigningAccess | undefined> {
  return references.length > 0 ? await signingAccess(references, wanted, options) : undefined;
}

/** The stored key of the line, and a stored authority. */
async function readStored(
  { line }: SigningOrder,
  references: readonly Reference[],
  { wanted, ...options }: Opening,
): Promise<LoadedKey[]> {
  if (references.length === 0) return [];
  const keys = references.map((reference) => ({
    reference,
    repositories: [],
    ...(reference === line.reference && line.passphrase && { passphrase: line.passphrase }),
  }));
  // Most lines have no stored key. The process lives for hours, and the client of Parameter Store is large.
  const { readSecrets } = await import('./read-secrets.ts');
  const { openKey } = await import('./open-key.ts');
  const secrets = await readSecrets({ ...wanted, role: wanted.role ?? undefined, keys }, options);
  return await Promise.all(keys.map((key) => openKey(key, secrets, options.voice)));
}

async function openSigner(
  reference: KeyReference,
  opened: Opened,
): Promise<Pick<ServedKey, 'arn' | 'version'> & { readonly signer: Signer }> {
  if (reference.kind === 'kms') {
    const signer = await openInKms(reference, opened);
    return { signer, arn: signer.keyArn, version: '' };
  }
  if (reference.kind === 'new') {
    const key = await generateKey(parseKeyKind(reference.type), reference.text);
    return { signer: memorySigner(key), arn: '', version: '' };
  }
  const key = keyOf(reference, opened);
  return { signer: memorySigner(key), arn: key.secret.arn, version: key.secret.version };
}

async function openAuthority(
  { authority }: CertificateOptions,
  opened: Opened,
  { voice }: Opening,
): Promise<Signer> {
  if (authority.kind === 'kms') return await openInKms(authority, opened);
  return storedAuthority(keyOf(authority, opened), voice);
}

async function openInKms(
  reference: KmsReference,
  { access }: Opened,
): Promise<Awaited<ReturnType<typeof openKmsSigner>>> {
  if (!access) throw new TypeError('a key in KMS has no access to it');
  return await access.explain(() => openKmsSigner(reference, access.place, access.regions));
}

function keyOf(reference: Reference, { stored }: Opened): LoadedKey {
  const key = stored.find(({ secret }) => secret.reference === reference);
  if (!key) throw new TypeError('a reference has no key');
  return key;
}

function limitsOf(order: SigningOrder): FrontIdentity['limits'] {
  const { line, lifetime, knownHosts, writtenIn, spentFile } = order;
  const { unbound, forwarding, uses } = line.signing;
  const hosts = async (): Promise<readonly KnownHost[]> => {
    const texts = await Promise.all(knownHosts.map((path) => readFile(path, 'utf8').catch(() => '')));
    return hostsOf(line.repositories, texts.join('\n'));
  };
  const onSpent = (): void => {
    if (spentFile !== undefined) noteSpent(spentFile);
  };
  return { lifetime, uses, onSpent, unbound, forwarding, writtenIn, hosts };
}

/** At once: the process may end immediately afterwards. @throws STATE_UNSAFE if the disk is full */
function noteSpent(file: string): void {
  try {
    writeFileSync(file, '', { mode: 0o600 });
  } catch (error) {
    throw unwritable(dirname(file), error);
  }
}
