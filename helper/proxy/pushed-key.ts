/** The key that an instance takes for a minute: one for all connections of that minute, pushed once for each user and instance. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ec2Caller } from '../../src/ec2/caller.ts';
import type { PublicKey } from '../../src/keys/public-key.ts';
import { addKey, type AgentOptions } from '../../src/ssh/agent.ts';
import { agentHas } from '../../src/ssh/agent-keys.ts';
import { tellKeeper } from '../../src/ssh/user-agent.ts';
import { madeAlready, oneOfAll } from './one-of-all.ts';

/** Seconds that a key has to be good for, so that ssh comes to use it. */
const enough = 20;
/** Milliseconds that others wait: for a key that is made, and for a push, which AWS may hold up. */
const patience = { making: 3_000, pushing: 10_000 } as const;

export interface PushTarget {
  readonly instanceId: string;
  readonly user: string;
}

export interface PushOptions extends Pick<AgentOptions, 'env'> {
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

/** Whether there is nothing to do but to push: an agent is there, and has a key that is good for a while. */
export async function hasSharedKey(folder: string): Promise<boolean> {
  const key = await madeAlready<SharedKey>(join(folder, 'keys'), { isGood });
  return key !== undefined && (await agentHas(join(folder, 'agent'), bytesOf(key)));
}

/**
 * Afterwards the agent has a key that the instance takes from the user, unless the instance itself does not ask for it.
 *
 * @throws what pushing and adding throw
 */
export async function offerPushedKey(target: PushTarget, options: PushOptions): Promise<void> {
  const { caller } = options;
  const key = await sharedKey(options);
  const publicKey = { type: key.type, ...bytesOf(key), comment: '' };
  const name = createHash('sha256').update(`${target.instanceId} ${target.user}`).digest('hex');
  // It was pushed after it was made, and so is good there for as long as it is good at all.
  await oneOfAll(join(key.folder, 'pushed', name), {
    make: async () => {
      const { pushKey } = await import('../../src/ec2/instance-connect.ts');
      await pushKey({ ...target, publicKey }, caller);
      return true;
    },
    isGood: (pushed) => pushed,
    patience: patience.pushing,
    signal: caller.signal,
  });
}

/** The private half is in this process, in one pipe, and in the agent. */
async function sharedKey({ folder, caller, env }: PushOptions): Promise<SharedKey> {
  const { signal } = caller;
  return await oneOfAll<SharedKey>(join(folder, 'keys'), {
    make: async (own) => {
      const { makeKeyPair, pushedKeyLifetime } = await import('../../src/ec2/instance-connect.ts');
      const key = makeKeyPair('ssm-ssh, for EC2 hosts');
      // The second in which it is added counts: the mark goes no later than the key.
      const until = Math.floor(Date.now() / 1000) + pushedKeyLifetime;
      const limits = { lifetime: pushedKeyLifetime, hosts: [], knownHosts: '' };
      await addKey({ socket: join(folder, 'agent') }, key, { env, signal, resource: 'memory', ...limits });
      await writeFile(join(own, 'live'), `${until}\n`, { flag: 'wx', mode: 0o600 });
      await tellKeeper(folder);
      return { ...shared(key.publicKey), until, folder: own };
    },
    isGood,
    patience: patience.making,
    signal,
  });
}

function shared({ type, blob }: PublicKey): Pick<SharedKey, 'type' | 'blob'> {
  return { type, blob: blob.toString('base64') };
}

function bytesOf({ blob }: Pick<SharedKey, 'blob'>): Pick<PublicKey, 'blob'> {
  return { blob: Buffer.from(blob, 'base64') };
}
