/** Inputs of other actions that people move from: each is refused with what to write here. Pure. */
import { input, invalid, type Env } from './input.ts';

const store = 'aws ssm put-parameter --name /ci/deploy-key --type SecureString --value file://FILE';
const credentials = 'set role-to-assume, or export the credentials in a step before: the environment counts';
const onPath = 'leave it out: the program is found on PATH';

/** The values of secrets are among them: none is repeated. */
const foreign: Readonly<Record<string, string>> = {
  // webfactory/ssh-agent
  'ssh-private-key': `store each key once (${store}), write keys: /ci/deploy-key in its place, and delete the secret`,
  'ssh-auth-sock': 'leave it out: the output ssh-auth-sock and SSH_AUTH_SOCK say where the agent is',
  'log-public-key': 'leave it out: the log shows fingerprints, and the output public-keys has the keys',
  'ssh-agent-cmd': onPath,
  'ssh-add-cmd': onPath,
  'git-cmd': onPath,
  // aws-actions/configure-aws-credentials, for what is called otherwise here
  'inline-session-policy': 'write session-policy',
  'retry-max-attempts': 'write max-attempts',
  'action-timeout-s': 'write timeout-seconds',
  'aws-access-key-id': credentials,
  'aws-secret-access-key': credentials,
  'aws-session-token': credentials,
  'role-chaining': 'write the roles of the chain in role-to-assume, one on each line',
  'disable-retry': 'write max-attempts: 1',
  'http-proxy': 'write HTTPS_PROXY in the env of the job',
};

/** What says the same as leaving it out. */
const idle = new Set(['', 'false']);

/** @throws INPUT_INVALID */
export function refuseForeignInputs(env: Env): void {
  for (const [name, hint] of Object.entries(foreign)) {
    if (!idle.has(input(env, name))) throw invalid(name, 'is not an input of this action', hint);
  }
}
