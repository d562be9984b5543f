/** The agent in front of OpenSSH's, for the lines of a job whose keys sign and cannot be read. */
import { startFrontProcess } from '../host/start-front.ts';
import { frontEnv, withAbsolutePaths } from '../host/front-env.ts';
import type { FrontWanted, Order, SigningOrder } from '../host/front-order.ts';
import { isStoredLine, type SigningKeyLine } from '../keys/key-line.ts';
import type { Agent } from '../ssh/agent.ts';
import { publicKeyFile } from '../ssh/key-folder.ts';
import type { Env, Inputs } from './inputs.ts';
import type { JobFolder } from './job-folder.ts';
import type { Installation } from './make-job-folder.ts';
import { servedKey, type UsableKey } from '../host/usable-key.ts';
import { missingIn, type Settled } from './job-secrets.ts';
import type { Workflow } from './workflow.ts';

export interface Front {
  /** What clients use. */
  readonly agent: Agent;
  /** The key of each line that it serves. */
  readonly keys: ReadonlyMap<SigningKeyLine, UsableKey>;
}

interface Starting {
  readonly folder: JobFolder;
  readonly settled: Settled;
  readonly env: Env;
  readonly signal: AbortSignal;
  readonly workflow: Workflow;
  readonly installation: Installation;
}

/**
 * Has to be stopped by the signal if the step fails meanwhile.
 *
 * @returns undefined if no line needs it: then no process is started
 * @throws the errors of reading keys, of KMS and of assuming the role; AGENT_FAILED
 */
export async function startFront(inputs: Inputs, starting: Starting): Promise<Front | undefined> {
  const { folder, installation, env, signal, workflow } = starting;
  const lines = inputs.keys.filter((line): line is SigningKeyLine => !isStoredLine(line));
  if (lines.length === 0) return undefined;
  const { socket, control, back } = folder;
  const { path, node } = installation;
  const place = { socket, control, back, installation: path, node };
  const { keys, ...agent } = await startFrontProcess(place, orderOf(inputs, starting), {
    ...{ env, signal, voice: workflow },
  });
  const served = lines.flatMap((line, index) => {
    const key = keys[index];
    return key ? [[line, servedKey(line, key)] as const] : [];
  });
  return { agent, keys: new Map(served) };
}

/** How AWS is called to sign. */
export function frontWanted({ maxAttempts, timeoutSeconds }: Inputs, settled: Settled): FrontWanted {
  const { regions, role, allowedAccounts } = settled;
  return { regions, role: role ?? null, allowedAccounts, maxAttempts, timeoutSeconds };
}

/** Milliseconds for the answer, and to end the step. */
const lead = 300;

function orderOf(inputs: Inputs, { folder, settled, env }: Starting): Order {
  const { keyLifetime: lifetime } = inputs;
  const keys = inputs.keys.flatMap((line, number): SigningOrder[] =>
    isStoredLine(line)
      ? []
      : [{ line, lifetime, knownHosts: [folder.knownHosts], certificateFile: publicKeyFile(folder, number) }],
  );
  return {
    keys,
    wanted: frontWanted(inputs, settled),
    // The limit of the step began when this process did.
    openBy: Date.now() + inputs.timeoutSeconds * 1000 - performance.now() - lead,
    missing: missingIn(env),
    env: frontEnv(
      withAbsolutePaths(env, () => process.cwd()),
      /^ACTIONS_ID_TOKEN_REQUEST_/,
    ),
  };
}
