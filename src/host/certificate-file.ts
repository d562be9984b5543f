/** The file in which ssh reads the certificate of a key. While it cannot be written, it is tried again. */
import { dirname } from 'node:path';
import { Failure } from '../errors.ts';
import type { Certificate } from '../keys/certificate.ts';
import { writeWhole } from './kept-files.ts';

export interface CertificateFileOptions {
  /** Asked before each try. The folder may be gone with the key. */
  readonly isWanted: () => boolean;
  /** Called when the file has the newest certificate. */
  readonly onWritten: () => void;
  /** Called once for each certificate: the next tries would say the same. */
  readonly onFailed: (failure: Failure) => void;
}

/** Milliseconds until the next try, if nobody lists the keys before. */
const pause = 5_000;

export class CertificateFile {
  readonly #path: string;
  readonly #options: CertificateFileOptions;
  /** What the file does not have yet. */
  #missing: Certificate | undefined;
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failed: Certificate | undefined;

  constructor(path: string, options: CertificateFileOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** Call `catchUp` for the first try. @param certificate undefined if there is no valid one */
  put(certificate: Certificate | undefined): void {
    this.#missing = certificate;
  }

  /** Resolved after the try. Never rejects. */
  async catchUp(): Promise<void> {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
    await this.#writing;
  }

  async #write(): Promise<void> {
    const { isWanted, onWritten } = this.#options;
    clearTimeout(this.#timer);
    for (let wanted = this.#missing; wanted && isWanted(); wanted = this.#missing) {
      try {
        await writeWhole(this.#path, `${wanted.line}\n`);
      } catch (error) {
        this.#tryLater(wanted, error);
        return;
      }
      // Meanwhile there may be a newer one.
      if (this.#missing !== wanted) continue;
      this.#missing = undefined;
      onWritten();
    }
  }

  #tryLater(wanted: Certificate, cause: unknown): void {
    this.#timer = setTimeout(() => void this.catchUp(), pause).unref();
    if (wanted === this.#failed) return;
    this.#failed = wanted;
    const why = cause instanceof Error ? cause.message : 'unknown';
    this.#options.onFailed(
      new Failure('STATE_UNSAFE', `the new certificate cannot be written: ${why}`, {
        hint: `free space on the disk of ${dirname(this.#path)} (df -h, df -i): it is tried again`,
        cause,
      }),
    );
  }
}
