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
  ...wrong('session-policy', [
    ['a word', 'yes', 'is no policy', policy],
    ['auto in capitals', 'AUTO', 'is no policy', policy],
    ['the name of a file', 'policy.json', 'is no policy', policy],
    ['the ARN of a policy', 'arn:aws:iam::111122223333:policy/ci', 'is no policy', policy],
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
