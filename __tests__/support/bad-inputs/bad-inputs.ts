/** The other inputs with one value or a list; other names in configure-aws-credentials; contradictions. */
import { wrong, type BadInput, type Row } from './bad-input.ts';

const role = 'arn:aws:iam::111122223333:role/ci';
const hub = 'arn:aws:iam::444455556666:role/hub';
const statement = '{"Effect":"Allow","Action":"ssm:GetParameter","Resource":"*"}';

const region = 'write one, for example eu-west-1';
const partition = 'write regions of one partition';

const noRegion: BadInput = {
  what: 'aws-region: none anywhere',
  given: { 'aws-region': '' },
  later: true,
  code: 'REGION_MISSING',
  names: 'no AWS region is known for the keys',
  says: '',
  hint: 'set the input aws-region, or AWS_REGION',
};

const regions = [
  noRegion,
  ...wrong('aws-region', [
    ['commas only', ',,', 'is not a region: ",,"', region],
    ['a name', 'Ireland', 'is not a region: "Ireland"', region],
    ['capitals', 'EU-WEST-1', 'is not a region: "EU-WEST-1"', region],
    ['underscores', 'eu_west_1', 'is not a region: "eu_west_1"', region],
    ['the address of a service', 'https://ssm.eu-west-1.amazonaws.com', 'is not a region', region],
    ['two with a space between', 'eu-west-1 us-east-1', 'is not a region: "eu-west-1 us-east-1"', region],
    ['two with a semicolon between', 'eu-west-1;us-east-1', 'is not a region', region],
    ['the second of two', 'eu-west-1,Frankfurt', 'is not a region: "Frankfurt"', region],
    ['the second of two lines', 'eu-west-1\nEU-CENTRAL-1', 'is not a region: "EU-CENTRAL-1"', region],
    ['one of China', 'eu-west-1,cn-north-1', 'different partitions: eu-west-1, cn-north-1', partition],
    ['one of GovCloud', 'us-gov-west-1\nus-east-1', 'has regions of different partitions', partition],
    [
      'one of the European cloud',
      'eu-west-1,eusc-de-east-1',
      'has regions of different partitions',
      partition,
    ],
  ]),
  ...['AWS_REGION', 'AWS_DEFAULT_REGION'].map((name): BadInput => ({
    what: `aws-region: none, and ${name} is wrong`,
    given: { 'aws-region': '' },
    env: { [name]: 'Ireland' },
    ...{ code: 'INPUT_INVALID', names: `${name} `, says: 'is not a region: "Ireland"', hint: region },
  })),
];

const ids = 'write ids of 12 digits, in quotes where YAML would drop a first 0';

const accounts = wrong('allowed-account-ids', [
  ['11 digits, since YAML dropped a 0', String(12_345_678_901), 'not an account id: "12345678901"', ids],
  ['a number with an exponent', '1.11122223333E+11', 'has a value that is not an account id', ids],
  ['13 digits', '1111222233334', 'has a value that is not an account id', ids],
  ['the name of an account', 'acme', 'has a value that is not an account id: "acme"', ids],
  ['hyphens', '1111-2222-3333', 'has a value that is not an account id', ids],
  ['a wildcard', '*', 'has a value that is not an account id', ids],
  ['commas only', ',', 'has a value that is not an account id', ids],
  ['spaces between', '111122223333 444455556666', 'has a value that is not an account id', ids],
  ['an ARN', role, 'has a value that is not an account id', ids],
  ['the second of two', '111122223333,4444', 'has a value that is not an account id: "4444"', ids],
]);

const lifetime = 'write 90s, 15m, 6h, or 0 for no limit';

const numbers = [
  ...wrong('key-lifetime', [
    ['words', 'six hours', 'is not a duration: "six hours"', lifetime],
    ['a space', '6 h', 'is not a duration: "6 h"', lifetime],
    ['ISO 8601', 'PT6H', 'is not a duration', lifetime],
    ['a fraction', '1.5h', 'is not a duration', lifetime],
    ['below nothing', '-1', 'is not a duration', lifetime],
    ['more than ssh-add takes', '99999w', 'is not a duration', lifetime],
  ]),
  ...wrong(
    'max-attempts',
    ['0', '101', 'five', '1.5'].map(
      (value) => [value, value, `cannot be "${value}"`, 'write a whole number from 1 to 100'] as const,
    ),
  ),
  ...wrong(
    'timeout-seconds',
    ['0', '3601', '2m', '1e3'].map(
      (value) => [value, value, `cannot be "${value}"`, 'write a whole number from 1 to 3600'] as const,
    ),
  ),
];

const offByDefault = [
  ...['restrict-to-hosts', 'git-signing', 'ssh-config'],
  ...['force-skip-oidc', 'use-existing-credentials', 'mask-aws-account-id'],
];

const choices = [
  ...wrong(
    'strict-host-key-checking',
    ['ask', 'off', 'YES', 'true', 'false', 'accept_new'].map(
      (value) => [value, value, `cannot be "${value}"`, 'write yes, accept-new or no'] as const,
    ),
  ),
  ...[...offByDefault, 'summary'].flatMap((input) =>
    wrong(
      input,
      ['yes', 'True', '1'].map(
        (value) =>
          [
            value,
            value,
            `cannot be "${value}"`,
            input === 'summary' ? 'write true or false' : 'write false or true',
          ] as const,
      ),
    ),
  ),
];

const otherNames = [
  ...wrong('inline-session-policy', [['has another name', '{}', 'is not an input', 'write session-policy']]),
  ...wrong('retry-max-attempts', [['has another name', '3', 'is not an input', 'write max-attempts']]),
  ...wrong('action-timeout-s', [['has another name', '60', 'is not an input', 'write timeout-seconds']]),
];

/** Rows of `wrong` that are only wrong because of other inputs. */
const against = (others: Record<string, string>, input: string, rows: readonly Row[]): BadInput[] =>
  wrong(input, rows).map((row) => ({ ...row, given: { ...others, ...row.given } }));

const alone = { 'role-to-assume': '' };
const needsRole = 'role-to-assume names no role';
const writeRole = 'write role-to-assume, or leave it out';
const names = 'write the name of a parameter on each line';
const chained = 'role-to-assume is a chain of roles: "3601"';

const contradictions = [
  ...against(alone, 'keys', [
    ['none, and no role', '', 'names no key', names],
    ['comments only, and no role', '# none\n\n# at all', 'names no key', names],
  ]),
  ...against(alone, 'session-policy', [
    ['without a role', `{"Statement":[${statement}]}`, needsRole, writeRole],
    ['wrong without a role as well', 'yes', 'is not a policy', 'write auto, none'],
  ]),
  ...against(alone, 'managed-session-policies', [
    ['without a role', 'arn:aws:iam::aws:policy/ReadOnlyAccess', needsRole, writeRole],
  ]),
  ...against(alone, 'custom-tags', [['without a role', '{"Team":"a"}', needsRole, writeRole]]),
  ...against(alone, 'web-identity-token-file', [['without a role', '/token', needsRole, writeRole]]),
  ...against({ 'custom-tags': '{"Team":"a"}' }, 'transitive-tag-keys', [
    ['another case', 'team', 'which is not a key of custom-tags', 'write keys of custom-tags: Team'],
  ]),
  ...against({ 'role-to-assume': role, 'force-skip-oidc': 'true' }, 'custom-tags', [
    ['with a token file', '{"Team":"a"}', 'with an OIDC token', 'write a chain of roles'],
  ]).map((row) => ({ ...row, given: { ...row.given, 'web-identity-token-file': '/token' } })),
  ...against(alone, 'role-external-id', [['without a role', 'acme-42', needsRole, writeRole]]),
  ...wrong('role-external-id', [['with a token', 'acme-42', 'with an OIDC token', 'write a chain of roles']]),
  ...against(alone, 'role-duration-seconds', [
    ['wrong without a role as well', 'soon', 'cannot be "soon"', 'from 900 to 43200'],
  ]),
  ...against({ 'role-to-assume': `${hub}\n${role}` }, 'role-duration-seconds', [
    ['too long for a chain', '3601', chained, 'write 3600 or less'],
  ]),
  ...['no', 'accept-new'].flatMap((strict) =>
    against({ 'strict-host-key-checking': strict }, 'restrict-to-hosts', [
      [
        `with strict-host-key-checking: ${strict}`,
        'true',
        `strict-host-key-checking: ${strict}`,
        'yes, or leave',
      ],
    ]),
  ),
  ...against({ 'git-signing': 'true' }, 'restrict-to-hosts', [
    ['with git-signing', 'true', 'does not work together with git-signing', 'leave one of them out'],
  ]),
  {
    what: 'keys: a wildcard, with restrict-to-hosts',
    given: { 'restrict-to-hosts': 'true', keys: '/ci/a\n/ci/b *.acme.test' },
    later: true,
    code: 'KNOWN_HOSTS_INVALID' as const,
    names: 'restrict-to-hosts does not work for /ci/b, which keys names for *.acme.test',
    says: 'no single host has that name',
    hint: 'name each host behind the key',
  },
  ...against({ keys: '/ci/app as=github-app github.com/acme' }, 'restrict-to-hosts', [
    [
      'with Apps alone',
      'true',
      'needs an SSH key, and keys names as=github-app alone',
      'name an SSH key in keys',
    ],
  ]),
  ...against({ keys: '' }, 'restrict-to-hosts', [
    ['without a key', 'true', 'needs an SSH key, and keys names none', 'name an SSH key in keys'],
  ]),
  ...against({ keys: '/ci/app as=github-app github.com/acme', 'role-to-assume': '' }, 'ssh-config', [
    ['with Apps alone and no role', 'true', 'needs an SSH key', 'name an SSH key in keys'],
  ]),
  ...against({ keys: '/ci/app as=github-app github.com/acme' }, 'git-signing', [
    ['with Apps alone', 'true', 'has no key to sign with', 'write its name in keys'],
  ]),
  ...against({ keys: '' }, 'git-signing', [
    ['without a key', 'true', 'has no key to sign with', 'write its name in keys'],
  ]),
];

export const badInputs: readonly BadInput[] = [
  ...[...regions, ...accounts, ...numbers],
  ...[...choices, ...otherNames, ...contradictions],
];
