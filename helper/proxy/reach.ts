/** Connects to an EC2 host: finds the instance, opens a tunnel and pushes a key at the same time, then copies bytes. */
import { join } from 'node:path';
import { Failure } from '../../src/errors.ts';
import { hostCredentialsHint } from '../../src/aws/credentials-hint.ts';
import type { Way } from '../../src/aws/ec2-session-policy.ts';
import type { Ec2Caller } from '../../src/ec2/caller.ts';
import { isDenied } from '../../src/ec2/denials.ts';
import type { HostName, InstanceName } from '../../src/ec2/host-name.ts';
import type { Instance } from '../../src/ec2/instances.ts';
import type { Tunnel } from '../../src/ec2/tunnel.ts';
import { abortable, abortAfter, tookTooLong, within } from '../../src/deadline.ts';
import type { Ec2Place, Ec2Target } from '../../src/host/ec2-caller.ts';
import type { Voice } from '../../src/host/voice.ts';
import { LoginWatch } from '../../src/ssh/login-watch.ts';
import { carry, type Stdio } from './carry.ts';
import type { Outcome } from './report.ts';
import type { PushTarget } from './pushed-key.ts';

export interface Wanted {
  readonly host: HostName;
  readonly port: number;
  readonly user: string;
  readonly via: Way;
  /** Absent: no key is pushed. */
  readonly push?: { readonly folder?: string | undefined } | undefined;
  /** timeoutSeconds limits everything before the first byte. */
  readonly place: Ec2Place;
}

export interface Around extends Stdio {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder of the shell scripts. */
  readonly helper: string;
  /** Called once if the connection takes long. */
  readonly wait: (text: string) => void;
  readonly voice: Voice;
  /** Called with the result before the tunnel is closed: closing takes a second, and ssm-ssh may not wait for it. */
  readonly ended?: (outcome: Outcome) => Promise<void>;
}

/** Seconds that ssh needs to log in once the tunnel is open: then a pushed key must last as long. */
const loginTime = 15;
/** Milliseconds before the first progress message. */
const progressDelay = 1_000;
/** Milliseconds for the other half's failure. */
const otherHalfLimit = 1_200;
/**
 * Milliseconds for closing the tunnel, which also ends the session at AWS. Longer than the limits in
 * src/ec2/session-manager/tunnel.ts together: opening may still be in progress. ssh does not wait for it.
 */
const closingLimit = 3_300;

/**
 * Returns when the connection has ended on either side.
 *
 * @throws the errors of opening; TUNNEL_FAILED and SESSION_FAILED if the tunnel breaks
 */
export async function reach(wanted: Wanted, around: Around): Promise<Outcome> {
  const { user, push } = wanted;
  const { tunnel, ...opened } = await open(wanted, around);
  const watch = new LoginWatch(user, Date.now);
  try {
    await carry(tunnel.stream, around, watch);
    const { refused, judgedAt } = watch;
    const failure = refused && push ? loginRefused({ ...opened, user, judgedAt }) : undefined;
    const outcome = { refused, ...(failure && { failure }) };
    await around.ended?.(outcome);
    return outcome;
  } finally {
    await within(closingLimit, tunnel.close());
  }
}

export interface RefusedLogin extends PushTarget, Pick<Opened, 'until'> {
  /** Milliseconds since the epoch. The connection may end much later, behind a question for a password. */
  readonly judgedAt: number | undefined;
}

/** Explains why a host refused a key that AWS accepted. */
export function loginRefused({ instanceId, user, until, judgedAt }: RefusedLogin): Failure {
  const isOver = until !== undefined && judgedAt !== undefined && until * 1000 <= judgedAt;
  return new Failure('INSTANCE_CONNECT_FAILED', `${instanceId} refused the pushed key of ${user}`, {
    hint: isOver
      ? 'the minute for which AWS offers the key was over before the login: connect again, and see what slows the connection down'
      : `check that the user ${user} exists there (ec2-user on Amazon Linux, ubuntu on Ubuntu, admin on Debian) and that the package ` +
        "ec2-instance-connect is installed there; the policy's ec2:osuser is not the cause, because AWS accepted the key",
  });
}

interface Opened {
  readonly tunnel: Tunnel;
  readonly instanceId: string;
  /** The seconds since the epoch at which the pushed key ends; undefined: no key was pushed. */
  readonly until?: number | undefined;
}

async function open(wanted: Wanted, around: Around): Promise<Opened> {
  const { seconds, what } = { seconds: wanted.place.timeoutSeconds, what: textOf(wanted.host) };
  const life = new AbortController();
  const stop = (): void => {
    life.abort(around.signal.reason);
  };
  if (around.signal.aborted) stop();
  around.signal.addEventListener('abort', stop, { once: true });
  const hint = 'check that this machine reaches AWS, or raise ssm.timeout (SSM_SSH_TIMEOUT)';
  const limit = abortAfter(
    seconds * 1000,
    life,
    tookTooLong(`opening a connection to ${what}`, seconds, hint),
  );
  const telling = setTimeout(() => {
    around.wait(`opening a connection to ${what} (${wanted.via})`);
  }, progressDelay);
  try {
    return await openBoth(wanted, around, life);
  } catch (error) {
    throw explained(error, wanted, around);
  } finally {
    clearTimeout(limit);
    clearTimeout(telling);
    around.signal.removeEventListener('abort', stop);
  }
}

/** Starts the agent while the AWS SDK loads, and loads the tunnel's code first, to save time. */
async function openBoth(wanted: Wanted, around: Around, life: AbortController): Promise<Opened> {
  const { host, via, user, push } = wanted;
  const { env, voice } = around;
  const { signal } = life;
  const agent = push && findAgent(wanted, around, signal);
  agent?.catch(() => undefined);
  const loadingTunnel = loadTunnel(via);
  const { openEc2Caller } = await import('../../src/host/ec2-caller.ts');
  const callerFor = async (target: Ec2Target): Promise<Ec2Caller> =>
    await abortable(openEc2Caller({ via, ...target }, wanted.place, { env, signal, voice }), signal);
  const instanceId = host.kind === 'tag' ? (await find(host, callerFor)).instanceId : host.id;
  const caller = await callerFor({ instanceId, user: push && user });
  const openTunnel = await loadingTunnel;
  const opening = openTunnel({ instanceId, port: wanted.port }, caller).catch(async (error: unknown) => {
    throw push ? error : await clearerReason(error, instanceId, caller);
  });
  const target = { instanceId, user };
  const pushing = agent ? offer(target, caller, agent) : Promise.resolve(undefined);
  const tunnel = await bothOrNone(opening, pushing, life);
  const until = await pushing;
  if (until === undefined || secondsTo(until) >= loginTime) return { tunnel, instanceId, until };
  // An earlier connection made the key, and this one took long to open.
  const again = offer(target, caller, findAgent(wanted, around, signal)).catch((error: unknown) => {
    if (signal.aborted || secondsTo(until) <= 0) throw error;
    return until;
  });
  return { tunnel, instanceId, until: await orClose(tunnel, abortable(again, signal)) };
}

/** @returns the seconds since the epoch at which the key ends */
async function offer(target: PushTarget, caller: Ec2Caller, agent: Promise<string>): Promise<number> {
  const [{ offerPushedKey }, folder] = await Promise.all([import('./pushed-key.ts'), agent]);
  return await offerPushedKey(target, { folder, caller });
}

async function orClose<T>(tunnel: Tunnel, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    await within(closingLimit, tunnel.close());
    throw error;
  }
}

function secondsTo(until: number): number {
  return until - Date.now() / 1000;
}

/** @returns the folder of the agent for pushed keys */
async function findAgent(
  { push, place }: Wanted,
  { helper, env }: Around,
  signal: AbortSignal,
): Promise<string> {
  const [{ hasAgent }, { findStateFolder, userOf }] = await Promise.all([
    import('./pushed-key.ts'),
    import('../../src/host/state-folder.ts'),
  ]);
  const folder = push?.folder ?? join(await findStateFolder(userOf(env)), 'ec2');
  if (await hasAgent(folder, signal)) return folder;
  const { ensureAgent } = await import('../../src/host/user-agent.ts');
  await ensureAgent(folder, { helper, seconds: place.timeoutSeconds, env, signal });
  return folder;
}

/** @throws TARGET_NOT_FOUND, TARGET_AMBIGUOUS, and the errors of any AWS call */
export async function find(
  host: InstanceName,
  callerFor: (target: Ec2Target) => Promise<Ec2Caller>,
): Promise<Instance> {
  const [{ findInstance }, caller] = await Promise.all([import('../../src/ec2/instances.ts'), callerFor({})]);
  return await abortable(findInstance(host, caller), caller.signal);
}

type OpenTunnel = (
  target: { readonly instanceId: string; readonly port: number },
  caller: Ec2Caller,
) => Promise<Tunnel>;

async function loadTunnel(via: Way): Promise<OpenTunnel> {
  if (via === 'session-manager') {
    return (await import('../../src/ec2/session-manager/tunnel.ts')).openSessionTunnel;
  }
  const { findInstance } = await import('../../src/ec2/instances.ts');
  const openTo =
    via === 'direct'
      ? (await import('../../src/ec2/direct.ts')).openDirectTunnel
      : (await import('../../src/ec2/endpoint-tunnel.ts')).openEndpointTunnel;
  return async ({ instanceId, port }, caller) => {
    const instance = await findInstance({ kind: 'instance', id: instanceId }, caller);
    return await openTo({ instance, port }, caller);
  };
}

/** Waits for the tunnel and the pushed key. If one fails, the other is closed. */
async function bothOrNone(
  opening: Promise<Tunnel>,
  pushing: Promise<unknown>,
  life: AbortController,
): Promise<Tunnel> {
  try {
    const [tunnel] = await abortable(Promise.all([opening, pushing]), life.signal);
    return tunnel;
  } catch (error) {
    const settled = Promise.allSettled([opening, pushing]);
    // If both fail, the other error may be clearer: a stopped instance is not connected to Session Manager either.
    const both = await within(life.signal.aborted ? 0 : otherHalfLimit, settled);
    life.abort(error);
    await within(closingLimit, settled.then(closeOpened));
    const failures = both?.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : [])) ?? [];
    throw clearestError(failures) ?? error;
  }
}

/**
 * Session Manager only says that there is no session. The instance's state says whether it is stopped or does not
 * exist. With a pushed key, the push says the same.
 */
async function clearerReason(error: unknown, instanceId: string, caller: Ec2Caller): Promise<unknown> {
  if (!(error instanceof Failure) || error.code !== 'SESSION_FAILED' || !instanceId.startsWith('i-'))
    return error;
  const { findInstance } = await import('../../src/ec2/instances.ts');
  return await findInstance({ kind: 'instance', id: instanceId }, caller).then(
    () => error,
    // A denied look-up says nothing about the instance.
    (reason: unknown) =>
      reason instanceof Failure && isDenied(reason.cause) ? error : clearestError([error, reason]),
  );
}

async function closeOpened([opened]: readonly PromiseSettledResult<unknown>[]): Promise<void> {
  if (opened?.status === 'fulfilled') await (opened.value as Tunnel).close();
}

function clearestError(errors: readonly unknown[]): unknown {
  const isTarget = (error: unknown): boolean => error instanceof Failure && error.code === 'TARGET_NOT_FOUND';
  return errors.find(isTarget) ?? errors[0];
}

function textOf(host: HostName): string {
  return host.kind === 'tag' ? `${host.key}=${host.value}` : host.id;
}

/** Adds a hint about the default credential chain, if only that was used. */
export function explained(
  error: unknown,
  { place }: Pick<Wanted, 'place'>,
  { env }: Pick<Around, 'env'>,
): unknown {
  if (!(error instanceof Failure) || error.code !== 'CREDENTIALS_MISSING') return error;
  if (place.roles.length > 0 || place.job !== undefined) return error;
  return new Failure(error.code, error.message, { hint: hostCredentialsHint(env), cause: error });
}
