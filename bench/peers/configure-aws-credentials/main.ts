/**
 * A stand-in for aws-actions/configure-aws-credentials 6: an OIDC token by @actions/core, AssumeRoleWithWebIdentity and
 * GetCallerIdentity with a client each, masks, and variables for later steps. It does not load proxy-agent, as the
 * action does, and has none of its retries and inputs.
 */
import * as core from '@actions/core';
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';

const region = core.getInput('aws-region');
core.exportVariable('AWS_DEFAULT_REGION', region);
core.exportVariable('AWS_REGION', region);
const token = await core.getIDToken(core.getInput('audience'));
core.info('Assuming role with OIDC');
const { Credentials: given, AssumedRoleUser: user } = await new STSClient({ region }).send(
  new AssumeRoleWithWebIdentityCommand({
    RoleArn: core.getInput('role-to-assume'),
    RoleSessionName: 'GitHubActions',
    DurationSeconds: 3600,
    WebIdentityToken: token,
  }),
);
core.info(`Authenticated as assumedRoleId ${user?.AssumedRoleId ?? ''}`);
const credentials = {
  accessKeyId: given?.AccessKeyId ?? '',
  secretAccessKey: given?.SecretAccessKey ?? '',
  sessionToken: given?.SessionToken ?? '',
};
const variables = {
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  AWS_SESSION_TOKEN: credentials.sessionToken,
};
for (const [name, value] of Object.entries(variables)) {
  core.setSecret(value);
  core.exportVariable(name, value);
}
const { Account } = await new STSClient({ region, credentials }).send(new GetCallerIdentityCommand({}));
core.setOutput('aws-account-id', Account);
