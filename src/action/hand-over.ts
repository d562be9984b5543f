/** What the later steps of the job get: outputs, variables and a program on PATH. */
import { authorizedKeysLine } from '../keys/public-key.ts';
import type { Agent } from '../ssh/agent.ts';
import { earlierHelpers } from '../git/credential-cache.ts';
import { configurationOf, configurationVariables, signingEntries } from '../git/job-configuration.ts';
import type { Env, Inputs } from './inputs.ts';
import { quoteForShell } from '../process/quote.ts';
import { folderOfCommand, publicKeyFile } from '../ssh/key-folder.ts';
import type { GitToken } from './git-tokens.ts';
import type { JobFolder } from './job-folder.ts';
import type { UsableKey } from '../host/usable-key.ts';
import type { ExportedVariable } from './state.ts';
import type { Workflow } from './workflow.ts';

export interface Loaded {
  readonly folder: JobFolder;
  /** Absent where there is no key. */
  readonly agent: Agent | undefined;
  /** Whether the folder has the files for ssh and our programs. */
  readonly filled: boolean;
  /** Whether sh must start the programs. */
  readonly byShell: boolean;
  readonly keys: readonly UsableKey[];
  readonly tokens: readonly GitToken[];
  readonly inputs: Inputs;
  /** The account of the credentials, if it is known. */
  readonly account: string | undefined;
  readonly env: Env;
}

export function handOver(loaded: Loaded, workflow: Workflow): void {
  const { folder, agent, filled, byShell, keys, tokens, inputs, account, env } = loaded;
  const publicKeys = keys.map(({ publicKey }) => publicKey);
  // In containers the runner translates a value that begins with RUNNER_TEMP, so `sh` is written only if it is needed.
  const command = inputs.withSsh ? `${byShell ? 'sh ' : ''}${quoteForShell(folder.ssh)}` : '';
  if (inputs.withSsh) tellOfCommand(env, workflow);
  const outputs = {
    'ssh-auth-sock': agent?.socket ?? '',
    'ssh-agent-pid': agent ? String(agent.pid) : '',
    'git-ssh-command': command,
    'known-hosts-file': filled ? folder.knownHosts : '',
    fingerprints: JSON.stringify(keys.map(({ fingerprint }) => fingerprint)),
    'public-keys': publicKeys.map(authorizedKeysLine).join('\n'),
    'aws-account-id': account ?? accountOf([...keys, ...tokens]),
  };
  const variables: Partial<Record<ExportedVariable, string>> = {
    ...(agent && { SSH_AUTH_SOCK: agent.socket, SSH_AGENT_PID: String(agent.pid) }),
    ...(inputs.withSsh && { GIT_SSH_COMMAND: command, GIT_SSH_VARIANT: 'ssh' }),
  };
  for (const [name, value] of Object.entries(outputs)) workflow.setOutput(name, value);
  const forTokens = ownersFirst(tokens).flatMap(({ entries }) => entries);
  const configuration = configurationVariables(env, [
    ...(inputs.gitSigning ? signingEntries(signingFiles(folder, byShell)) : []),
    ...forTokens,
    ...earlierHelpers(configurationOf(env), forTokens),
  ]);
  // Before the variables: if the path cannot be written, they lead no later step to an agent that has ended.
  if (filled) workflow.addPath(folder.programs);
  for (const [name, value] of Object.entries({ ...variables, ...configuration }))
    workflow.exportVariable(name, value);
}

/** git asks the helper of the last section that fits: that of a repository has to stand behind that of its owner. */
function ownersFirst(tokens: readonly GitToken[]): GitToken[] {
  const isOwner = ({ repositories: [first = ''] }: GitToken): boolean => first.split('/').length === 2;
  return [...tokens.filter(isOwner), ...tokens.filter((token) => !isOwner(token))];
}

/** Its options may have a password in them. */
function tellOfCommand(env: Env, workflow: Workflow): void {
  const there = env['GIT_SSH_COMMAND'] ?? '';
  if (['', 'ssh'].includes(there) || folderOfCommand(there) !== undefined) return;
  workflow.info(
    "the job's own GIT_SSH_COMMAND is replaced until the end of the job: a step that needs it has it in its env",
  );
}

/** git starts this program. ssh-keygen alone would use SSH_AUTH_SOCK, which a later use of the action changes. */
function signingFiles(folder: JobFolder, byShell: boolean): Parameters<typeof signingEntries>[0] {
  const { allowedSigners, sign } = folder;
  const program = byShell ? 'ssh-keygen' : sign;
  return { publicKey: publicKeyFile(folder, 0), allowedSigners, program };
}

/** A parameter or secret that was read by its name, without an ARN, is in the account of the credentials. */
function accountOf(read: readonly Pick<UsableKey, 'secret'>[]): string {
  const ours = (read.find(({ secret }) => !secret.reference.location) ?? read[0])?.secret.arn;
  return ours?.split(':')[4] ?? '';
}
