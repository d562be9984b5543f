/** Inputs of other actions that people move from: each is refused, with what to write here. Pure. */
import { input, invalid, type Env } from './input.ts';

const store = 'aws ssm put-parameter --name /ci/deploy-key --type SecureString --value file://FILE';
const credentials = 'set role-to-assume, or export the credentials in a step before: the environment counts';
const onPath = 'leave it out: the program is found on PATH';
const neverOut =
  'leave it out: the credentials never leave this step; for other tools use aws-actions/configure-aws-credentials in a step of its own';
const noProfile =
  'leave it out: no credentials are written; to read the keys with a profile write AWS_PROFILE in the env of this step';

/** Names → hints. Some of them hold secrets, so no message repeats a value. */
type Foreign = Readonly<Record<string, string>>;

/** Of webfactory/ssh-agent. A false `log-public-key` hides a line that this action prints. */
const ofSshAgent: Foreign = {
  'ssh-private-key': `store each key once (${store}), write keys: /ci/deploy-key in its place, and delete the secret`,
  'ssh-auth-sock': 'leave it out: the output ssh-auth-sock and SSH_AUTH_SOCK say where the agent is',
  'log-public-key': 'leave it out: the log shows fingerprints, and the output public-keys has the keys',
  'ssh-agent-cmd': onPath,
  'ssh-add-cmd': onPath,
  'git-cmd': onPath,
};

/** Of aws-actions/configure-aws-credentials. */
const ofCredentials: Foreign = {
  // inputs with another name here
  'inline-session-policy': 'write session-policy',
  'retry-max-attempts': 'write max-attempts',
  'disable-retry': 'write max-attempts: 1',
  'action-timeout-s': 'write timeout-seconds',
  'role-chaining': 'write the roles of the chain in role-to-assume, one on each line',
  'aws-access-key-id': credentials,
  'aws-secret-access-key': credentials,
  'aws-session-token': credentials,
  'http-proxy': 'write HTTPS_PROXY in the env of the job',
  'no-proxy': 'write NO_PROXY in the env of the job',
  'sts-endpoint': 'write AWS_ENDPOINT_URL_STS in the env of this step',
  // and inputs that have no effect here
  'role-skip-session-tagging': 'leave it out: only the tags in custom-tags are sent',
  'output-credentials': neverOut,
  'output-env-credentials': neverOut,
  'aws-profile': noProfile,
  'overwrite-aws-profile': noProfile,
  'unset-current-credentials':
    'leave it out: no credentials are exported, and with role-to-assume and an OIDC token those in the environment are not used',
  'special-characters-workaround':
    'leave it out: the credentials are not exported, so their characters do no harm',
};

/** @throws INPUT_INVALID */
export function refuseForeignInputs(env: Env): void {
  refuse(ofSshAgent, env, ['']);
  // There, false means the same as no value.
  refuse(ofCredentials, env, ['', 'false']);
}

function refuse(foreign: Foreign, env: Env, idle: readonly string[]): void {
  for (const [name, hint] of Object.entries(foreign)) {
    if (!idle.includes(input(env, name))) throw invalid(name, 'is not an input of this action', hint);
  }
}
