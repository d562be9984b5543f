/** Lines of `keys` with a wrong reference. */
import { wrongKeys, type BadInput } from './bad-input.ts';

const arn = 'arn:aws:ssm:eu-west-1:111122223333:parameter/ci/key';
const secretArn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:ci/deploy-AbCdEf';

const grammar = 'write /name, /name:version, /name:label, secretsmanager:name[:json-key]';
const secretGrammar = 'write secretsmanager:NAME[:json-key[:version-stage[:version-id]]]';
const arnForms = 'write arn:aws:ssm:REGION:ACCOUNT:parameter/NAME or arn:aws:secretsmanager:REGION';
const secretArnForm = 'write arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX';
const names = 'names are letters, digits and . - _ /';
const secretNames = 'names are letters, digits and / _ + = . @ ! -';

const noVersion = 'which is neither a version nor a label';
const noParameterArn = 'is not the ARN of a parameter or a secret';
const noSecretArn = 'is not the ARN of a secret';
const characters = 'has characters that are not allowed in a parameter name';
const secretCharacters = 'has characters that are not allowed in a secret name';

const parameters = wrongKeys([
  [
    'a path without its first slash',
    'ci/key',
    '"ci/key" is a path without a slash at its start',
    'write /ci/key',
  ],
  ['a slash behind the name', '/ci/key/', 'has an empty part between slashes', grammar],
  ['two slashes in the name', '/ci//key', 'has an empty part between slashes', grammar],
  ['an accent', '/ci/cl\u00E9', characters, names],
  ['a wildcard', '/ci/*', `"/ci/*" ${characters}`, names],
  ['quotes', '"/ci/key"', 'as in a list, or in quotes', 'without quotes'],
  ['a comma behind the name', '/ci/key, /ci/another', 'as in a list', 'one key per line'],
  ['a file of the home folder', '~/.ssh/id_ed25519', characters, names],
  ['a file of Windows', 'C:\\keys\\id_rsa', noVersion, grammar],
  ['an expression that was quoted', '${{ secrets.KEY }}', `"\${{" ${characters}`, names],
  ['the address of a repository', 'https://github.com/acme/lib', noVersion, grammar],
  ['a name that is too long', `/${'k'.repeat(1011)}`, 'is longer than 1,011 characters', grammar],
  ['the prefix alone', 'ssm:', '"ssm:" has no name', grammar],
  ['a prefix that there is not', 'parameter:/ci/key', noVersion, grammar],
]);

const versions = wrongKeys([
  ['a version alone', ':7', '":7" has no name', grammar],
  ['a colon and no version', '/ci/key:', noVersion, grammar],
  ['version 0', '/ci/key:0', `has ":0" after its name, ${noVersion}`, grammar],
  ['a version with zeros in front', '/ci/key:007', noVersion, grammar],
  ['a version and a label', '/ci/key:7:prod', 'has ":7:prod" after its name', grammar],
  ['a label that begins with a digit', '/ci/key:7up', noVersion, grammar],
  ['a label that is reserved', '/ci/key:aws-latest', noVersion, grammar],
  ['a label that is too long', `/ci/key:${'a'.repeat(101)}`, noVersion, grammar],
  ['a version and another of an ARN', `${arn}:7:8`, 'has ":7:8" after its name', grammar],
]);

const arns = wrongKeys([
  ['an ARN without a name', 'arn:aws:ssm:eu-west-1:111122223333:parameter', noParameterArn, arnForms],
  ['an ARN without a region', 'arn:aws:ssm::111122223333:parameter/ci/key', noParameterArn, arnForms],
  ['an ARN without an account', 'arn:aws:ssm:eu-west-1::parameter/ci/key', noParameterArn, arnForms],
  ['an ARN of a short account', 'arn:aws:ssm:eu-west-1:1111:parameter/k', noParameterArn, arnForms],
  ['an ARN with its region in capitals', arn.replace('eu-west', 'EU-WEST'), noParameterArn, arnForms],
  ['an ARN with a wildcard', arn.replace('key', '*'), characters, names],
  ['the ARN of a bucket', 'arn:aws:s3:::acme/key', noParameterArn, arnForms],
  [
    'the ARN of a KMS key without its id',
    'arn:aws:kms:eu-west-1:111122223333:key/k',
    'has neither the id of a KMS key nor alias/NAME',
    'write kms:alias/NAME, kms:KEY-ID',
  ],
  ['the ARN of a role', 'arn:aws:iam::111122223333:role/ci', noParameterArn, arnForms],
]);

const secrets = wrongKeys([
  ['a secret without a name', 'secretsmanager:', 'has no name', secretGrammar],
  ['a JSON key without a secret', 'secretsmanager::private_key', 'has no name', secretGrammar],
  ['a secret with a wildcard', 'secretsmanager:ci/*', secretCharacters, secretNames],
  ['a secret whose name is too long', `secretsmanager:${'n/'.repeat(260)}`, 'longer than 512', grammar],
  ['a secret with a part too many', 'secretsmanager:a:b:c::d', 'has more than a JSON key', secretGrammar],
  ['a version id that is none', 'secretsmanager:ci/deploy::AWSCURRENT:7', '":7" instead of', secretGrammar],
  ['a prefix with a letter missing', 'secretmanager:ci/deploy', noVersion, grammar],
  [
    'a prefix with a slash',
    'secretsmanager/ci/deploy',
    'without a slash at its start',
    'write /secretsmanager/ci',
  ],
  ['the ARN of a secret without secret:', secretArn.replace('secret:', ''), noSecretArn, secretArnForm],
  ['the ARN of a secret without a region', secretArn.replace('eu-west-1', ''), noSecretArn, secretArnForm],
  [
    'the ARN of a secret, without a name',
    secretArn.replace('ci/deploy-AbCdEf', ''),
    noSecretArn,
    secretArnForm,
  ],
  ['the ARN of a parameter as a secret', `secretsmanager:${arn}`, noSecretArn, secretArnForm],
]);

export const badReferences: readonly BadInput[] = [...parameters, ...versions, ...arns, ...secrets];
