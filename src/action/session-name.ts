/** The name that CloudTrail shows for the run. Pure. */

const longest = 64;

/**
 * `<owner>-<repo>-<run id>-<attempt>`, cut and cleaned to STS's rules: the end that names the run stays whole.
 *
 * @source AssumeRoleWithWebIdentity, `RoleSessionName`: 2 to 64 of `[\w+=,.@-]`
 */
export function sessionNameOf(env: Readonly<Record<string, string | undefined>>): string {
  const { GITHUB_REPOSITORY = 'ssm-ssh-agent', GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT } = env;
  const clean = (text: string): string => text.replace(/[^\w+=,.@-]/g, '-');
  const run = [GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT].filter(Boolean).map((part) => `-${clean(part ?? '')}`);
  const end = run.join('').slice(-longest);
  return clean(GITHUB_REPOSITORY).slice(0, longest - end.length) + end;
}
