/** The part of ssm-ssh for EC2 hosts that needs Node: `proxy` is the ProxyCommand of its ssh, `find` looks up a tag. */
import { parseArgs } from 'node:util';
import { toFailure } from '../../src/errors.ts';
import type { Ec2Place } from '../../src/host/ec2-caller.ts';
import { rolesIn } from '../../src/host/settings.ts';
import { warningsOnly, type Voice } from '../../src/host/voice.ts';
import { visible } from '../../src/keys/visible-text.ts';
import { invalid } from '../command-line/parse.ts';
import { OutputClosed } from '../write-text.ts';
import { parseHostPlace, timeLimit } from '../command-line/host-place.ts';
import type { Stdio } from '../proxy/carry.ts';
import { explained, find, reach, type Around } from '../proxy/reach.ts';
import { beginReport, endReport, type Outcome } from '../proxy/report.ts';
import { parseHost, parsePort, parseWay } from '../proxy/way.ts';

const program = 'ssm-ssh';

export interface TunnelIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether standard error is a terminal. */
  readonly terminal: boolean;
  readonly tell: (text: string) => void;
  /** Standard output, except in `proxy`, where it carries the connection. */
  readonly out: (text: string) => void;
  /** The folder of the programs' scripts. */
  readonly helper: string;
  /** @param shell the process id of ssm-ssh */
  readonly stdio: (shell?: number) => Stdio;
}

const text = { type: 'string', default: '' } as const;

const options = {
  ...{ host: text, port: text, user: text, via: text, region: text, timeout: text, job: text },
  ...{ state: text, report: text, shell: text },
  'role-arn': { type: 'string', multiple: true, default: [] as string[] },
} as const;

/** helper/ssm-ssh-ec2.sh writes them: they are checked for what people wrote only. */
type Arguments = Record<Exclude<keyof typeof options, 'role-arn'>, string> & {
  readonly 'role-arn': string[];
};

/** @returns the exit code */
export async function tunnel([part, ...args]: readonly string[], io: TunnelIo): Promise<number> {
  const given: Arguments = parseArgs({ args: [...args], options, strict: true }).values;
  if (part === 'find') return await run(io, () => findHost(given, io));
  const { report } = given;
  if (!report || !(await beginReport(report))) return await run(io, () => proxy(given, io));
  const reported = { isEnded: false };
  const end = async (outcome: Outcome): Promise<void> => {
    reported.isEnded = true;
    await endReport(report, outcome, program);
  };
  try {
    return await run(io, () => proxy(given, io, end));
  } finally {
    if (!reported.isEnded) await end({ refused: false });
  }
}

async function run(io: TunnelIo, work: () => Promise<unknown>): Promise<number> {
  try {
    await work();
    return 0;
  } catch (error) {
    if (error instanceof OutputClosed) throw error;
    io.tell(`${toFailure(error).render(program)}\n`);
    return 255;
  }
}

async function proxy(given: Arguments, io: TunnelIo, ended?: Around['ended']): Promise<void> {
  const via = parseWay(given.via, 'ssm.via (SSM_SSH_VIA)');
  const { user, state } = given;
  const wanted = {
    ...{ host: parseHost(given.host, via), port: parsePort(given.port), user, via, place: placeOf(given) },
    ...(state && { push: { folder: state } }),
  };
  const around = { ...aroundOf(io), ...io.stdio(Number(given.shell) || undefined), ...(ended && { ended }) };
  try {
    await reach(wanted, around);
  } catch (error) {
    // A signal ended it: no message is needed.
    if (!around.signal.aborted) throw error;
  }
}

async function findHost(given: Arguments, io: TunnelIo): Promise<void> {
  const host = parseHost(given.host, 'session-manager');
  if (host.kind !== 'tag') throw invalid(`${given.host} is no tag`, 'write TAG=VALUE');
  const { env, terminal, tell } = io;
  const place = placeOf(given);
  const signal = timeLimit(place.timeoutSeconds, `looking ${given.host} up`);
  const waiting = setTimeout(() => {
    if (terminal) tell(`${program}: looking ${visible(given.host)} up\n`);
  }, 1000);
  const voice = voiceOf(io);
  const { openEc2Caller } = await import('../../src/host/ec2-caller.ts');
  try {
    const { instanceId } = await find(host, (target) => openEc2Caller(target, place, { env, signal, voice }));
    io.out(`${instanceId}\n`);
  } catch (error) {
    throw explained(error, { place }, { env });
  } finally {
    clearTimeout(waiting);
  }
}

function placeOf(given: Arguments): Ec2Place {
  return {
    ...parseHostPlace({
      region: given.region || undefined,
      roles: rolesIn(given['role-arn'].join(' ')),
      timeout: given.timeout,
    }),
    job: given.job || undefined,
  };
}

function aroundOf(io: TunnelIo): Omit<Around, keyof Stdio> {
  const { env, helper, terminal, tell } = io;
  return {
    ...{ env, helper, voice: voiceOf(io) },
    wait: (what) => {
      if (terminal) tell(`${program}: ${visible(what)}\n`);
    },
  };
}

function voiceOf({ tell }: TunnelIo): Voice {
  return warningsOnly((message) => {
    tell(`${program}: warning: ${visible(message)}\n`);
  });
}
