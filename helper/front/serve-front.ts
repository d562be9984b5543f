/** What the process of the agent in front does: opens the keys of its order, serves them, and ends with the last of them. */
import type { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { abortAfter, anySignal, tookTooLong } from '../../src/deadline.ts';
import { Failure, toFailure } from '../../src/errors.ts';
import {
  readOrder,
  sayFailure,
  writeLine,
  type FrontOrder,
  type Said,
  type ServedKey,
} from '../../src/host/front-order.ts';
import { additionName, readAddition, writeAdded } from '../../src/host/front-addition.ts';
import type { Voice } from '../../src/host/voice.ts';
import type { Extension } from '../../src/kms/front/control.ts';
import { startFront, type Front, type FrontOptions } from '../../src/kms/front/front.ts';
import { StagedIdentities } from '../../src/kms/front/staged-identities.ts';
import { endBySignals, guardProcess, type Signals } from '../../src/kms/front/guarded-process.ts';
import { stopAgent } from '../../src/ssh/agent.ts';

export interface FrontIo {
  readonly pid: number;
  readonly signals: Signals;
  readonly input: Readable;
  readonly answer: (line: string) => void;
  readonly useEnv: (env: Readonly<Record<string, string>>) => void;
}

/** @returns the exit code */
export async function serveFront(args: readonly string[], io: FrontIo): Promise<number> {
  await guardProcess(io.signals);
  const sockets = socketsOf(args);
  const said: Said[] = [];
  let front: Front | undefined;
  try {
    const order = readOrder(await firstLine(io.input));
    io.useEnv(order.env);
    const adding: Extension = (question) => addKeys(readAddition(question, order), front, io.pid);
    const extensions = { [additionName]: adding };
    front = await startFront({ ...sockets, endWhenEmpty: !order.endsWithInput, extensions });
    endBySignals(front, io.signals);
    if (order.endsWithInput) io.input.once('end', () => void front?.end()).resume();
    const keys = await openKeys(order, front, said);
    io.answer(writeLine({ said, pid: io.pid, keys }));
    await front.ended;
    return 0;
  } catch (error) {
    io.answer(writeLine({ said, failure: sayFailure(toFailure(error)) }));
    await front?.end();
    return 1;
  } finally {
    if (sockets.back !== undefined) await stopAgent(sockets.back);
  }
}

/** `-a` as for ssh-agent: whoever looks for the agent behind a socket finds this process by it. */
function socketsOf(args: readonly string[]): Pick<FrontOptions, 'socket' | 'control' | 'back'> {
  const string = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { address: { ...string, short: 'a' }, control: string, back: string },
  });
  const { address: socket = '', control = '', back } = values;
  return { socket, control, back };
}

async function firstLine(input: Readable): Promise<string> {
  return await new Promise((resolve, reject) => {
    let line = '';
    const take = (text: string): void => {
      line += text;
      if (!line.endsWith('\n')) return;
      input.off('data', take).off('end', lost).pause();
      resolve(line);
    };
    const lost = (): void => {
      reject(new Failure('AGENT_FAILED', 'the order ended early', { hint: 'run it again' }));
    };
    input.setEncoding('utf8').on('data', take).on('end', lost).on('error', reject);
  });
}

/** For a program that asks over the control socket. Adds all keys or none. */
async function addKeys(order: FrontOrder, front: Front | undefined, pid: number): Promise<unknown> {
  if (!front) throw new Failure('AGENT_FAILED', 'the agent is starting', { hint: 'run it again' });
  const said: Said[] = [];
  const keys = await openKeys(order, front, said);
  return writeAdded({ said, pid, keys });
}

/** The AWS SDK is loaded here: it reads some variables while it loads. */
async function openKeys(order: FrontOrder, front: Front, said: Said[]): Promise<ServedKey[]> {
  const { serveKey } = await import('../../src/host/signing-key.ts');
  const { wanted, env, missing, openBy } = order;
  const ended = new AbortController();
  const over = (): void => {
    ended.abort(new Failure('AGENT_FAILED', 'the agent has ended', { hint: 'load the key again' }));
  };
  void front.ended.then(over);
  const hint = 'check the network to AWS, or give it more time: timeout-seconds, ssm.timeout';
  const reason = tookTooLong('opening the keys', wanted.timeoutSeconds, hint);
  const voice = voiceOf(said);
  const milliseconds = openBy === undefined ? wanted.timeoutSeconds * 1000 : openBy - Date.now();
  // Not withDeadline: the work says what it waited for, and would lose the race.
  const limit = new AbortController();
  const timer = abortAfter(Math.max(1, milliseconds), limit, reason);
  const signal = anySignal(ended.signal, limit.signal);
  try {
    const opening = { wanted, env, missing, signal, ended: ended.signal, voice };
    const staged = new StagedIdentities(front.identities);
    const serving = { identities: staged, log: front.log };
    const opened = await Promise.allSettled(order.keys.map((key) => serveKey(key, serving, opening)));
    const failed = opened.find((one) => one.status === 'rejected');
    if (failed) {
      staged.drop();
      throw failed.reason;
    }
    staged.addAll();
    return opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  } finally {
    clearTimeout(timer);
  }
}

/** Nothing has to be masked: what is read here is never printed. */
function voiceOf(said: Said[]): Voice {
  return {
    info: (text) => said.push({ kind: 'info', text }),
    warn: (text) => said.push({ kind: 'warn', text }),
    mask: () => undefined,
  };
}
