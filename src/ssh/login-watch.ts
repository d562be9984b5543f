/** Whether a host let somebody in, from what can be seen of an SSH connection on its way through. Pure. */

/** RFC 4253 §12. From here on the sender's packets are sealed. */
const newKeys = 21;
/** Of what may still be in the clear: more than two greetings and key exchanges take. */
const longestClear = 128 * 1024;
/** Packets in which a client can ask to be let in: a service, a first try, MaxAuthTries of keys, and some to spare. */
const mostTries = 12;
/** Bytes. A host's answers to those are far shorter. */
const longestAnswers = 8 * 1024;

/**
 * While it asks to be let in, a client sends a packet and waits for the answer. Of an Ed25519 key it first asks whether the
 * host knows it, and signs only then: the signature makes that packet the one that is much longer than the request for the
 * service, which is the shortest of all.
 *
 * @source RFC 4253 §6, RFC 4252 §7; OpenSSH's sshconnect2.c
 */
export class LoginWatch {
  /** Of the client's bytes what is not read yet; undefined once all is sealed. */
  #clear: Buffer | undefined = Buffer.alloc(0);
  #greeted = false;
  /** Whether it is something else than SSH. */
  #other = false;
  #shortest = Infinity;
  #longest = 0;
  #packets = 0;
  #answered = 0;
  readonly #signed: number;

  /** @param user the login name, which is in each request */
  constructor(user: string) {
    // Of the request for the service it is 17 bytes; asking about a key 107 and the name, with a signature at least 194.
    this.#signed = 135 + Buffer.byteLength(user);
  }

  fromClient(chunk: Buffer): void {
    if (this.#other || chunk.length === 0) return;
    if (this.#clear === undefined) this.#count(chunk.length);
    else this.#read(Buffer.concat([this.#clear, chunk]));
  }

  fromHost(chunk: Buffer): void {
    if (this.#clear === undefined) this.#answered += chunk.length;
  }

  /** Whether the client took the host's key, asked to be let in, and came no further. */
  get refused(): boolean {
    if (this.#packets === 0 || this.#packets > mostTries || this.#answered > longestAnswers) return false;
    return this.#longest <= this.#shortest + this.#signed;
  }

  #count(length: number): void {
    this.#packets += 1;
    this.#shortest = Math.min(this.#shortest, length);
    this.#longest = Math.max(this.#longest, length);
  }

  #read(clear: Buffer): void {
    let rest = clear;
    if (!this.#greeted) {
      const end = rest.indexOf('\n');
      this.#greeted = end >= 0;
      rest = rest.subarray(end + 1);
    }
    while (this.#greeted && rest.length > 5) {
      const length = 4 + rest.readUInt32BE();
      if (rest.length < length) break;
      const type = rest[5];
      rest = rest.subarray(length);
      if (type !== newKeys) continue;
      this.#clear = undefined;
      if (rest.length > 0) this.#count(rest.length);
      return;
    }
    this.#clear = rest;
    this.#other = rest.length > longestClear;
  }
}
