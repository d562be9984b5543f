/** A Signer whose key stays in KMS. Importing this file loads the AWS SDK. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  GetPublicKeyCommand,
  SignCommand,
  type KMSClient,
  type SigningAlgorithmSpec,
} from '@aws-sdk/client-kms';
import { waitForSignature } from '../aws/back-off.ts';
import { notFromAws } from '../aws/failures.ts';
import { inTurn, type Regions } from '../aws/failover.ts';
import { renewing } from '../aws/renewing.ts';
import { abortable } from '../deadline.ts';
import { aliasOf } from '../aws/kms-statement.ts';
import { Failure, type Code } from '../errors.ts';
import type { KmsReference } from '../keys/key-reference.ts';
import { leastSafeRsaBits, rsaBits } from '../keys/key-fields.ts';
import { otherAlgorithm } from '../keys/memory-signer.ts';
import type { PublicKey } from '../keys/public-key.ts';
import { algorithmsOf, hashes, writeSignature } from '../keys/signature.ts';
import type { SignatureAlgorithm, Signer } from '../keys/signer.ts';
import { previousAlias } from '../keys/rotation-aliases.ts';
import { readSpki } from '../keys/spki.ts';
import { kmsClient, regionsFor, signingClient, type KmsPlace } from './kms-client.ts';
import { kmsFailure, newKeyHint } from './kms-failures.ts';

export interface KmsSigner extends Signer {
  /** ARN of the key. An alias may move to another one; this signer then refuses. */
  readonly keyArn: string;
  readonly region: string;
}

/** Names of KMS. @source KMS API Reference, Sign, `SigningAlgorithm` */
export const kmsAlgorithms: Readonly<Record<SignatureAlgorithm, SigningAlgorithmSpec>> = {
  'rsa-sha2-256': 'RSASSA_PKCS1_V1_5_SHA_256',
  'rsa-sha2-512': 'RSASSA_PKCS1_V1_5_SHA_512',
  'ecdsa-sha2-nistp256': 'ECDSA_SHA_256',
  'ecdsa-sha2-nistp384': 'ECDSA_SHA_384',
  'ecdsa-sha2-nistp521': 'ECDSA_SHA_512',
  'ssh-ed25519': 'ED25519_SHA_512',
};

/** Bytes. @source KMS API Reference, Sign, `Message` */
const longestMessage = 4096;

/**
 * Reads the public key. A key that is an ARN is asked in its own Region, any other in the first Region that can be
 * reached; it signs there.
 *
 * @throws KEY_NOT_FOUND, KEY_ACCESS_DENIED, KMS_KEY_UNUSABLE, KEY_UNSUPPORTED, and the failures of any call
 */
export async function openKmsSigner(
  reference: KmsReference,
  place: Omit<KmsPlace, 'region'>,
  regions: Regions,
): Promise<KmsSigner> {
  const { answer } = await inTurn(
    ({ region, signal }) => openIn(reference, { ...place, region }, signal),
    regionsFor(reference, regions),
  );
  return answer;
}

async function openIn(reference: KmsReference, place: KmsPlace, signal: AbortSignal): Promise<KmsSigner> {
  const doing = 'reading the public key of';
  const { region, forget } = place;
  try {
    const command = new GetPublicKeyCommand({ KeyId: reference.name });
    const client = kmsClient(place, region);
    const reading = renewing(place, () => client.send(command, { abortSignal: signal }));
    const answer = await abortable(reading, signal);
    const { KeyId: keyArn, PublicKey: der, KeyUsage } = answer;
    if (keyArn === undefined || !der) throw notFromAws({ service: 'kms', region, resource: reference.text });
    const publicKey = publicKeyOf(der, reference);
    if (KeyUsage !== undefined && KeyUsage !== 'SIGN_VERIFY') {
      throw cannotSign(reference, `is for ${KeyUsage}, and not for signatures`);
    }
    return new SignerInKms({
      ...{ reference, client: signingClient(place, region), region },
      ...{ publicKey, keyArn, forget },
    });
  } catch (error) {
    signal.throwIfAborted();
    throw kmsFailure(error, { reference, region, doing });
  }
}

/** The name without an account id: it becomes the comment of the public key. */
function shownKmsName({ name }: KmsReference): string {
  return `kms:${name.replace(/^arn:(?:[^:]*:){4}(?:key\/)?/, '')}`;
}

function publicKeyOf(der: Uint8Array, reference: KmsReference): PublicKey {
  const key = readSpki(der);
  const bits = key && rsaBits(key.blob);
  if (!key) throw cannotSign(reference, 'is of a type that SSH does not have');
  // KMS makes none, and GitHub and OpenSSH accept none.
  if (bits !== undefined && bits < leastSafeRsaBits)
    throw cannotSign(reference, `is an RSA key of ${bits} bits`);
  return { ...key, comment: shownKmsName(reference) };
}

function cannotSign({ text }: KmsReference, problem: string): Failure {
  return new Failure('KEY_UNSUPPORTED', `the KMS key ${text} ${problem}`, { hint: newKeyHint });
}

const movedHint =
  'load the key again, and register its new public key: ssm-ssh-agent public REFERENCE prints it';

/** Servers that emulate KMS answer an ARN to one call and an id to another. An alias stays in its account and Region. */
function idOf(key: string): string {
  return key.replace(/^.*\//, '');
}

interface Opened {
  readonly reference: KmsReference;
  readonly client: KMSClient;
  readonly region: string;
  readonly publicKey: PublicKey;
  readonly keyArn: string;
  readonly forget: KmsPlace['forget'] | undefined;
}

/** What KMS says of an alias that is gone or not allowed, or whose key is given up. */
const refusals: ReadonlySet<string> = new Set<Code>([
  'KEY_NOT_FOUND',
  'KEY_ACCESS_DENIED',
  'KMS_KEY_UNUSABLE',
]);

class SignerInKms implements KmsSigner {
  readonly #opened: Opened;
  /** Whether a rotation has given the alias to another key: then the alias for old keys is asked first. */
  #isPrevious = false;

  constructor(opened: Opened) {
    this.#opened = opened;
  }

  get publicKey(): PublicKey {
    return this.#opened.publicKey;
  }

  get keyArn(): string {
    return this.#opened.keyArn;
  }

  get region(): string {
    return this.#opened.region;
  }

  get algorithms(): readonly SignatureAlgorithm[] {
    return algorithmsOf(this.publicKey.type);
  }

  async sign(data: Buffer, algorithm: SignatureAlgorithm, signal: AbortSignal): Promise<Buffer> {
    if (!this.algorithms.includes(algorithm)) throw otherAlgorithm(algorithm, this.#opened.reference.text);
    const message = this.#messageOf(data, algorithm);
    const command = new SignCommand({
      ...{ KeyId: this.#opened.reference.name, SigningAlgorithm: kmsAlgorithms[algorithm], ...message },
    });
    const signature = await this.#untilServed(signal, () => this.#sendRenewed(command, signal));
    try {
      return writeSignature(algorithm, signature);
    } catch (error) {
      throw notFromAws(this.#attempted(), error);
    }
  }

  /** Ed25519 has no digest in KMS. */
  #messageOf(
    data: Buffer,
    algorithm: SignatureAlgorithm,
  ): { Message: Buffer; MessageType: 'RAW' | 'DIGEST' } {
    const hash = hashes[algorithm];
    if (data.length <= longestMessage) return { Message: data, MessageType: 'RAW' };
    if (hash !== undefined) return { Message: createHash(hash).update(data).digest(), MessageType: 'DIGEST' };
    throw new Failure(
      'SIGNATURE_REFUSED',
      `KMS signs at most ${longestMessage} bytes by Ed25519, and ${data.length} were asked for with ${this.#opened.reference.text}`,
      { hint: 'use an ECDSA or RSA key for it: they sign a digest' },
    );
  }

  /** Once more with new credentials, if AWS says that they have expired. */
  async #sendRenewed(command: SignCommand, signal: AbortSignal): Promise<Buffer> {
    return await renewing(this.#opened, () => this.#send(command, signal));
  }

  /**
   * The alias is what the policy allows, so it is asked by its name, and its key is compared. While a rotation is not
   * finished, the key that was loaded before signs by the alias for old keys.
   */
  async #send(command: SignCommand, signal: AbortSignal): Promise<Buffer> {
    const { keyArn, reference } = this.#opened;
    if (this.#isPrevious) {
      const signature = await this.#sendAsPrevious(command, signal);
      if (signature) return signature;
    }
    const { KeyId, signature } = await this.#ask(command, signal);
    if (idOf(KeyId) === idOf(keyArn)) return signature;
    const old = this.#isPrevious ? undefined : await this.#sendAsPrevious(command, signal);
    if (old) return old;
    throw new Failure(
      'SIGNATURE_REFUSED',
      `${reference.text} is another KMS key now (${KeyId}): the signature is not used, because hosts know the key before`,
      { hint: movedHint },
    );
  }

  /** @returns undefined if that alias leads to another key, is gone, or is not allowed */
  async #sendAsPrevious(command: SignCommand, signal: AbortSignal): Promise<Buffer | undefined> {
    const { keyArn, reference } = this.#opened;
    const alias = aliasOf(reference);
    if (alias === undefined) return undefined;
    const KeyId = reference.name.slice(0, -alias.length) + previousAlias(alias);
    const wanted = new SignCommand({ ...command.input, KeyId });
    const answer = await this.#ask(wanted, signal).catch((error: unknown) => {
      if (error instanceof Failure && refusals.has(error.code)) return undefined;
      throw error;
    });
    this.#isPrevious = answer !== undefined && idOf(answer.KeyId) === idOf(keyArn);
    return this.#isPrevious ? answer?.signature : undefined;
  }

  async #ask(
    command: SignCommand,
    signal: AbortSignal,
  ): Promise<{ readonly KeyId: string; readonly signature: Buffer }> {
    const { client, reference, region } = this.#opened;
    let answer;
    try {
      answer = await abortable(client.send(command, { abortSignal: signal }), signal);
    } catch (error) {
      signal.throwIfAborted();
      throw kmsFailure(error, { reference, region, doing: 'signing with' });
    }
    const { KeyId, Signature } = answer;
    if (KeyId === undefined || !Signature) throw notFromAws(this.#attempted());
    return { KeyId, signature: Buffer.from(Signature) };
  }

  /**
   * The quota is the account's: other jobs use it up for some seconds. KMS is asked again as long as the caller waits.
   */
  async #untilServed<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    let throttled: Failure | undefined;
    for (let tries = 0; ; tries++) {
      try {
        if (throttled) await sleep(waitForSignature(tries), undefined, { signal });
        return await work();
      } catch (error) {
        // The refusal says more than the end of the caller's patience.
        if (signal.aborted) throw throttled ?? error;
        if (!(error instanceof Failure) || error.code !== 'THROTTLED') throw error;
        throttled = error;
      }
    }
  }

  #attempted(): Parameters<typeof notFromAws>[0] {
    return { service: 'kms', region: this.region, resource: this.#opened.reference.text };
  }
}
