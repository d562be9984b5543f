/** The certificate that the clients of an agent see, and the file with it. */
import type { Failure } from '../errors.ts';
import type { Certificate } from '../keys/certificate.ts';
import type { Added, Identities } from '../kms/front/identities.ts';
import type { FrontIdentity } from '../kms/front/identity.ts';
import { CertificateFile } from './certificate-file.ts';
import type { SigningOrder } from './front-order.ts';

export interface Shown {
  readonly order: Pick<SigningOrder, 'line' | 'certificateFile'>;
  /** With the plain key. */
  readonly identity: FrontIdentity;
}

export interface ShowingOptions {
  /** Ends what is done later. */
  readonly ended: AbortSignal;
  /** Called when the file could not be written. */
  readonly onFailed: (failure: Failure) => void;
  /**
   * Milliseconds from the new file until the certificate before is not listed any more: an ssh that has read it in its file
   * looks for that one in the agent's list. Default: 10,000.
   */
  readonly overlap?: number;
}

const usualOverlap = 10_000;

export class ShownCertificate {
  readonly #shown: Shown;
  readonly #overlap: number;
  readonly #file: CertificateFile | undefined;
  #added: Added | undefined;
  #certificate: Certificate | undefined;
  /** Those before it that ssh may have read in the file. */
  #earlier: readonly Certificate[] = [];

  constructor(shown: Shown, { ended, onFailed, overlap = usualOverlap }: ShowingOptions) {
    this.#shown = shown;
    this.#overlap = overlap;
    const { certificateFile } = shown.order;
    this.#file =
      certificateFile === undefined
        ? undefined
        : new CertificateFile(certificateFile, {
            isWanted: () => this.isHeld && !ended.aborted,
            onWritten: () => {
              this.#dropLater();
            },
            onFailed,
          });
  }

  /** Also before it begins: the key is about to be added. */
  get isHeld(): boolean {
    return this.#added?.isHeld !== false;
  }

  begin(
    certificate: Certificate,
    identities: Pick<Identities, 'add'>,
    freshen: FrontIdentity['freshen'],
  ): void {
    this.#certificate = certificate;
    this.#added = identities.add({ ...this.#shown.identity, freshen, blobs: this.#blobs() });
  }

  /**
   * Resolved when ssh can read the certificate in its file, or the file cannot be written.
   *
   * @param certificate undefined if there is no valid one
   */
  async replace(certificate: Certificate | undefined): Promise<void> {
    const before = this.#certificate;
    if (this.#added && certificate !== before) {
      this.#certificate = certificate;
      if (before) this.#earlier = [...this.#earlier, before];
      this.#file?.put(certificate);
      if (!this.#file) this.#dropLater();
    }
    this.#list();
    await this.#file?.catchUp();
  }

  #dropLater(): void {
    const old = this.#earlier;
    setTimeout(() => {
      this.#earlier = this.#earlier.filter((one) => !old.includes(one));
      this.#list();
    }, this.#overlap).unref();
  }

  #list(): void {
    this.#earlier = this.#earlier.filter(({ validUntil }) => validUntil * 1000 > Date.now());
    this.#added?.replaceBlobs(this.#blobs());
  }

  /** Nobody registers a key that was made for this use, so only its certificate is offered. */
  #blobs(): Buffer[] {
    const { order, identity } = this.#shown;
    const certificates = [this.#certificate, ...this.#earlier.toReversed()];
    return [
      ...certificates.flatMap((certificate) => certificate?.blob ?? []),
      ...(order.line.reference.kind === 'new' ? [] : [identity.signer.publicKey.blob]),
    ];
  }
}
