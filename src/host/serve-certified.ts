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
import { writeWhole } from './kept-files.ts';

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

interface Lasting extends Pick<ReadOptions, 'env' | 'signal' | 'voice'> {
  /** Ends the renewals. */
  readonly ended: AbortSignal;
}

/** Milliseconds that the list of an agent waits for a new certificate. */
const patience = 5_000;
/** Milliseconds. An ssh that has read the certificate before in its file looks for that one in the agent's list. */
const overlap = 10_000;

/** @returns the first certificate @throws the errors of its authority */
export async function serveCertified(
  certified: Certified,
  front: Serving,
  { env, signal, ended, voice }: Lasting,
): Promise<Certificate> {
  const { identity, order, authority, terms } = certified;
  const { publicKey } = identity.signer;
  const keyId = await runKeyId({ env, hostName: hostname(), signal });
  const until = order.lifetime > 0 ? Date.now() + order.lifetime * 1000 : undefined;
  const shown = new Shown(certified, voice);
  const renewal = userCertificate(
    { publicKey, authority, terms, keyId, until },
    {
      isWanted: () => shown.isHeld,
      onMade: (certificate) => void shown.replace(certificate),
      onFailed: (error) => {
        noteFailure(identity, front, error);
      },
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
  shown.begin(certificate, front, freshen);
  return certificate;
}

/** The certificate that clients see, and the file with it. */
class Shown {
  readonly #certified: Certified;
  readonly #voice: Lasting['voice'];
  #added: ReturnType<Serving['identities']['add']> | undefined;
  #certificate: Certificate | undefined;
  #written: Promise<unknown> = Promise.resolve();

  constructor(certified: Certified, voice: Lasting['voice']) {
    this.#certified = certified;
    this.#voice = voice;
  }

  /** Also before it begins: the key is about to be added. */
  get isHeld(): boolean {
    return this.#added?.isHeld !== false;
  }

  begin(certificate: Certificate, { identities }: Serving, freshen: () => Promise<void>): void {
    const { identity } = this.#certified;
    this.#certificate = certificate;
    this.#added = identities.add({ ...identity, freshen, blobs: this.#blobs(certificate) });
  }

  /**
   * Resolved when ssh can read the certificate in its file.
   *
   * @param certificate undefined if there is no valid one
   */
  async replace(certificate: Certificate | undefined): Promise<void> {
    const before = this.#certificate;
    if (this.#added && certificate !== before) {
      const left = before && certificate ? before.validUntil * 1000 - Date.now() : 0;
      const kept = before && left > 0 ? [before] : [];
      this.#certificate = certificate;
      this.#added.replaceBlobs(this.#blobs(certificate, ...kept));
      if (kept.length > 0)
        setTimeout(
          () => {
            this.#added?.replaceBlobs(this.#blobs(this.#certificate));
          },
          Math.min(overlap, left),
        ).unref();
      if (certificate) this.#write(certificate);
    }
    await this.#written;
  }

  #write({ line }: Certificate): void {
    const { certificateFile } = this.#certified.order;
    if (certificateFile === undefined) return;
    this.#written = writeWhole(certificateFile, `${line}\n`).catch((error: unknown) => {
      this.#voice.warn(`the new certificate could not be written: ${String(error)}`);
    });
  }

  /** Nobody registers a key that was made for this use, so only its certificate is offered. */
  #blobs(...certificates: readonly (Certificate | undefined)[]): Buffer[] {
    const { order, identity } = this.#certified;
    return [
      ...certificates.flatMap((certificate) => certificate?.blob ?? []),
      ...(order.line.reference.kind === 'new' ? [] : [identity.signer.publicKey.blob]),
    ];
  }
}

/** The log explains a login that fails because there is no certificate. */
function noteFailure({ signer, comment }: FrontIdentity, { log }: Serving, error: unknown): void {
  const { code, message, hint } = toFailure(error);
  log.add({
    ...{ time: new Date().toISOString(), outcome: 'failed', purpose: 'certificate' },
    ...{ key: fingerprint(signer.publicKey), comment, failure: { code, message, hint } },
  });
}
