/** Detects from an encrypted SSH connection's packets whether the host refused the login. Pure. */

/** RFC 4253 §12. After it, the sender's packets are encrypted. */
const newKeys = 21;
/** Bytes. Two greetings and key exchanges are smaller. */
const longestClear = 128 * 1024;
/** Packets of a client that logs in: a service request, a first try, MaxAuthTries keys, and a reserve. */
const mostTries = 12;
/** Bytes. A host's answers to those packets are much smaller. */
const longestAnswers = 8 * 1024;

/**
 * During login, a client sends a packet and waits for the answer. For an Ed25519 key it first asks whether the host
 * accepts it, and signs only then. The packet with the signature is much longer than the service request, which is the
 * shortest packet.
 *
 * @source RFC 4253 §6, RFC 4252 §7; OpenSSH's sshconnect2.c
 */
export class LoginWatch {
  /** The client's unread plain bytes; undefined after encryption has started. */
  #clear: Buffer | undefined = Buffer.alloc(0);
  #greeted = false;
  /** Whether the connection is not SSH. */
  #other = false;
  #shortest = Infinity;
  #longest = 0;
  #packets = 0;
  #answered = 0;
  readonly #signed: number;
  readonly #question: number;
  readonly #clock: () => number;
  #beganAt: number | undefined;
  #askedAt: number | undefined;
  #answeredAt: number | undefined;

  /**
   * @param user the login name, which is a part of each request
   * @param clock milliseconds
   */
  constructor(user: string, clock: () => number) {
    // The service request has 17 bytes, and the try without a key 31 plus the name. A question about a key has 107 plus
    // the name; a request with a signature at least 194. Each has up to 16 bytes of padding.
    this.#signed = 135 + Buffer.byteLength(user);
    this.#question = 30 + Buffer.byteLength(user);
    this.#clock = clock;
  }

  fromClient(chunk: Buffer): void {
    if (this.#other || chunk.length === 0) return;
    if (this.#clear === undefined) this.#count(chunk.length);
    else this.#read(Buffer.concat([this.#clear, chunk]));
  }

  fromHost(chunk: Buffer): void {
    if (this.#clear !== undefined) return;
    this.#answered += chunk.length;
    if (this.#askedAt !== undefined) this.#answeredAt ??= this.#clock();
  }

  /**
   * When the host judged the first key: its answer, because the question may have been long on its way. Without a key
   * or an answer the client's own time. undefined: the client never asked to log in.
   */
  get judgedAt(): number | undefined {
    return this.#answeredAt ?? this.#askedAt ?? this.#beganAt;
  }

  /** Whether the client accepted the host's key and asked to log in, but did not succeed. */
  get refused(): boolean {
    if (this.#packets === 0 || this.#packets > mostTries || this.#answered > longestAnswers) return false;
    return this.#longest <= this.#shortest + this.#signed;
  }

  #count(length: number): void {
    this.#packets += 1;
    this.#shortest = Math.min(this.#shortest, length);
    this.#longest = Math.max(this.#longest, length);
    this.#beganAt ??= this.#clock();
    if (length > this.#shortest + this.#question) this.#askedAt ??= this.#clock();
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
