/** `ssh-add -x` and `-X`: the passphrase that unlocks the agent. */
import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const derive = promisify<Buffer, Buffer, number, ScryptOptions, Buffer>(scrypt);
/** 4 MB of memory for each attempt. */
const cost: ScryptOptions = { N: 4096, r: 8 };

/** Milliseconds for each wrong passphrase in a row, as in ssh-agent.c. */
const delay = { step: 100, most: 10_000 } as const;

interface Sealed {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

export class AgentLock {
  #sealed: Sealed | undefined;
  #failures = 0;
  /** Attempts wait for each other, so that many connections cannot try faster than one. */
  #queue: Promise<unknown> = Promise.resolve();

  get isLocked(): boolean {
    return this.#sealed !== undefined;
  }

  /** @returns false if it is locked already, or if the passphrase is empty */
  async lock(passphrase: Buffer): Promise<boolean> {
    return await this.#inTurn(async () => {
      if (this.#sealed || passphrase.length === 0) return false;
      const salt = randomBytes(16);
      this.#sealed = { salt, hash: await derive(passphrase, salt, 32, cost) };
      return true;
    });
  }

  /** @returns false if it is not locked, or if the passphrase is wrong */
  async unlock(passphrase: Buffer): Promise<boolean> {
    return await this.#inTurn(async () => {
      if (!this.#sealed) return false;
      const { salt, hash } = this.#sealed;
      if (timingSafeEqual(await derive(passphrase, salt, 32, cost), hash)) {
        this.open();
        return true;
      }
      this.#failures++;
      await sleep(Math.min(delay.most, delay.step * this.#failures), undefined, { ref: false });
      return false;
    });
  }

  open(): void {
    this.#sealed = undefined;
    this.#failures = 0;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => undefined);
    return await turn;
  }
}
