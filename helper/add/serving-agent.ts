/** Starts the agent that `add --agent` prints, for keys that sign and cannot be read: ours, with OpenSSH's agent behind it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServedKey } from '../../src/host/front-order.ts';
import type { LoadedKey } from '../../src/host/open-key.ts';
import { startFrontProcess } from '../../src/host/start-front.ts';
import { servedKey, type UsableKey } from '../../src/host/usable-key.ts';
import { isStoredLine, type KeyLine, type StoredKeyLine } from '../../src/keys/key-line.ts';
import { stopAgent, type Agent } from '../../src/ssh/agent.ts';
import { exclusively } from '../../src/ssh/key-folder.ts';
import { renderKnownHosts } from '../../src/ssh/known-hosts.ts';
import { startPrivateAgent } from '../../src/ssh/private-agent.ts';
import type { Running } from '../command-line/command.ts';
import type { Speech } from '../command-line/keys.ts';
import { knownHostsOf } from '../command-line/known-hosts-of.ts';
import type { Account } from '../command-line/account.ts';
import { startFrontFor } from '../command-line/signing-keys.ts';
import { nameTemporaryFolder } from '../command-line/temporary-folder.ts';

interface Adding {
  readonly running: Running;
  readonly account: Account & Speech;
  /** Seconds. */
  readonly lifetime: number;
  /** Loads stored keys into OpenSSH's agent. */
  readonly addStored: (lines: readonly StoredKeyLine[], agent: Agent) => Promise<readonly LoadedKey[]>;
}

export interface ServingAgent extends Agent {
  /** In the order of the lines. */
  readonly keys: readonly UsableKey[];
}

/** OpenSSH's agent and the folder go with ours, also if it is killed. If this fails, nothing is left. */
export async function startServingAgent(lines: readonly KeyLine[], adding: Adding): Promise<ServingAgent> {
  const folder = nameTemporaryFolder('add');
  const [socket, control, back] = ['agent', 'control', 'back'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const behind = await startPrivateAgent({ path: folder, socket: back }, adding.running);
  try {
    const pinned = join(folder, 'known_hosts');
    await writeFile(pinned, renderKnownHosts(''), exclusively);
    const stored = await adding.addStored(lines.filter(isStoredLine), behind);
    const knownHosts = [pinned, ...knownHostsOf(adding.running.env)];
    const orders = lines.flatMap((line) =>
      isStoredLine(line) ? [] : [{ line, lifetime: adding.lifetime, knownHosts }],
    );
    const wanted = { ...adding, place: { socket, control, back } };
    const { lifeline } = behind;
    const { keys, ...agent } = await startFrontFor(orders, wanted, (front, order, starting) =>
      startFrontProcess(front, order, { ...starting, lifeline }),
    );
    const inOrder = usableKeys(lines, stored, keys);
    adding.running.signal.throwIfAborted();
    return { ...agent, keys: inOrder };
  } catch (error) {
    // It may have the lifeline, too.
    await stopAgent(socket);
    await behind.end();
    throw error;
  }
}

/** The keys in the order of the lines. */
export function usableKeys(
  lines: readonly KeyLine[],
  stored: readonly LoadedKey[],
  served: readonly ServedKey[],
): UsableKey[] {
  const [left, ours] = [[...stored], [...served]];
  return lines.flatMap((line): UsableKey[] => {
    if (isStoredLine(line)) return left.splice(0, 1);
    return ours.splice(0, 1).map((key) => servedKey(line, key));
  });
}
