/** Identities that are added together, when all of them could be opened. Until then the agent has those that it had. */
import { Failure } from '../../errors.ts';
import type { Added, Identities } from './identities.ts';
import type { FrontIdentity, KnownHost } from './identity.ts';

export class StagedIdentities {
  readonly #identities: Pick<Identities, 'add'>;
  readonly #staged: Staged[] = [];

  constructor(identities: Pick<Identities, 'add'>) {
    this.#identities = identities;
  }

  /**
   * A key that is on several lines serves the hosts of all of them.
   *
   * @throws INPUT_INVALID if the lines differ in anything else
   */
  add(identity: FrontIdentity): Added {
    const same = this.#staged.find((one) => one.isFor(identity));
    if (same) {
      same.join(identity);
      return same;
    }
    const staged = new Staged(identity);
    this.#staged.push(staged);
    return staged;
  }

  addAll(): void {
    for (const staged of this.#staged) staged.begin(this.#identities);
  }

  /** None of them is added; their certificates are not renewed. */
  drop(): void {
    for (const staged of this.#staged) staged.remove();
  }
}

class Staged implements Added {
  #identity: FrontIdentity;
  #added: Added | undefined;
  #isWanted = true;

  constructor(identity: FrontIdentity) {
    this.#identity = identity;
  }

  isFor({ signer }: FrontIdentity): boolean {
    return this.#identity.signer.publicKey.blob.equals(signer.publicKey.blob);
  }

  join(other: FrontIdentity): void {
    const [one, two] = [this.#identity, other];
    if (one.freshen || two.freshen || rulesOf(one) !== rulesOf(two)) {
      throw new Failure(
        'INPUT_INVALID',
        `${two.comment} is the key of two lines that differ in their options`,
        {
          hint: 'write one line with all repositories of the key',
        },
      );
    }
    const hosts = async (signal: AbortSignal): Promise<readonly KnownHost[]> =>
      (await Promise.all([one.limits.hosts(signal), two.limits.hosts(signal)])).flat();
    this.#identity = { ...one, limits: { ...one.limits, hosts } };
  }

  begin(identities: Pick<Identities, 'add'>): void {
    if (this.#isWanted) this.#added = identities.add(this.#identity);
  }

  replaceBlobs(blobs: readonly Buffer[]): void {
    if (this.#added) this.#added.replaceBlobs(blobs);
    else this.#identity = { ...this.#identity, blobs };
  }

  remove(): void {
    this.#isWanted = false;
    this.#added?.remove();
  }

  get isHeld(): boolean {
    return this.#added ? this.#added.isHeld : this.#isWanted;
  }
}

function rulesOf({ limits: { lifetime, uses, unbound, forwarding } }: FrontIdentity): string {
  return JSON.stringify([lifetime, uses, unbound, forwarding]);
}
