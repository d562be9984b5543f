/** Identities that are added together, when all of them could be opened. Until then the agent has those that it had. */
import type { Added, Identities } from './identities.ts';
import type { FrontIdentity } from './identity.ts';

export class StagedIdentities {
  readonly #identities: Pick<Identities, 'add' | 'remove'>;
  readonly #staged: Staged[] = [];

  constructor(identities: Pick<Identities, 'add' | 'remove'>) {
    this.#identities = identities;
  }

  add(identity: FrontIdentity): Added {
    const staged = new Staged(identity);
    this.#staged.push(staged);
    return staged;
  }

  remove(blob: Buffer): boolean {
    return this.#identities.remove(blob);
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
