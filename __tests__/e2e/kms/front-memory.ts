/** Measures the memory of the agent in front as it is in dist, which signs by a local KMS with the real AWS SDK. Linux only. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isStoredLine, parseKeyLine } from '../../../src/keys/key-line.ts';
import type { FrontWanted, Order } from '../../../src/host/front-order.ts';
import { startPrivateFront } from '../../../src/host/start-front.ts';
import { ACCOUNT, allow, REGION, startReadyWorld, trustGitHub } from '../../support/aws/world.ts';
import { askFrontSocket } from '../../support/front.ts';
import { signMessage, sshsigData } from '../../kms/front/requests.ts';

/** In megabytes, resident. */
export interface KmsFrontMemory {
  /** Of a Node that does nothing. */
  readonly bare: number;
  /** Of the agent when its key is open. */
  readonly start: number;
  /** Peak of the agent after a fifth of the signatures. What is resident goes up and down with garbage. */
  readonly fifth: number;
  /** Peak of the agent. */
  readonly peak: number;
  /** Milliseconds of a processor that the agent used for each signature. */
  readonly processor: number;
}

/** The project's folder, with dist. */
const project = dirname(dirname(dirname(import.meta.dirname)));
const role = `arn:aws:iam::${ACCOUNT}:role/signing`;
const perConnection = 50;

/** The agent has the role of a job, by GitHub's OIDC service. */
export async function measureKmsFront(signatures: number, installation = project): Promise<KmsFrontMemory> {
  const world = await startReadyWorld();
  const { iam, signingKeys } = world.aws;
  const policies = [allow(['kms:GetPublicKey', 'kms:Sign'], '*')];
  iam.createRole({ arn: role, trustPolicy: trustGitHub(), policies });
  signingKeys.create({ account: ACCOUNT, region: REGION, alias: 'alias/measured' });
  const folder = mkdtempSync(join(tmpdir(), 'memory-'));
  const place = { socket: join(folder, 'agent'), control: join(folder, 'control') };
  const bare = spawn(process.execPath, ['-e', 'console.log(); setInterval(() => undefined, 1e9)'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {},
  });
  await firstOutput(bare);
  const front = await startPrivateFront(
    { ...place, installation, node: process.execPath },
    orderFor(world.jobEnvironment()),
    {
      env: process.env,
      signal: AbortSignal.timeout(60_000),
      voice: { info: () => undefined, warn: console.error },
    },
  );
  try {
    const blob = front.keys[0]?.publicKey.blob;
    if (!blob) throw new Error('no key is open');
    const sign = async (count: number): Promise<void> => {
      const messages = Array.from({ length: perConnection }, () => signMessage(blob, sshsigData()));
      for (let done = 0; done < count; done += perConnection) {
        const answers = await askFrontSocket(place.socket, ...messages);
        if (answers.some(([number]) => number !== 14)) throw new Error('a signature is missing');
        world.aws.forgetCalls();
      }
    };
    const start = resident(front.pid, 'VmRSS');
    await sign(signatures / 5);
    const fifth = resident(front.pid, 'VmHWM');
    await sign((signatures * 4) / 5);
    const peak = resident(front.pid, 'VmHWM');
    const processor = Math.round((used(front.pid) / signatures) * 10) / 10;
    return { bare: resident(bare.pid, 'VmRSS'), start, fifth, peak, processor };
  } finally {
    bare.kill('SIGKILL');
    await front.end();
    await world.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function orderFor(env: Readonly<Record<string, string>>): Order {
  const wanted: FrontWanted = {
    ...{ regions: [REGION], allowedAccounts: [], maxAttempts: 3, timeoutSeconds: 60 },
    role: {
      ...{ arn: role, through: [], sessionName: 'job', durationSeconds: 900 },
      ...{ audience: 'sts.amazonaws.com', externalId: undefined, policy: 'auto' },
    },
  };
  const line = parseKeyLine('kms:alias/measured github.com');
  if (isStoredLine(line)) throw new Error('not a key in KMS');
  return {
    keys: [{ line, lifetime: 0, knownHosts: [] }],
    ...{ wanted, env, missing: { region: '', credentials: '', expired: '' } },
  };
}

async function firstOutput({ stdout }: ChildProcess): Promise<void> {
  if (stdout) await once(stdout, 'data');
}

function resident(pid: number | undefined, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  return Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024);
}

/** Milliseconds of user and system time. */
function used(pid: number): number {
  const fields = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
    .replace(/.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
