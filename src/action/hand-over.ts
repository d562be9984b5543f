/** What the later steps of the job get: outputs, variables and a program on PATH. */
import { authorizedKeysLine } from '../keys/public-key.ts';
import type { LoadedKey } from '../loading/stored-key.ts';
import type { Agent } from '../ssh/agent.ts';
import { signingVariables } from '../git/signing.ts';
import type { Env, Inputs } from './inputs.ts';
import { quoteForShell } from '../process/quote.ts';
import { publicKeyFile } from '../ssh/key-folder.ts';
import type { JobFolder } from './job-folder.ts';
import type { ExportedVariable } from './state.ts';
import type { Workflow } from './workflow.ts';

export interface Loaded {
  readonly folder: JobFolder;
  readonly agent: Agent;
  readonly keys: readonly LoadedKey[];
  readonly inputs: Inputs;
  readonly env: Env;
}

export function handOver({ folder, agent, keys, inputs, env }: Loaded, workflow: Workflow): void {
  const publicKeys = keys.map(({ publicKey }) => publicKey);
  const command = quoteForShell(folder.ssh);
  const outputs = {
    'ssh-auth-sock': agent.socket,
    'ssh-agent-pid': String(agent.pid),
    'git-ssh-command': command,
    'known-hosts-file': folder.knownHosts,
    fingerprints: JSON.stringify(keys.map(({ fingerprint }) => fingerprint)),
    'public-keys': publicKeys.map(authorizedKeysLine).join('\n'),
    'aws-account-id': accountOf(keys, inputs.role),
  };
  const variables: Record<ExportedVariable, string> = {
    SSH_AUTH_SOCK: agent.socket,
    SSH_AGENT_PID: String(agent.pid),
    GIT_SSH_COMMAND: command,
    GIT_SSH_VARIANT: 'ssh',
  };
  for (const [name, value] of Object.entries(outputs)) workflow.setOutput(name, value);
  const { allowedSigners, sign: program } = folder;
  const files = { publicKey: publicKeyFile(folder, 0), allowedSigners, program };
  const signing = inputs.gitSigning ? signingVariables(env, files) : {};
  for (const [name, value] of Object.entries({ ...variables, ...signing }))
    workflow.exportVariable(name, value);
  workflow.addPath(folder.programs);
}

/** A role's ARN names its account; without a role, a parameter that was asked for by its bare name is in ours, if any was. */
function accountOf(keys: readonly LoadedKey[], role: Inputs['role']): string {
  const ours = (keys.find(({ secret }) => !secret.reference.location) ?? keys[0])?.secret.arn;
  return (role?.arn ?? ours)?.split(':')[4] ?? '';
}
