/** The key that an instance takes for a minute: one for all connections of that minute, pushed once for each user and instance. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ec2Caller } from '../../src/ec2/caller.ts';
import type { PublicKey } from '../../src/keys/public-key.ts';
import { addKeys, heldKeys } from '../../src/ssh/agent-keys.ts';
import { madeAlready, singleFlight, unlessGone } from './single-flight.ts';

/** Seconds that a key has to be good for, so that ssh comes to use it. */
const enough = 20;
/**
 * Milliseconds that others wait: for an agent's answer; for a key that is made; for a push, which AWS may hold up; and that
 * an agent is sure to wait for the next key (helper/ssm-ssh-keeper.sh waits for a minute).
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
  /** Seconds since the epoch: the agent forgets it then. */
  readonly until: number;
  readonly folder: string;
}

/** Who starts an agent takes the marks away that were another agent's. */
function isGood({ until }: SharedKey, own: string): boolean {
  return until - Date.now() / 1000 >= enough && existsSync(join(own, 'live'));
}

/** Whether an agent is there that stays for a while: it has a key which is good, or has been told that one will come. */
export async function hasAgent(folder: string, signal: AbortSignal): Promise<boolean> {
  // In this order: what is added between the two is not missed.
  const key = await madeAlready<SharedKey>(join(folder, 'keys'), { isGood });
  const socket = join(folder, 'agent');
  const held = await heldKeys({ socket }, { signal, patience: patience.asking }).catch(() => undefined);
  if (!held) return false;
  if (key && held.some((blob) => blob.equals(blobOf(key)))) return true;
  // Somebody has emptied the agent.
  if (key) await rm(join(key.folder, 'live'), { force: true });
  const reserved = await stat(join(folder, 'reserved')).catch(() => undefined);
  return reserved !== undefined && Date.now() - reserved.mtimeMs < patience.coming;
}

/**
 * Afterwards the agent has a key that the instance takes from the user, unless the instance itself does not ask for it.
 *
 * @throws what pushing and adding throw
 */
export async function offerPushedKey({ instanceId, user }: PushTarget, options: PushOptions): Promise<void> {
  const { caller } = options;
  const name = createHash('sha256').update(`${instanceId} ${user}`).digest('hex');
  // It is pushed after it was made, and so is good there for as long as it is good at all.
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
}

/**
 * The private half is in this process, in one socket, and in the agent.
 *
 * @param made called with its folder where it is this process that makes the key: the agent gets it meanwhile
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
      // The second in which it is added counts: the mark goes no later than the key.
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
