/** Adds keys that sign and cannot be read to an agent of ours at SSH_AUTH_SOCK: of `add --agent`, of `exec`, or of a job. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { additionName, readAdded, writeAddition } from '../../src/host/front-addition.ts';
import { failureIn, type ServedKey } from '../../src/host/front-order.ts';
import type { LoadedKey } from '../../src/host/open-key.ts';
import type { UsableKey } from '../../src/host/usable-key.ts';
import { isStoredLine, type KeyLine } from '../../src/keys/key-line.ts';
import { askFront, isFront } from '../../src/kms/front/control.ts';
import type { Running } from '../command-line/command.ts';
import { inHost, voiceOf, type Speech } from '../command-line/keys.ts';
import { knownHostsOf } from '../command-line/known-hosts-of.ts';
import type { Account } from '../command-line/account.ts';
import { withProfile } from '../command-line/signing-keys.ts';
import { usableKeys } from './serving-agent.ts';

interface Adding {
  readonly running: Running;
  readonly account: Account & Speech;
  /** Seconds. */
  readonly lifetime: number;
  /** Loads the stored keys of the lines. */
  readonly addStored: () => Promise<readonly LoadedKey[]>;
}

/** Milliseconds: the agent has its own time limits for AWS. */
const patience = 120_000;

/** Whether the socket is one of an agent of ours, which answers our programs on another socket beside it. */
export async function isOurs(socket: string, signal: AbortSignal): Promise<boolean> {
  if (socket === '' || !existsSync(controlBeside(socket))) return false;
  return await isFront(controlBeside(socket), signal);
}

function controlBeside(socket: string): string {
  return join(dirname(socket), 'control');
}

/** @returns the keys in the order of the lines @throws what the agent could not do */
export async function addToServing(lines: readonly KeyLine[], adding: Adding): Promise<UsableKey[]> {
  const served = await addSigning(lines, adding);
  return usableKeys(lines, await adding.addStored(), served);
}

async function addSigning(
  lines: readonly KeyLine[],
  { running, account, lifetime }: Adding,
): Promise<readonly ServedKey[]> {
  const { env: given, signal } = running;
  const knownHosts = knownHostsOf(given);
  const keys = lines.flatMap((line) => (isStoredLine(line) ? [] : [{ line, lifetime, knownHosts }]));
  return await inHost(account, running, async (host, env) => {
    const { hostOrder } = await import('../../src/host/host-order.ts');
    const order = await hostOrder(keys, host, withProfile(env, account));
    const asked = { name: additionName, question: writeAddition(order) };
    const control = controlBeside(given['SSH_AUTH_SOCK'] ?? '');
    const answer = readAdded(await askFront(control, asked, { signal, patience }));
    const voice = voiceOf(account, running);
    for (const { kind, text } of answer.said) voice[kind](text);
    if ('failure' in answer) throw failureIn(answer.failure);
    return answer.keys;
  });
}
