/** Inputs that look wrong but are valid: pasted text, and what YAML and editors change. */
import { ACCOUNT, REGION, ROLE_ARN } from './aws/world.ts';
import { pinnedHosts } from '../../src/ssh/known-hosts.ts';

export interface OddInput {
  readonly what: string;
  /** In addition to `usualInputs`. */
  readonly given: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** The routes in the form of helper/ssm-ssh: `HOST PORT PATH`, or `-`. */
  readonly routes: readonly string[];
}

const acmeLib = 'github.com 22 acme/lib';
const [hostKey = ''] = pinnedHosts[0]?.keys ?? [];
const resource = `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/key`;
const policy = { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 'ssm:*', Resource: resource } };

const keys = (what: string, text: string, routes: readonly string[]): OddInput => ({
  what: `keys: ${what}`,
  given: { keys: text },
  routes,
});

const other = (what: string, given: OddInput['given'], env = {}): OddInput => ({
  ...{ what, given, env },
  routes: ['-'],
});

export const oddInputs: readonly OddInput[] = [
  keys('CRLF', '/ci/key github.com/acme/lib\r\n/ci/another\r\n', [acmeLib, '-']),
  keys('CR alone', '/ci/key\r/ci/another', ['-', '-']),
  keys('blank lines and comments', '\n# ours\n\n  /ci/key\n\n  # theirs\n', ['-']),
  keys('tabs between, spaces behind', '\t/ci/key\t \tgithub.com/acme/lib  \t', [acmeLib]),
  keys('a space that does not break', '/ci/key\u00A0github.com/acme/lib', [acmeLib]),
  keys('a byte order mark', '\uFEFF/ci/key', ['-']),
  keys('a pasted address', '/ci/key https://github.com/acme/lib.git', [acmeLib]),
  keys('an address as git has it', '/ci/key git@github.com:acme/lib.git', [acmeLib]),
  keys('an address with a port', '/ci/key ssh://git@git.example.com:2222/x.git', ['git.example.com 2222 x']),
  keys('capitals in host and path', '/ci/key GitHub.COM/Acme/Lib', [acmeLib]),
  keys('two repositories, two forms', '/ci/key github.com/acme/* *.example.com', [
    'github.com 22 acme',
    '*.example.com 22 ',
  ]),
  keys('a label, a version, the prefix', '/ci/key:prod as=key\nssm:/ci/another:1', ['-', '-']),
  keys('one key twice', '/ci/key github.com/acme/lib\n/ci/key:1', [acmeLib, '-']),
  keys('parts of a secret left empty', 'secretsmanager:ci/deploy::AWSCURRENT:', ['-']),
  other('aws-region: one region three times', { 'aws-region': `${REGION}, ${REGION}\r\n${REGION},` }),
  other('aws-region: none, and AWS_REGION', { 'aws-region': ' ' }, { AWS_REGION: REGION }),
  other('aws-region: none, and the ARN of a key', { 'aws-region': '', keys: resource }),
  other('role-to-assume: white space and a comma', { 'role-to-assume': `  ${ROLE_ARN},\r\n` }),
  other('session-policy: JSON of many lines', { 'session-policy': JSON.stringify(policy, undefined, 2) }),
  other('custom-tags: an empty object', { 'custom-tags': '{ }', 'transitive-tag-keys': ',' }),
  other('allowed-account-ids: lines and commas', { 'allowed-account-ids': `000011112222,\n ${ACCOUNT},` }),
  other('key-lifetime: capitals', { 'key-lifetime': '1H30M' }),
  other('known-hosts: CRLF, comments, tabs', {
    'known-hosts': `\r\n# ours\r\n  A.example\t${hostKey.replace(' ', '\t')}  our host\r\n`,
  }),
  other('every input that may be left out, set to nothing', {
    ...{ 'role-session-name': '', 'role-duration-seconds': '', 'role-external-id': '', audience: '' },
    ...{ 'session-policy': '', 'allowed-account-ids': '', 'known-hosts': '', 'key-lifetime': '' },
    ...{ 'strict-host-key-checking': '', 'max-attempts': '', 'timeout-seconds': '', summary: '' },
    ...{ 'restrict-to-hosts': '', 'git-signing': '', 'force-skip-oidc': '', 'mask-aws-account-id': '' },
    ...{ 'managed-session-policies': '', 'custom-tags': '', 'transitive-tag-keys': '' },
    ...{ 'web-identity-token-file': '', 'use-existing-credentials': '' },
  }),
];
