/** Checks each key in KMS: its public key, its kind and state, and whether kms:Sign is allowed. It makes no signature. */
import { Failure } from '../../src/errors.ts';
import { fingerprint } from '../../src/keys/public-key.ts';
import type { SignatureAlgorithm } from '../../src/keys/signer.ts';
import { requireSigning } from '../../src/kms/dry-run.ts';
import type { KmsPlace } from '../../src/kms/kms-client.ts';
import { openKmsSigner, type KmsSigner } from '../../src/kms/kms-signer.ts';
import type { AwsAccess } from './aws-access.ts';
import { failed, ok, unchecked, warn, withCommand, type Finding } from './finding.ts';
import { remedyForKms, type KeyRemedies } from './key-remedy.ts';
import type { WantedKmsKey } from './wanted.ts';

export interface KmsOptions {
  readonly access: AwsAccess;
  readonly signal: AbortSignal;
  readonly remedies: KeyRemedies;
}

/** @returns two findings: whether its public key can be read, and whether it may sign */
export async function checkKmsKey(wanted: WantedKmsKey, options: KmsOptions): Promise<Finding[]> {
  const { reference, from, kind } = wanted;
  const [reading, signing] = [`public key ${reference.text}`, `sign with ${reference.text}`];
  const opened = await open(wanted, options).catch((error: unknown) =>
    failedFor(wanted, { check: reading, error }, options),
  );
  if ('check' in opened) return [opened, unchecked(signing, reading)];
  const { publicKey, keyArn } = opened.signer;
  const as = kind === 'key' ? '' : ' as the authority of certificates';
  const what = `${publicKey.type} ${fingerprint(publicKey)}, enabled in KMS as ${keyArn}, named by ${from}${as}`;
  return [ok(reading, what), await checkSigning(wanted, opened, { ...options, check: signing })];
}

interface Opened {
  readonly signer: KmsSigner;
  readonly place: Omit<KmsPlace, 'region'>;
  readonly explain: (error: unknown) => unknown;
}

async function open({ reference, place: from }: WantedKmsKey, options: KmsOptions): Promise<Opened> {
  const { access, signal } = options;
  const { caller, credentials } = await access.reader(from);
  const place = { connection: caller.connection, ...(credentials && { credentials }) };
  const explain = (error: unknown): unknown => caller.connection.troubles.explain(error);
  try {
    return { signer: await openKmsSigner(reference, place, { ...caller, signal }), place, explain };
  } catch (error) {
    throw explain(error);
  }
}

type Signing = KmsOptions & { readonly check: string };

/** ssh chooses among the algorithms of an RSA key, and each may be denied by a policy. */
async function checkSigning(wanted: WantedKmsKey, opened: Opened, options: Signing): Promise<Finding> {
  const { check } = options;
  const { algorithms } = opened.signer;
  // A certificate is signed by the first one.
  const needed = wanted.kind === 'key' ? algorithms : algorithms.slice(0, 1);
  const outcomes = await Promise.all(
    needed.map(async (algorithm) => ({
      algorithm,
      error: await tryAlgorithm(wanted, algorithm, { ...opened, ...options }),
    })),
  );
  const refused = outcomes.filter(({ error }) => error !== undefined);
  const [first] = refused;
  if (!first) return ok(check, `kms:Sign is allowed, by ${needed.join(' and ')}: KMS was asked by a dry run`);
  const finding = failedFor(wanted, { check, error: first.error }, options);
  if (refused.length === outcomes.length) return finding;
  const others = outcomes.filter(({ error }) => error === undefined).map(({ algorithm }) => algorithm);
  return warn(
    check,
    `only ${others.join(' and ')} is allowed, and ssh may choose ${first.algorithm}: ${finding.detail}`,
    finding.remedy,
  );
}

async function tryAlgorithm(
  { reference }: WantedKmsKey,
  algorithm: SignatureAlgorithm,
  { signer: { region }, place, explain, signal }: Opened & Signing,
): Promise<unknown> {
  try {
    await requireSigning(reference, { ...place, region, algorithm, signal });
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return explain(error);
  }
}

function failedFor(
  wanted: WantedKmsKey,
  { check, error }: { readonly check: string; readonly error: unknown },
  { remedies }: Pick<KmsOptions, 'remedies'>,
): Finding {
  const command = error instanceof Failure ? remedyForKms(error.code, wanted, remedies) : undefined;
  return withCommand(failed(check, error), command);
}
