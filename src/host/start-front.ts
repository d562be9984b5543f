/** Starts the agent in front as a process of its own. */
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { startChildWithLifeline } from '../process/child-with-lifeline.ts';
import { startDetached, type Detached, type DetachedOptions } from '../process/detached.ts';
import { agentEnv, type Agent } from '../ssh/agent.ts';
import { withAbsolutePaths } from './front-env.ts';
import { failureIn, readAnswer, writeLine, type Order, type ServedKey } from './front-order.ts';
import type { Voice } from './voice.ts';

export interface FrontProcess {
  /** For clients. */
  readonly socket: string;
  /** For our own programs. */
  readonly control: string;
  /** The socket of OpenSSH's agent; absent: none. */
  readonly back?: string | undefined;
  /** The folder that contains helper/ and dist/. */
  readonly installation: string;
  readonly node: string;
}

export interface Starting {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly voice: Pick<Voice, 'info' | 'warn'>;
}

export interface StartedFront extends Agent {
  readonly keys: readonly ServedKey[];
}

/**
 * Waits until the keys are open. The process outlives this one, and ends with its last key.
 *
 * @param starting with the lifeline of the agent behind, if there is one
 * @throws what the process could not do: the errors of reading keys, of KMS and of assuming the role; AGENT_FAILED
 */
export async function startFrontProcess(
  front: FrontProcess,
  order: Order,
  { env, signal, voice, lifeline }: Starting & Pick<DetachedOptions, 'lifeline'>,
): Promise<StartedFront> {
  const input = writeLine({ ...order, endsWithInput: false });
  const started = await startDetached(argvOf(front), { env: envOf(env), signal, input, lifeline });
  return opened(front, started, voice);
}

/**
 * Like startFrontProcess, but the process ends together with this one, and not with its last key.
 *
 * @throws the same errors
 */
export async function startPrivateFront(
  front: FrontProcess,
  order: Order,
  { env, signal, voice }: Starting,
): Promise<StartedFront & { end(): Promise<void> }> {
  const input = writeLine({ ...order, endsWithInput: true });
  const child = await startChildWithLifeline(argvOf(front), { env: envOf(env), signal, input });
  try {
    const started = opened(front, { firstLine: child.firstLine, stderr: '' }, voice);
    return {
      ...started,
      end: async () => {
        await child.end();
      },
    };
  } catch (error) {
    const { stderr } = await child.end();
    if (child.firstLine !== '') throw error;
    throw notStarted(stderr);
  }
}

function argvOf({ socket, control, back, installation, node }: FrontProcess): [string, ...string[]] {
  const program = join(installation, 'dist', 'programs', 'index.js');
  const behind = back === undefined ? [] : ['--back', back];
  return [node, ...nodeOptions(), program, 'front', '-a', socket, '--control', control, ...behind];
}

/** Credentials and tokens come by standard input: other processes of the user can read an environment. */
function envOf(env: Starting['env']): Record<string, string> {
  // Node reads this one when it starts.
  const { NODE_EXTRA_CA_CERTS: authorities } = withAbsolutePaths(env, () => process.cwd());
  return { ...agentEnv(env), ...(authorities !== undefined && { NODE_EXTRA_CA_CERTS: authorities }) };
}

function opened(
  { socket }: FrontProcess,
  { firstLine, stderr }: Pick<Detached, 'firstLine' | 'stderr'>,
  voice: Starting['voice'],
): StartedFront {
  const answer = readOrUndefined(firstLine);
  if (!answer) throw notStarted(stderr);
  for (const { kind, text } of answer.said) voice[kind](text);
  if ('failure' in answer) throw failureIn(answer.failure);
  return { socket, pid: answer.pid, keys: answer.keys };
}

/**
 * It waits most of the time, so memory counts for more than speed. SIGUSR1 must not open the inspector
 * before the process listens for it; Node 20 does not know that option.
 */
function nodeOptions(): string[] {
  const guard = '--disable-sigusr1';
  const small = ['--max-semi-space-size=1', '--optimize-for-size'];
  return [...small, ...(process.allowedNodeEnvironmentFlags.has(guard) ? [guard] : [])];
}

function notStarted(stderr: string): Failure {
  const [why = ''] = stderr.trim().split('\n', 1);
  return new Failure('AGENT_FAILED', `the agent for keys in KMS did not start${why && `: ${why}`}`, {
    hint: 'check the free memory and the limits of processes; then run it again',
  });
}

function readOrUndefined(line: string): ReturnType<typeof readAnswer> | undefined {
  try {
    return readAnswer(line);
  } catch {
    return undefined;
  }
}
