/** The key id of certificates, which names the run or the machine that asked for them. sshd writes it to its log. */
import { InstanceMetadata, isSwitchedOff } from '../aws/instance-metadata.ts';

export interface RunSearch {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The name of this machine, as `hostname` of node:os. */
  readonly hostName: string;
  readonly signal: AbortSignal;
}

/**
 * `github:OWNER/REPO:run ID:attempt N` in a job; `ec2:i-…` on an instance; else `host:NAME`. A machine without a metadata
 * service waits a second for it.
 */
export async function runKeyId({ env, hostName, signal }: RunSearch): Promise<string> {
  const job = jobKeyId(env);
  if (job !== undefined) return job;
  const id = isSwitchedOff(env) ? undefined : await instanceId({ env, signal });
  // Other characters could look like another line or another field in sshd's log.
  return id === undefined ? `host:${hostName.replaceAll(/[^\w.-]/g, '_').slice(0, 253)}` : `ec2:${id}`;
}

/** @returns undefined outside of a job */
export function jobKeyId(env: RunSearch['env']): string | undefined {
  const { GITHUB_REPOSITORY: name = '', GITHUB_RUN_ID: id = '', GITHUB_RUN_ATTEMPT: attempt = '1' } = env;
  if (env['GITHUB_ACTIONS'] !== 'true') return undefined;
  if (!/^[\w.-]+\/[\w.-]+$/.test(name) || !/^\d+$/.test(id) || !/^\d+$/.test(attempt)) return undefined;
  return `github:${name}:run ${id}:attempt ${attempt}`;
}

/** A metadata service that fails must not cost the certificate: then the machine's name stands in it. */
async function instanceId({ env, signal }: Omit<RunSearch, 'hostName'>): Promise<string | undefined> {
  try {
    return await new InstanceMetadata({ env, signal, patience: 1_000 }).instanceId();
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
