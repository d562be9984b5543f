/**
 * `node bench/tunnel-memory.ts [SECONDS] [MEGABYTES]`: measures the peak memory of a client that carries this amount
 * down and up, while the receiver stops reading for this time in the middle. Linux only, because the kernel keeps the
 * peak. Exits with 1 if it is above the limit, or if a byte is wrong.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { madeBytes, startTransferWorld } from '../__tests__/ec2/session-manager/transfer.ts';
import { REGION } from '../__tests__/support/aws/world.ts';
import { bundled } from './bundled.ts';

const seconds = Number(process.argv[2] ?? 60);
const megabytes = Number(process.argv[3] ?? 200);
const limit = 150;
const chunk = madeBytes('memory', 1_000_000);
const expected = createHash('sha256');
for (let sent = 0; sent < megabytes; sent++) expected.update(chunk);
const wanted = expected.digest('hex');

const pipe = await bundled('tunnel-pipe');
const world = await startTransferWorld();

interface Stalled {
  readonly digest: string;
  /** Megabytes: before the stall, after it, and the peak. */
  readonly memory: { readonly before: number; readonly after: number; readonly most: number };
}

/** The client's process, with credentials that last as long as the test. */
async function startClient(instanceId: string): Promise<ChildProcess> {
  const credentials = await world.caller.credentials?.();
  // With the same options as helper/ssm-ssh-ec2.sh and helper/launch.sh.
  return spawn(process.execPath, ['--max-semi-space-size=2', pipe.path, instanceId, REGION], {
    env: { PATH: process.env['PATH'], ...world.aws.environment({ ...(credentials && { credentials }) }) },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

function memoryOf({ pid = 0 }: ChildProcess, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024);
}

async function send(to: Writable): Promise<void> {
  for (let sent = 0; sent < megabytes; sent++) if (!to.write(chunk)) await once(to, 'drain');
}

/** Reads everything, with a pause after the first half. */
async function take(from: Readable, client: ChildProcess): Promise<Stalled> {
  const digest = createHash('sha256');
  let length = 0;
  let rested: { before: number; after: number } | undefined;
  // Not destroyed, because the other direction has to end, too.
  for await (const bytes of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    digest.update(bytes);
    length += bytes.length;
    if (!rested && length > (megabytes * 1_000_000) / 2) {
      const before = memoryOf(client, 'VmRSS');
      await sleep(seconds * 1000);
      rested = { before, after: memoryOf(client, 'VmRSS') };
    }
    if (length >= megabytes * 1_000_000) break;
  }
  const most = memoryOf(client, 'VmHWM');
  return { digest: digest.digest('hex'), memory: { before: NaN, after: NaN, ...rested, most } };
}

async function down(): Promise<Stalled> {
  const instanceId = await world.launch((socket) => void send(socket).catch(() => undefined));
  const client = await startClient(instanceId);
  const { stdin, stdout } = client;
  if (!stdin || !stdout) throw new Error('a client without pipes');
  const taken = await take(stdout, client);
  stdin.end();
  await once(client, 'close');
  return taken;
}

async function up(): Promise<Stalled> {
  let accept: ((socket: Socket) => void) | undefined;
  const accepted = new Promise<Socket>((resolve) => (accept = resolve));
  const instanceId = await world.launch((socket) => accept?.(socket));
  const client = await startClient(instanceId);
  const { stdin, stdout } = client;
  if (!stdin || !stdout) throw new Error('a client without pipes');
  stdout.resume();
  const sending = send(stdin);
  const taken = await take(await accepted, client);
  await sending;
  stdin.end();
  await once(client, 'close');
  return taken;
}

const results = { 'reader stalls': await down(), 'host stalls': await up() };
console.log(
  `${megabytes} MB each, a stall of ${seconds} s in the middle; resident megabytes of the client's process`,
);
console.table(
  Object.fromEntries(
    Object.entries(results).map(([name, { digest, memory }]) => [
      name,
      { ...memory, right: digest === wanted },
    ]),
  ),
);
const { open, violations } = world.aws.sessions;
console.log(`sessions left: ${open.length}, violations: ${violations.length}`);
const good = Object.values(results).every(({ digest, memory }) => digest === wanted && memory.most < limit);
process.exitCode = good && open.length === 0 && violations.length === 0 ? 0 : 1;
pipe.remove();
await world.stop();
