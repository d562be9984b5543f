/** Starts the agent in front as a process of its own. */
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { startDetached } from '../process/detached.ts';
import { agentEnv, type Agent } from '../ssh/agent.ts';
import { failureIn, readAnswer, writeLine, type FrontOrder, type ServedKey } from './front-order.ts';
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

interface Starting {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly voice: Pick<Voice, 'info' | 'warn'>;
}

/**
 * Waits until the keys are open. The process outlives this one, and ends with its last key.
 *
 * @throws what the process could not do: the errors of reading keys, of KMS and of assuming the role; AGENT_FAILED
 */
export async function startFrontProcess(
  { socket, control, back, installation, node }: FrontProcess,
  order: FrontOrder,
  { env, signal, voice }: Starting,
): Promise<Agent & { readonly keys: readonly ServedKey[] }> {
  const program = join(installation, 'dist', 'programs', 'index.js');
  const behind = back === undefined ? [] : ['--back', back];
  const argv = [
    node,
    ...nodeOptions(),
    program,
    'front',
    '-a',
    socket,
    '--control',
    control,
    ...behind,
  ] as const;
  // Credentials and tokens come by standard input: other processes of the user can read an environment.
  const { firstLine, stderr } = await startDetached(argv, {
    ...{ env: agentEnv(env), signal, input: writeLine(order) },
  });
  const answer = readOrUndefined(firstLine);
  if (!answer) {
    const [why = ''] = stderr.trim().split('\n', 1);
    throw new Failure('AGENT_FAILED', `the agent for keys in KMS did not start${why && `: ${why}`}`, {
      hint: 'check the free memory and the limits of processes; then run it again',
    });
  }
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

function readOrUndefined(line: string): ReturnType<typeof readAnswer> | undefined {
  try {
    return readAnswer(line);
  } catch {
    return undefined;
  }
}
