/** The options of policy. Apart from its code, because --help of every command loads this file. Pure. */
import { ways } from '../../src/aws/ec2-session-policy.ts';
import type { Purpose } from '../../src/aws/key-policy.ts';
import type { Options } from '../command-line/parse.ts';

export const formats = ['json', 'cloudformation', 'terraform'] as const;
export type Format = (typeof formats)[number];

const purposes = ['read', 'write', 'rotate'] as const satisfies Purpose[];

export const policyOptions = {
  host: {
    ...({ type: 'string', multiple: true, value: '[USER@]HOST' } as const),
    help: 'an EC2 host: i-…, mi-… or TAG=VALUE; may be given several times',
  },
  user: { type: 'string', value: 'NAME', help: 'the OS user for hosts that name none' },
  via: {
    ...({ type: 'string', value: 'WAY' } as const),
    choices: ways,
    help: 'session-manager (default), instance-connect-endpoint or direct',
  },
  for: {
    ...({ type: 'string', value: 'PURPOSE' } as const),
    choices: purposes,
    help: 'read (default), write (keygen, put) or rotate',
  },
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
  format: {
    ...({ type: 'string', value: 'FORMAT' } as const),
    choices: formats,
    help: 'json (default), cloudformation or terraform',
  },
} as const satisfies Options;
