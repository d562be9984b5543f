/** Measures the memory of a process with the agent in front. Linux only. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundled } from '../../../bench/bundled.ts';
import { askFront } from '../../../src/kms/front/control.ts';
import { askFrontSocket } from '../../support/front.ts';
import { signMessage, sshsigData } from './requests.ts';

/** In megabytes. */
export interface FrontMemory {
  /** Resident: of a Node that does nothing, and of the agent at its start and after the signatures. */
  readonly bare: number;
  readonly start: number;
  readonly end: number;
  /** Peak of the agent. */
  readonly peak: number;
  /** How much the objects in use grew after the first tenth of the signatures. */
  readonly grown: number;
}

/** Node's options that a long-running program of ours has: a smaller young generation costs no time here. */
const options = ['--expose-gc', '--max-semi-space-size=2'];
const perConnection = 50;

export async function measureFront(signatures: number): Promise<FrontMemory> {
  const folder = mkdtempSync(join(tmpdir(), 'memory-'));
  const program = await bundled('front-process');
  const [bare, front] = [
    start(['-e', 'console.log(); setInterval(() => undefined, 1e9)']),
    start([...options, program.path, folder, 'nistp256']),
  ];
  try {
    const [, line] = await Promise.all([firstLine(bare), firstLine(front)]);
    await sleep(500);
    const atStart = resident(front, 'VmRSS');
    const sign = (count: number): Promise<void> => signMany(join(folder, 'agent'), line, count);
    await sign(signatures / 10);
    const before = await used(folder);
    await sign((signatures * 9) / 10);
    const grown = ((await used(folder)) - before) / 1e6;
    return {
      ...{ bare: resident(bare, 'VmRSS'), start: atStart, end: resident(front, 'VmRSS') },
      ...{ peak: resident(front, 'VmHWM'), grown },
    };
  } finally {
    for (const child of [bare, front]) child.kill('SIGKILL');
    program.remove();
    rmSync(folder, { recursive: true });
  }
}

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env: {} });
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  if (!stdout) throw new Error('no output');
  const [chunk] = (await once(stdout, 'data')) as [Buffer];
  return chunk.toString().trim();
}

async function signMany(socket: string, line: string, count: number): Promise<void> {
  const blob = Buffer.from(line.split(' ')[1] ?? '', 'base64');
  const messages = Array.from({ length: perConnection }, () => signMessage(blob, sshsigData()));
  for (let done = 0; done < count; done += perConnection) {
    const answers = await askFrontSocket(socket, ...messages);
    if (answers.some(([number]) => number !== 14)) throw new Error('a signature is missing');
  }
}

async function used(folder: string): Promise<number> {
  const signal = AbortSignal.timeout(10_000);
  const answer = await askFront(join(folder, 'control'), { name: 'memory@test' }, { signal });
  return (answer as { readonly used: number }).used;
}

function resident({ pid = 0 }: ChildProcess, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024);
}
