/** Where the default credential chain looked in this environment, and what to check there. Pure. */
import { tokenService } from './token-request.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** @source AWS SDKs and Tools Reference Guide, "Standardized credential providers" */
export function credentialsHint(env: Environment): string {
  const explicit = explicitHint(env);
  if (explicit !== undefined) return explicit;
  if (env['RUNNER_ENVIRONMENT'] === 'self-hosted') {
    return `give the instance a role, or set role-to-assume; ${hopLimit}`;
  }
  return 'set role-to-assume to a role that trusts this repository';
}

/** The same for a host, which has no input for a role. */
export function hostCredentialsHint(env: Environment): string {
  const explicit = explicitHint(env);
  if (explicit !== undefined) return explicit;
  if (tokenService(env)) {
    return 'in this job only the action uses the OIDC token: set its input role-to-assume, and name the key in keys (for HTTPS a GitHub App, with as=github-app), or get credentials in a step before, with aws-actions/configure-aws-credentials';
  }
  return `on EC2 give the instance a role; elsewhere sign in and name the profile: aws sso login --profile NAME, export AWS_PROFILE=NAME; ${hopLimit}`;
}

/** What to do about expired credentials that do not come from the job's own token. */
export function expiredHint(): string {
  return 'get new credentials right before this step; with role-to-assume and "id-token: write" the action gets its own';
}

/** The same for a host. */
export function hostExpiredHint(env: Environment): string {
  const profile = env['AWS_PROFILE'];
  if (profile) return `get new credentials for the profile ${profile} (aws sso login --profile ${profile})`;
  if (env['AWS_ACCESS_KEY_ID']) return 'get new credentials for AWS_ACCESS_KEY_ID, or unset it';
  const token = env['AWS_WEB_IDENTITY_TOKEN_FILE'];
  if (token)
    return `get a new token into ${token}, right before its use, and check the clock of this machine`;
  return 'check the clock of this machine: the credentials were asked for anew';
}

const hopLimit =
  'in a container the instance metadata needs a hop limit of 2: aws ec2 modify-instance-metadata-options --http-put-response-hop-limit 2 --instance-id ID';

function explicitHint(env: Environment): string | undefined {
  const container =
    env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] ?? env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'];
  const { AWS_PROFILE: profile } = env;
  if (profile)
    return `check the profile: aws configure list --profile ${profile}; or sign in again: aws sso login --profile ${profile}`;
  if (env['AWS_WEB_IDENTITY_TOKEN_FILE']) {
    return `check AWS_ROLE_ARN, and that the file ${env['AWS_WEB_IDENTITY_TOKEN_FILE']} is there`;
  }
  if (container) return `check that this container may ask ${container} for its credentials`;
  return undefined;
}
