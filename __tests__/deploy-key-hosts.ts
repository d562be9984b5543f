/** What the tests of both hosts' deploy keys share: an ssh server that only notes its keys, and options. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeployKey as Granted } from './support/git-host/grants.ts';

export class NotedKeys {
  readonly granted: Granted[] = [];

  readonly addDeployKey = (key: Granted): void => {
    this.granted.push(key);
  };
  readonly removeKey = (publicKey: string): void => {
    const index = this.granted.findIndex((key) => key.publicKey === publicKey);
    if (index < 0) throw new Error('no such key');
    this.granted.splice(index, 1);
  };
}

export const options = {
  ...{ env: {}, signal: new AbortController().signal, maxAttempts: 3, patience: 2000 },
  sleep: async (milliseconds: number) => {
    await sleep(Math.min(milliseconds, 10));
  },
};

/** A public key's line that no other test has. No host checks the point. */
export function publicKey(number: number): string {
  const field = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  const blob = Buffer.concat([field(Buffer.from('ssh-ed25519')), field(Buffer.alloc(32, number))]);
  return `ssh-ed25519 ${blob.toString('base64')}`;
}
