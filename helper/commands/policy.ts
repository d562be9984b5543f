/** `policy`: prints the least-privilege IAM policy for references and EC2 hosts, or the trust policy for jobs of GitHub. */
import { command, type Running } from '../command-line/command.ts';
import type { Line } from '../command-line/parse.ts';

const options = {
  host: {
    ...({ type: 'string', multiple: true, value: '[USER@]HOST' } as const),
    help: 'an EC2 host: i-…, mi-… or TAG=VALUE; may be given several times',
  },
  user: { type: 'string', value: 'NAME', help: 'the OS user for hosts that name none' },
  via: {
    type: 'string',
    value: 'WAY',
    help: 'session-manager (default), instance-connect-endpoint or direct',
  },
  for: { type: 'string', value: 'PURPOSE', help: 'read (default), write (keygen, put) or rotate' },
  'kms-key-id': {
    type: 'string',
    value: 'KEY',
    help: 'the KMS key of the references: an id, an ARN or alias/NAME (default: it is looked up)',
  },
  trust: {
    ...({ type: 'string', multiple: true, value: 'OWNER/REPO' } as const),
    help: 'print the trust policy for jobs of this repository of GitHub; OWNER@ID/REPO@ID names its ids',
  },
  branch: { type: 'string', multiple: true, value: 'B', help: 'trust jobs of this branch' },
  'git-tag': { type: 'string', multiple: true, value: 'T', help: "trust jobs of this tag: v1.2.3, or 'v*'" },
  environment: { type: 'string', multiple: true, value: 'E', help: 'trust jobs of this environment' },
  'pull-request': { type: 'boolean', help: 'trust jobs that run on pull_request' },
  'account-id': { type: 'string', value: 'ID', help: 'the AWS account: then AWS is not asked' },
  format: { type: 'string', value: 'FORMAT', help: 'json (default), cloudformation or terraform' },
} as const;

export const policy = command({
  name: 'policy',
  summary: 'Print the least-privilege IAM policy for keys and EC2 hosts, or the trust policy for GitHub',
  synopsis: '[REF …] [--host HOST …] [--trust OWNER/REPO …] [OPTION …]',
  examples: [
    ['policy /ci/deploy-key', 'what a role needs to read a key; the KMS key is looked up'],
    ['policy --host ec2-user@i-0123456789abcdef0', 'what it needs to reach an EC2 host'],
    ['policy --trust acme/app --branch main', 'the trust policy of the role for jobs of GitHub'],
  ],
  options,
  common: ['region', 'profile', 'role-arn', 'quiet', 'verbose', 'help', 'version'],
  run: runPolicy,
});

/** Loaded here, because other commands do not need it. */
async function runPolicy(line: Line<typeof options>, running: Running): Promise<number> {
  const { printPolicy } = await import('../policy/print-policy.ts');
  return await printPolicy(line, running);
}
