/** The inputs for roles and sessions. */
import { wrong, type BadInput } from './bad-input.ts';

const role = 'arn:aws:iam::111122223333:role/ci';
const hub = 'arn:aws:iam::444455556666:role/hub';
const statement = '{"Effect":"Allow","Action":"ssm:GetParameter","Resource":"*"}';

const roleForm = 'write arn:aws:iam::ACCOUNT:role/NAME';

export const badRoles: readonly BadInput[] = wrong('role-to-assume', [
  ['a name', 'ci', 'is not the ARN of a role: "ci"', roleForm],
  ['commas only', ',', 'is not the ARN of a role: ","', roleForm],
  ['the ARN of a user', 'arn:aws:iam::111122223333:user/ci', 'is not the ARN of a role', roleForm],
  [
    'the ARN of an instance profile',
    role.replace('role', 'instance-profile'),
    'not the ARN of a role',
    roleForm,
  ],
  [
    'the ARN of a session',
    'arn:aws:sts::111122223333:assumed-role/ci/x',
    'is not the ARN of a role',
    roleForm,
  ],
  ['an ARN without a name', 'arn:aws:iam::111122223333:role/', 'is not the ARN of a role', roleForm],
  ['an ARN of a short account', 'arn:aws:iam::1111:role/ci', 'is not the ARN of a role', roleForm],
  [
    'an ARN with a region',
    'arn:aws:iam:eu-west-1:111122223333:role/ci',
    'is not the ARN of a role',
    roleForm,
  ],
  ['an ARN with a colon missing', 'arn:aws:iam:111122223333:role/ci', 'is not the ARN of a role', roleForm],
  ['an ARN with a wildcard', role.replace('ci', '*'), 'is not the ARN of a role', roleForm],
  ['an ARN in quotes', `"${role}"`, 'is not the ARN of a role', roleForm],
  ['two with a space between', `${role} ${hub}`, 'is not the ARN of a role', roleForm],
  ['the second of a chain', `${hub}\nci`, 'is not the ARN of a role: "ci"', roleForm],
  [
    'a chain into China',
    `${hub}\n${role.replace('aws', 'aws-cn')}`,
    'has roles of aws and aws-cn',
    'one partition',
  ],
]);

const name = 'write 2 to 64 letters, digits and _+=,.@-';
const seconds = 'write a whole number from 900 to 43200';
const externalId = 'write 2 to 1224 letters, digits and _+=,.@:/-';
const policies = 'write arn:aws:iam::ACCOUNT:policy/NAME';
const tagForm = 'write a JSON object of strings';
const tags = (count: number): string =>
  JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v'])));
const policy = 'write auto, none, or the JSON of a policy';
const whole = 'write {"Version":"2012-10-17","Statement":[';

export const badSessions: readonly BadInput[] = [
  ...wrong('role-session-name', [
    ['a space', 'deploy lib', 'is not a session name', name],
    ['a slash', 'acme/lib', 'is not a session name', name],
    ['a bot', 'dependabot[bot]', 'is not a session name', name],
    ['one character', 'x', 'is not a session name', name],
    ['an accent', 'd\u00E9ploy', 'is not a session name', name],
    ['65 characters', 'x'.repeat(65), 'is not a session name', name],
  ]),
  ...wrong('role-duration-seconds', [
    ['too short', '899', 'cannot be "899"', seconds],
    ['too long', '43201', 'cannot be "43201"', seconds],
    ['minutes', '15m', 'cannot be "15m"', seconds],
    ['a fraction', '900.0', 'cannot be "900.0"', seconds],
    ['an exponent', '9e2', 'cannot be "9e2"', seconds],
    ['a word', 'hour', 'cannot be "hour"', seconds],
  ]),
  ...wrong('role-external-id', [
    ['one character', 'x', 'is not an external id', externalId],
    ['a space', 'acme 42', 'is not an external id', externalId],
    ['two lines', 'acme\n42', 'is not an external id', externalId],
    ['an accent', 'cl\u00E9', 'is not an external id', externalId],
    ['1,225 characters', 'x'.repeat(1225), 'is not an external id', externalId],
  ]),
  ...wrong('managed-session-policies', [
    ['a name', 'ReadOnlyAccess', 'not the ARN of a managed policy: "ReadOnlyAccess"', policies],
    ['a policy as JSON', `{"Statement":[${statement}]}`, 'is not the ARN of a managed policy', policies],
    ['the ARN of a role', role, 'is not the ARN of a managed policy', policies],
    [
      'commas between',
      'arn:aws:iam::aws:policy/A, arn:aws:iam::aws:policy/B',
      'is not the ARN of a managed policy',
      policies,
    ],
    [
      'a policy of another account',
      'arn:aws:iam::444455556666:policy/a',
      'which is not in the account of the role',
      "or AWS's own",
    ],
  ]),
  ...wrong('custom-tags', [
    ['text', 'Team=build', 'is not valid JSON', tagForm],
    ['a list', '["Team"]', 'is not a JSON object', tagForm],
    ['an object in it', '{"Team":{"a":"b"}}', 'has a value for "Team" that is not a string', 'in quotes'],
    ['a fraction', '{"Version":1.10}', 'has a value for "Version" that is not a string', 'in quotes'],
    ['a number that is too large', '{"Id":12345678901234567890}', 'is not a string', 'in quotes'],
    ['null', '{"Team":null}', 'is not a string', 'in quotes'],
    ['51 tags', tags(51), 'has 51 tags, and AWS takes 50', 'write fewer'],
    ['keys that differ by case', '{"Team":"a","team":"b"}', 'has the key "team" twice', 'write it once'],
    ['an empty key', '{"":"a"}', 'has a key that AWS does not take: "" is empty', '1 to 128 letters'],
    ['a key of 129 characters', `{"${'k'.repeat(129)}":"a"}`, 'has 129 characters', '1 to 128 letters'],
    ['a key of AWS', '{"aws:Team":"a"}', 'has the key "aws:Team"', 'AWS keeps aws: for itself'],
    ['a value of 257 characters', `{"a":"${'v'.repeat(257)}"}`, 'it has 257 characters', 'up to 256 letters'],
    ['a value with brackets', '{"Actor":"dependabot[bot]"}', 'a character that is not allowed', 'up to 256'],
    ['with a token and one role', '{"Team":"a"}', 'with an OIDC token', 'write a chain of roles'],
  ]),
  ...wrong('transitive-tag-keys', [
    ['without custom-tags', 'Team', 'names "Team", which is not a key of custom-tags', 'it has none'],
  ]),
  ...wrong('web-identity-token-file', [
    ['two lines', '/a\n/b', 'is not a path', 'write the path of one file'],
    ['a token', `eyJ${'a'.repeat(20)}.eyJ${'b'.repeat(20)}.c`, 'has a token in it', 'write the path'],
  ]).concat(
    [
      ['a missing file', '/nowhere/token', 'which is not there', 'check that the step'],
      ['an empty file', '/dev/null', 'which is not a file', 'write the path of a file'],
      ['a folder', '/tmp', 'which is not a file', 'write the path of a file'],
    ].map(([what = '', path = '', says = '', hint = '']) => ({
      what: `web-identity-token-file: ${what}`,
      given: { 'web-identity-token-file': path },
      later: true,
      code: 'INPUT_INVALID' as const,
      names: `the input web-identity-token-file names ${path}, `,
      ...{ says, hint },
    })),
  ),
  ...wrong('session-policy', [
    ['a word', 'yes', 'is not a policy', policy],
    ['auto in capitals', 'AUTO', 'is not a policy', policy],
    ['the name of a file', 'policy.json', 'is not a policy', policy],
    ['the ARN of a policy', 'arn:aws:iam::111122223333:policy/ci', 'is not a policy', policy],
    ['JSON cut off', '{"Statement":[', 'is not valid JSON', policy],
    ['JSON with a comma too many', `{"Statement":[${statement}],}`, 'is not valid JSON', policy],
    ['no Statement', '{"Version":"2012-10-17"}', 'has no Statement', whole],
    ['an empty Statement', '{"Statement":[]}', 'has no Statement', whole],
    ['a Statement that is text', '{"Statement":"all"}', 'has no Statement', whole],
    ['a statement in small letters', `{"statement":[${statement}]}`, 'has no Statement', whole],
    [
      'too many of them',
      `{"Statement":[${Array(50).fill(statement).join()}]}`,
      'a session takes 2048',
      'fewer',
    ],
  ]),
];
