/** Serves a key with its certificate, which is made anew while the lifetime of the key lasts. */
import { hostname } from 'node:os';
import { toFailure } from '../errors.ts';
import type { Certificate } from '../keys/certificate.ts';
import type { CertificateOptions } from '../keys/certificate-options.ts';
import { fingerprint } from '../keys/public-key.ts';
import type { Signer } from '../keys/signer.ts';
import type { Front } from '../kms/front/front.ts';
import type { FrontIdentity } from '../kms/front/identity.ts';
import { runKeyId } from '../kms/key-id.ts';
import { userCertificate } from '../kms/user-certificate.ts';
import type { ReadOptions } from './call-aws.ts';
import type { SigningOrder } from './front-order.ts';
import { ShownCertificate } from './shown-certificate.ts';

/** The parts of the agent in front that a key needs. */
export interface Serving extends Pick<Front, 'log'> {
  readonly identities: Pick<Front['identities'], 'add'>;
}

export interface Certified {
  readonly order: SigningOrder;
  /** With the plain key. */
  readonly identity: FrontIdentity;
  readonly authority: Signer;
  readonly terms: CertificateOptions;
}

interface Lasting extends Pick<ReadOptions, 'env' | 'signal'> {
  /** Ends the renewals. */
  readonly ended: AbortSignal;
}

/** Milliseconds that the list of an agent waits for a new certificate. */
const patience = 5_000;

/** @returns the first certificate @throws the errors of its authority */
export async function serveCertified(
  certified: Certified,
  front: Serving,
  { env, signal, ended }: Lasting,
): Promise<Certificate> {
  const { identity, order, authority, terms } = certified;
  const { publicKey } = identity.signer;
  const keyId = await runKeyId({ env, hostName: hostname(), signal });
  const until = order.lifetime > 0 ? Date.now() + order.lifetime * 1000 : undefined;
  const onFailed = (error: unknown): void => {
    noteFailure(identity, front, error);
  };
  const shown = new ShownCertificate(certified, { ended, onFailed });
  const renewal = userCertificate(
    { publicKey, authority, terms, keyId, until },
    {
      isWanted: () => shown.isHeld,
      onMade: (certificate) => void shown.replace(certificate),
      onFailed,
    },
  );
  ended.addEventListener('abort', () => {
    renewal.close();
  });
  const certificate = await renewal.current(signal).catch((error: unknown) => {
    // It would go on trying, and the caller may begin anew.
    renewal.close();
    throw error;
  });
  if (!certificate) throw new TypeError('a new key has no lifetime');
  const freshen = async (): Promise<void> => {
    // A host would refuse a certificate that has ended, and the key with it.
    await shown.replace(await renewal.current(AbortSignal.timeout(patience)).catch(() => undefined));
  };
  shown.begin(certificate, front.identities, freshen);
  return certificate;
}

/** The log explains a login that fails because there is no certificate, or ssh does not find it in its file. */
function noteFailure({ signer, comment }: FrontIdentity, { log }: Serving, error: unknown): void {
  const { code, message, hint } = toFailure(error);
  log.add({
    ...{ time: new Date().toISOString(), outcome: 'failed', purpose: 'certificate' },
    ...{ key: fingerprint(signer.publicKey), comment, failure: { code, message, hint } },
  });
}
