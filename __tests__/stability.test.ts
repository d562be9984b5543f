/** docs/stability.md: what holds within a major version. Names may be added to these lists and never leave them. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { common } from '../helper/command-line/parse.ts';
import { commands } from '../helper/command-line/program.ts';
import { catalogue, Failure, type Code } from '../src/errors.ts';

interface Field {
  readonly default?: string;
}

const root = dirname(import.meta.dirname);
const action = parse(readFileSync(join(root, 'action.yml'), 'utf8')) as {
  inputs: Readonly<Record<string, Field>>;
  outputs: Readonly<Record<string, Field>>;
};

/** Since 1.0.0. Absent default: none. */
const inputs: Readonly<Record<string, string | undefined>> = {
  keys: undefined,
  'aws-region': undefined,
  'role-to-assume': undefined,
  'role-session-name': undefined,
  'role-duration-seconds': '900',
  'role-external-id': undefined,
  audience: undefined,
  'session-policy': 'auto',
  'managed-session-policies': undefined,
  'custom-tags': undefined,
  'transitive-tag-keys': undefined,
  'web-identity-token-file': undefined,
  'force-skip-oidc': 'false',
  'use-existing-credentials': 'false',
  'mask-aws-account-id': 'false',
  'allowed-account-ids': undefined,
  'known-hosts': undefined,
  'strict-host-key-checking': 'yes',
  'key-lifetime': '6h',
  'restrict-to-hosts': 'false',
  'git-signing': 'false',
  'ssh-config': 'false',
  'max-attempts': '5',
  'timeout-seconds': '120',
  summary: 'true',
};

const outputs = [
  ...['ssh-auth-sock', 'ssh-agent-pid', 'git-ssh-command', 'known-hosts-file'],
  ...['fingerprints', 'public-keys', 'aws-account-id'],
];

/** Of keygen and put. */
const storing = ['overwrite', 'secretsmanager', 'kms-key-id', 'tier', 'tag', 'description'];

/** Of each command, without the common ones. */
const options: Readonly<Record<string, readonly string[]>> = {
  exec: ['key', 'lifetime', 'known-hosts', 'strict-host-key-checking'],
  add: ['lifetime', 'agent'],
  flush: [],
  setup: [
    ...['global', 'system', 'key', 'credential', 'passphrase', 'key-lifetime', 'via'],
    ...['known-hosts', 'force', 'dry-run', 'remove'],
  ],
  proxy: ['via'],
  keygen: ['type', 'bits', 'comment', ...storing],
  put: storing,
  public: [],
  explain: [],
  policy: [
    ...['host', 'user', 'via', 'for', 'kms-key-id', 'account-id', 'format'],
    ...['trust', 'branch', 'git-tag', 'environment', 'pull-request'],
  ],
  doctor: ['url', 'host'],
  rotate: [
    ...['github-repo', 'gitlab-project', 'api-url', 'token', 'registered', 'test', 'type', 'known-hosts'],
    ...['finish', 'abort'],
  ],
  certify: [
    ...['ca', 'principals', 'host', 'valid', 'key-id', 'serial'],
    ...['extensions', 'source-address', 'force-command'],
  ],
};

/** Exit code 2; all others exit with 1. */
const usage: readonly Code[] = ['INPUT_INVALID', 'REGION_MISSING', 'KNOWN_HOSTS_INVALID'];

describe('within version 1', () => {
  it('the inputs keep their names and defaults', () => {
    const now = Object.fromEntries(
      Object.keys(inputs).map((name) => [
        name,
        name in action.inputs ? action.inputs[name]?.default : 'GONE',
      ]),
    );
    expect(now).toEqual(inputs);
  });

  it('the outputs keep their names', () => {
    expect(outputs.filter((name) => !(name in action.outputs))).toEqual([]);
  });

  it.each(Object.entries(options))('%s keeps its options', (name, kept) => {
    const command = commands.find((candidate) => candidate.name === name);
    expect(kept.filter((option) => command === undefined || !(option in command.options))).toEqual([]);
  });

  it('the common options keep their names', () => {
    const kept = ['region', 'profile', 'role-arn', 'json', 'quiet', 'verbose', 'help', 'version'];
    expect(kept.filter((option) => !(option in common))).toEqual([]);
  });

  it('the codes of errors keep their exit codes', () => {
    const exitCodes = Object.keys(catalogue).map((code) => [
      code,
      new Failure(code as Code, 'x', { hint: 'y' }).exitCode,
    ]);
    expect(exitCodes.filter(([, exitCode]) => exitCode === 2).map(([code]) => code)).toEqual(usage);
    expect(exitCodes.every(([, exitCode]) => exitCode === 1 || exitCode === 2)).toBe(true);
  });

  it('no code leaves the catalogue', () => {
    const kept = [
      ...['INPUT_INVALID', 'REGION_MISSING', 'OIDC_UNAVAILABLE', 'OIDC_REQUEST_FAILED', 'ASSUME_ROLE_DENIED'],
      ...['ACCOUNT_NOT_ALLOWED', 'CREDENTIALS_MISSING', 'CREDENTIALS_EXPIRED', 'KEY_NOT_FOUND'],
      ...['KEY_VERSION_NOT_FOUND', 'KEY_ACCESS_DENIED', 'KMS_ACCESS_DENIED', 'KMS_KEY_UNUSABLE'],
      ...['KEY_NOT_DECRYPTED', 'KEY_FIELD_MISSING', 'KEY_EMPTY', 'KEY_NOT_PRIVATE', 'KEY_MALFORMED'],
      ...['KEY_UNSUPPORTED', 'KEY_ENCRYPTED', 'PASSPHRASE_WRONG', 'AGENT_NOT_FOUND', 'AGENT_FAILED'],
      ...['SSH_NOT_FOUND', 'GIT_NOT_FOUND', 'STATE_UNSAFE', 'KNOWN_HOSTS_INVALID', 'THROTTLED'],
      ...['NETWORK_UNREACHABLE', 'TIMEOUT', 'CREDENTIAL_INVALID', 'PROVIDER_FAILED', 'TARGET_NOT_FOUND'],
      ...['TARGET_AMBIGUOUS', 'SESSION_FAILED', 'TUNNEL_FAILED', 'INSTANCE_CONNECT_FAILED', 'INTERNAL'],
    ];
    expect(kept.filter((code) => !(code in catalogue))).toEqual([]);
  });
});
