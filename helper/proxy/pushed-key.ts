/**
 * The key for EC2 Instance Connect, valid for a minute. All connections of that minute share it. It is pushed once for
 * each user and instance.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ec2Caller } from '../../src/ec2/caller.ts';
import type { PublicKey } from '../../src/keys/public-key.ts';
import { addKeys, heldKeys } from '../../src/ssh/agent-keys.ts';
import { madeAlready, singleFlight, unlessGone } from './single-flight.ts';

/** Seconds that a key must still be valid, so that ssh has time to use it. */
const enough = 20;
/**
 * Milliseconds to wait for: the agent's answer; another process that makes a key; a push to AWS; the first key of a new
 * agent (helper/ssm-ssh-keeper.sh waits for a minute).
 */
const patience = { asking: 1_000, making: 3_000, pushing: 10_000, coming: 30_000 } as const;

export interface PushTarget {
  readonly instanceId: string;
  readonly user: string;
}

export interface PushOptions {
  /** The folder of the agent for pushed keys. */
  readonly folder: string;
  readonly caller: Ec2Caller;
}

interface SharedKey {
  readonly type: string;
  /** Base64. */
  readonly blob: string;
  /** Seconds since the epoch at which the agent forgets the key. */
  readonly until: number;
  readonly folder: string;
}

/** The mark `live` is gone if another agent was started since. */
function isGood({ until }: SharedKey, own: string): boolean {
  return until - Date.now() / 1000 >= enough && existsSync(join(own, 'live'));
}

/** Whether an agent runs and will stay: it has a valid key, or a process has announced one. */
export async function hasAgent(folder: string, signal: AbortSignal): Promise<boolean> {
  // Read the key before the agent's list: a key that is added in between must not count as missing.
  const key = await madeAlready<SharedKey>(join(folder, 'keys'), { isGood });
  const socket = join(folder, 'agent');
  const held = await heldKeys({ socket }, { signal, patience: patience.asking }).catch(() => undefined);
  if (!held) return false;
  if (key && held.some((blob) => blob.equals(blobOf(key)))) return true;
  // Another program has removed the agent's keys.
  if (key) await rm(join(key.folder, 'live'), { force: true });
  const reserved = await stat(join(folder, 'reserved')).catch(() => undefined);
  return reserved !== undefined && Date.now() - reserved.mtimeMs < patience.coming;
}

/**
 * Ensures that the agent has a key which the instance accepts for the user. An instance without EC2 Instance Connect
 * does not.
 *
 * @returns the seconds since the epoch at which the key ends
 * @throws the errors of pushing the key and adding it
 */
export async function offerPushedKey(
  { instanceId, user }: PushTarget,
  options: PushOptions,
): Promise<number> {
  const { caller } = options;
  const name = createHash('sha256').update(`${instanceId} ${user}`).digest('hex');
  // The key is pushed after it was made, so the push lasts at least as long as the key.
  const push = (folder: string, publicKey: PublicKey): Promise<boolean> =>
    singleFlight(join(folder, 'pushed', name), {
      make: async () => {
        const { pushKey } = await import('../../src/ec2/instance-connect.ts');
        await pushKey({ instanceId, user, publicKey }, caller);
        return true;
      },
      isGood: (pushed) => pushed,
      patience: patience.pushing,
      signal: caller.signal,
    });
  let pushing: Promise<boolean> | undefined;
  const key = await sharedKey(options, (folder, publicKey) => {
    pushing = push(folder, publicKey);
    pushing.catch(() => undefined);
  });
  await (pushing ?? push(key.folder, { type: key.type, blob: blobOf(key), comment: '' }));
  return key.until;
}

/**
 * The private key is only in this process, in the agent's socket and in the agent.
 *
 * @param made called with the key's folder if this process makes the key, before the agent has it
 */
async function sharedKey(
  { folder, caller }: PushOptions,
  made: (own: string, publicKey: PublicKey) => void,
): Promise<SharedKey> {
  const { signal } = caller;
  return await singleFlight<SharedKey>(join(folder, 'keys'), {
    make: async (own) => {
      const { makeKeyPair, pushedKeyLifetime } = await import('../../src/ec2/instance-connect.ts');
      const key = makeKeyPair('ssm-ssh, for EC2 hosts');
      // Read the clock before the key is added: the mark must not outlast the key.
      const until = Math.floor(Date.now() / 1000) + pushedKeyLifetime;
      made(own, key.publicKey);
      const limits = { lifetime: pushedKeyLifetime, signal };
      await addKeys({ socket: join(folder, 'agent') }, [{ ...key, resource: 'memory' }], limits);
      await writeFile(join(own, 'live'), `${until}\n`, { flag: 'wx', mode: 0o600 }).catch(unlessGone);
      const { type, blob } = key.publicKey;
      return { type, blob: blob.toString('base64'), until, folder: own };
    },
    isGood,
    patience: patience.making,
    signal,
  });
}

function blobOf({ blob }: SharedKey): Buffer {
  return Buffer.from(blob, 'base64');
}
