/** The pushed public keys, each for one instance, one user and a minute. An instance's sshd asks for them. */

export interface PushedKey {
  readonly instanceId: string;
  readonly user: string;
  /** A line of authorized_keys. */
  readonly publicKey: string;
}

export class PushedKeys {
  readonly #lifetime: number;
  readonly #watchers = new Map<string, (keys: readonly PushedKey[]) => void>();
  #keys: readonly PushedKey[] = [];

  /** @param lifetime milliseconds */
  constructor(lifetime: number) {
    this.#lifetime = lifetime;
  }

  push(key: PushedKey): void {
    this.#keys = [...this.#keys, key];
    this.#tell(key.instanceId);
    setTimeout(() => {
      this.#keys = this.#keys.filter((one) => one !== key);
      this.#tell(key.instanceId);
    }, this.#lifetime).unref();
  }

  /** The valid keys of an instance. */
  of(instanceId: string): readonly PushedKey[] {
    return this.#keys.filter((key) => key.instanceId === instanceId);
  }

  /**
   * Called before the answer to each push for the instance, and when a key expires. Replaces another watcher of the
   * instance.
   */
  watch(instanceId: string, watcher: (keys: readonly PushedKey[]) => void): void {
    this.#watchers.set(instanceId, watcher);
  }

  unwatch(instanceId: string): void {
    this.#watchers.delete(instanceId);
  }

  #tell(instanceId: string): void {
    this.#watchers.get(instanceId)?.(this.of(instanceId));
  }
}
