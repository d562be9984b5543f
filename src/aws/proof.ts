/** What the job shows for its first role: GitHub's OIDC token, or the credentials that it has otherwise. */
import { Failure } from '../errors.ts';
import type { Proof } from './assume-role.ts';
import { requestToken, tokenService } from './oidc.ts';
import type { Caller, Role } from './session.ts';

/** @throws OIDC_UNAVAILABLE, OIDC_REQUEST_FAILED */
export async function firstProof({ arn, through, audience }: Role, caller: Caller): Promise<Proof> {
  const { env, connection, say, mask } = caller;
  if (audience === undefined) return {};
  const service = tokenService(env);
  if (!service) {
    say(`no OIDC token in this job: asking for ${through[0] ?? arn} with ${otherCredentials(env)}`);
    return {};
  }
  say('asking GitHub for an OIDC token');
  const token = await requestToken(service, { ...caller, ...connection, audience });
  mask(token.text);
  return { token };
}

/** What the default chain would find; on a hosted runner an instance role could only be somebody else's. */
function otherCredentials(env: Readonly<Record<string, string | undefined>>): string {
  // In the order in which the SDK looks.
  const explicit = ['AWS_PROFILE', 'AWS_ACCESS_KEY_ID', 'AWS_WEB_IDENTITY_TOKEN_FILE', ...containerVariables];
  const name = explicit.find((variable) => env[variable]);
  if (name) return `the credentials of ${name}`;
  if (env['RUNNER_ENVIRONMENT'] === 'self-hosted') return "this machine's own role";
  throw new Failure(
    'OIDC_UNAVAILABLE',
    'this job cannot ask GitHub for an OIDC token, and has no other credentials',
    {
      hint: 'give the job "permissions: { id-token: write, contents: read }"; pull requests from forks and Dependabot never get a token',
    },
  );
}

const containerVariables = ['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', 'AWS_CONTAINER_CREDENTIALS_FULL_URI'];
