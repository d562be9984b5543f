/** The folder of the agent for pushed keys, where ssh's configuration looks for it. */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { takeStateFolder, userOf } from '../../src/host/state-folder.ts';
import { homeOfAccount, userId } from '../../src/process/account.ts';
import type { Running } from '../command-line/command.ts';
import { invalid } from '../command-line/parse.ts';

/**
 * Made also where no key is pushed: ssh writes its known_hosts there.
 *
 * @param state of the option `--state`
 * @param job the folder of the job
 * @returns undefined: the usual one
 * @throws INPUT_INVALID, STATE_UNSAFE
 */
export async function agentFolder(
  state: string | undefined,
  job: string | undefined,
  { env }: Running,
): Promise<string | undefined> {
  if (state === undefined) return await folderInJob(job);
  const folder = join(await takeStateFolder(wholePath(state), userOf(env)), 'ec2');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** As ssh replaces the tokens of IdentityAgent (ssh_config(5)). */
function wholePath(state: string): string {
  const path = state
    .replace(/%([%i])/g, (_, token) => (token === 'i' ? String(userId()) : '%'))
    .replace(/^~(?=\/)/, () => homeOfAccount() ?? '~');
  if (path.startsWith('/')) return path;
  throw invalid(
    `--state is no whole path: "${state}"`,
    'write the folder of IdentityAgent without /ec2/agent, such as ~/.cache/ssm-ssh-agent-%i',
  );
}

/** Beside the socket of the job's agent, which is elsewhere where the job's own path is too long for one. */
async function folderInJob(job: string | undefined): Promise<string | undefined> {
  if (job === undefined) return undefined;
  const socket = await readFile(join(job, 'socket'), 'utf8').catch(() => join(job, 'agent'));
  return join(dirname(socket.trim()), 'ec2');
}
