/**
 * The ssh-agent protocol: encodes messages to an agent and decodes its answers. agent-requests.ts has the agent's side.
 * Pure.
 *
 * @source RFC 9987; openssh-portable, PROTOCOL.agent
 */
import type { Certificate } from '../keys/certificate.ts';
import type { PrivateKey } from '../keys/private-key.ts';
import { joinFields, string, uint32, WireReader } from '../keys/wire.ts';
import type { HostKey } from './host-keys.ts';

/** Message numbers. */
export const requests = {
  /** Of protocol 1. `ssh-add -D` sends it after the other one, and OpenSSH's agent removes all keys. */
  removeAllOldIdentities: 9,
  listIdentities: 11,
  sign: 13,
  addIdentity: 17,
  removeIdentity: 18,
  removeAllIdentities: 19,
  lock: 22,
  unlock: 23,
  addConstrainedIdentity: 25,
  extension: 27,
} as const;
export const answers = {
  failure: 5,
  success: 6,
  identities: 12,
  signature: 14,
  extensionFailure: 28,
  extension: 29,
} as const;

const constraints = { lifetime: 1, extension: 255 } as const;

/** Bytes: the largest message of OpenSSH's agent (AGENT_MAX_LEN in ssh-agent.c and authfd.c). */
export const longestMessage = 256 * 1024;

/** A message without its length: the number, then the fields in wire form. */
export function message(number: number, ...fields: readonly Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.of(number), ...fields]);
  const framed = string(body);
  body.fill(0); // It may hold a private key.
  return framed;
}

/** A host that the agent may sign for. */
export interface Destination {
  /** The name in known_hosts form: `[host]:port` if the port is not 22. */
  readonly host: string;
  readonly keys: readonly HostKey[];
}

export interface Constraints {
  /** Seconds until the agent forgets the key; 0 for no limit. */
  readonly lifetime: number;
  /** Empty for no restriction. */
  readonly destinations: readonly Destination[];
}

/** An identity in the agent's form. */
export interface Identity {
  /** The algorithm's name; for a certificate, the name of the certificate's algorithm. */
  readonly type: string;
  /** The fields before the comment, in wire form. Secret. */
  readonly fields: Buffer;
  readonly comment: string;
}

export function identityOf({ publicKey, fields }: PrivateKey): Identity {
  return { type: publicKey.type, fields: joinFields(fields), comment: publicKey.comment };
}

/** Number of the plain key's fields that a certificate replaces. Ed25519 replaces none: it repeats the public key. */
const certified: Readonly<Record<string, number>> = { 'ssh-ed25519': 0 };

/** The same key with its certificate. The agent has and offers both. */
export function certifiedIdentityOf(
  { publicKey, fields }: PrivateKey,
  { type, blob }: Pick<Certificate, 'type' | 'blob'>,
): Identity {
  const secret = fields.slice(certified[publicKey.type] ?? 2);
  return {
    type,
    fields: Buffer.concat([string(blob), joinFields(secret)]),
    comment: publicKey.comment,
  };
}

export function addIdentity({ type, fields, comment }: Identity, limits: Constraints): Buffer {
  const constraints = encodeConstraints(limits);
  const number = constraints.length > 0 ? requests.addConstrainedIdentity : requests.addIdentity;
  return message(number, string(type), fields, string(comment), constraints);
}

export function listIdentities(): Buffer {
  return message(requests.listIdentities);
}

/** @param blob the public key or the certificate */
export function removeIdentity(blob: Buffer): Buffer {
  return message(requests.removeIdentity, string(blob));
}

export function removeAllIdentities(): Buffer {
  return message(requests.removeAllIdentities);
}

function encodeConstraints({ lifetime, destinations }: Constraints): Buffer {
  const limit = lifetime > 0 ? [Buffer.of(constraints.lifetime), uint32(lifetime)] : [];
  if (destinations.length === 0) return Buffer.concat(limit);
  const restriction = [
    Buffer.of(constraints.extension),
    string('restrict-destination-v00@openssh.com'),
    string(Buffer.concat(destinations.map(encodeDestination))),
  ];
  return Buffer.concat([...limit, ...restriction]);
}

const empty = string('');

/** A permission from this machine to the host, for any user. Each hop ends with a reserved field, and so does the pair. */
function encodeDestination({ host, keys }: Destination): Buffer {
  const hop = (name: string, specs: readonly Buffer[]): Buffer =>
    string(Buffer.concat([empty, string(name), empty, ...specs]));
  const specs = keys.map(({ blob, isAuthority }) =>
    Buffer.concat([string(blob), Buffer.of(isAuthority ? 1 : 0)]),
  );
  return string(Buffer.concat([hop('', []), hop(host, specs), empty]));
}

/** An identity in an agent's list. */
export interface ListedIdentity {
  /** The public key or the certificate. */
  readonly blob: Buffer;
  readonly comment: Buffer;
}

/**
 * The identities in the agent's list.
 *
 * @param answer a message without its length
 * @throws RangeError if the message has another type or is incomplete
 */
export function readIdentities(answer: Buffer): ListedIdentity[] {
  if (answer[0] !== answers.identities) throw new RangeError('the answer is not a list of identities');
  const reader = new WireReader(answer.subarray(1));
  const count = reader.uint32();
  const listed: ListedIdentity[] = [];
  while (listed.length < count) listed.push({ blob: reader.string(), comment: reader.string() });
  return listed;
}

/** Splits received bytes into messages without their lengths. */
export class MessageReader {
  #chunks: Buffer[] = [];
  #size = 0;
  /** Number of bytes needed before the next step. */
  #wanted = 4;

  /** Whether a message has begun and is not complete. */
  get isInside(): boolean {
    return this.#size > 0;
  }

  /** @throws RangeError for an impossible length */
  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size < this.#wanted) return [];
    // Joined once for all messages of the chunk: a chunk may hold thousands of them.
    let bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    const messages: Buffer[] = [];
    for (this.#wanted = 4; bytes.length >= this.#wanted;) {
      const length = bytes.readUInt32BE();
      if (length === 0 || length > longestMessage) throw new RangeError(`a message of ${length} bytes`);
      const end = 4 + length;
      this.#wanted = bytes.length < end ? end : 4;
      if (bytes.length < end) break;
      messages.push(bytes.subarray(4, end));
      bytes = bytes.subarray(end);
    }
    this.#chunks = bytes.length > 0 ? [bytes] : [];
    this.#size = bytes.length;
    return messages;
  }
}
