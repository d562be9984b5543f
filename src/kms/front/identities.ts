/** The identities of the agent in front. Each ends with its lifetime, its last use, or when somebody removes it. */
import type { ListedIdentity } from '../../ssh/agent-protocol.ts';
import type { FrontIdentity } from './identity.ts';

/** Milliseconds. Node's timers are limited to 31 bits. */
const longestTimer = 2 ** 31 - 1;

export interface Added {
  /** Replaces the certificate, unless a client has removed it. The lifetime and the number of uses continue. */
  replaceBlobs(blobs: readonly Buffer[]): void;
  /** Removes the identity, if nobody has done it yet. */
  remove(): void;
  readonly isHeld: boolean;
}

export class HeldIdentity {
  readonly identity: FrontIdentity;
  #blobs: readonly Buffer[];
  /** What a client has removed. */
  readonly #removed = new Set<'plain' | 'certificate'>();
  /** Milliseconds of the agent's clock. */
  readonly endsAt: number;
  timer: NodeJS.Timeout | undefined;
  isHeld = true;
  /** Signatures that may still be made, and how many of them are in progress. */
  #left: number;
  #taken = 0;

  constructor(identity: FrontIdentity, now: number) {
    const { lifetime, uses = Infinity } = identity.limits;
    this.identity = identity;
    this.#blobs = identity.blobs;
    this.endsAt = lifetime > 0 ? now + lifetime * 1000 : Infinity;
    this.#left = uses;
  }

  get blobs(): readonly Buffer[] {
    return this.#blobs;
  }

  /** What a client has removed does not come back. */
  replaceBlobs(blobs: readonly Buffer[]): void {
    this.#blobs = blobs.filter((blob) => !this.#removed.has(this.#kindOf(blob)));
  }

  /** With a certificate, also the one that overlaps with it. */
  removeBlob(blob: Buffer): void {
    this.#removed.add(this.#kindOf(blob));
    this.replaceBlobs(this.#blobs);
  }

  #kindOf(blob: Buffer): 'plain' | 'certificate' {
    return blob.equals(this.identity.signer.publicKey.blob) ? 'plain' : 'certificate';
  }

  /**
   * Takes a use before the signature is made, so that concurrent signatures cannot be more than allowed. Call `use` or
   * `giveUseBack` afterwards.
   *
   * @returns false if no use is left
   */
  takeUse(): boolean {
    if (this.#left - this.#taken < 1) return false;
    this.#taken++;
    return true;
  }

  giveUseBack(): void {
    this.#taken--;
  }

  /** Whether a signature in progress takes the last use. */
  get isAtLastUse(): boolean {
    return this.#left <= 1;
  }

  use(): void {
    this.#taken--;
    this.#left--;
  }
}

export interface IdentitiesOptions {
  /** Milliseconds of a clock that is never set back. */
  readonly now: () => number;
  /** Called when the last identity has ended. */
  readonly onEmpty: () => void;
}

export class Identities {
  #held: HeldIdentity[] = [];
  readonly #options: IdentitiesOptions;

  constructor(options: IdentitiesOptions) {
    this.#options = options;
  }

  /** An identity with the same plain key is replaced, as by OpenSSH's agent. */
  add(identity: FrontIdentity): Added {
    const held = new HeldIdentity(identity, this.#options.now());
    const key = identity.signer.publicKey.blob;
    const before = this.#held.filter((other) => other.identity.signer.publicKey.blob.equals(key));
    this.#held.push(held);
    for (const other of before) this.#end(other);
    this.#watch(held);
    return {
      replaceBlobs: (blobs) => {
        held.replaceBlobs(blobs);
      },
      remove: () => {
        this.#end(held);
      },
      get isHeld() {
        return held.isHeld;
      },
    };
  }

  /** @param blob a plain key or a certificate */
  find(blob: Buffer): HeldIdentity | undefined {
    this.#endExpired();
    return this.#held.find(({ blobs }) => blobs.some((own) => own.equals(blob)));
  }

  /** Whether there is none. One whose certificate has ended is still here, and is not listed. */
  get isEmpty(): boolean {
    this.#endExpired();
    return this.#held.length === 0;
  }

  /** Call this before `list` for a client. */
  async freshen(): Promise<void> {
    await Promise.all(
      this.#held.map(async ({ identity }) => {
        await identity.freshen?.();
      }),
    );
  }

  list(): ListedIdentity[] {
    this.#endExpired();
    return this.#held.flatMap(({ blobs, identity }) =>
      blobs.map((blob) => ({ blob, comment: Buffer.from(identity.comment) })),
    );
  }

  /**
   * For a client: removes a plain key or a certificate, and those that follow. The identity ends with the last of them.
   *
   * @returns whether it was here
   */
  remove(blob: Buffer): boolean {
    const held = this.find(blob);
    if (!held) return false;
    held.removeBlob(blob);
    if (held.blobs.length === 0) this.#end(held);
    return true;
  }

  removeAll(): void {
    for (const held of [...this.#held]) this.#end(held);
  }

  /**
   * Call this for each signature that was made.
   *
   * @throws what `onSpent` throws: then the use does not count, and the signature must not be given away
   */
  countUse(held: HeldIdentity): void {
    const isLast = held.isAtLastUse;
    if (isLast) held.identity.limits.onSpent?.();
    held.use();
    if (isLast) this.#end(held);
  }

  /** A timer may be late, for example after the machine was suspended. */
  #endExpired(): void {
    const now = this.#options.now();
    for (const held of this.#held.filter(({ endsAt }) => now >= endsAt)) this.#end(held);
  }

  #watch(held: HeldIdentity): void {
    if (held.endsAt === Infinity) return;
    const left = Math.max(0, held.endsAt - this.#options.now());
    held.timer = setTimeout(
      () => {
        this.#endExpired();
        if (held.isHeld) this.#watch(held);
      },
      Math.min(longestTimer, Math.ceil(left)),
    );
    held.timer.unref();
  }

  #end(held: HeldIdentity): void {
    if (!held.isHeld) return;
    held.isHeld = false;
    clearTimeout(held.timer);
    this.#held = this.#held.filter((other) => other !== held);
    if (this.#held.length === 0) this.#options.onEmpty();
  }
}
