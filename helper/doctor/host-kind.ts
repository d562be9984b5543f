/** Which kind of machine this is: a runner, an EC2 instance, a container. Pure. */

type Environment = Readonly<Record<string, string | undefined>>;

export interface Machine {
  /** The vendor in the machine's DMI data; empty: unknown. */
  readonly vendor: string;
  /** Whether a file of Docker or Podman is there. */
  readonly container: boolean;
}

/** The variable that each service documents for its jobs. */
const services = [
  ['GITLAB_CI', 'GitLab CI'],
  ['BUILDKITE', 'Buildkite'],
  ['JENKINS_URL', 'Jenkins'],
  ['CIRCLECI', 'CircleCI'],
  ['BITBUCKET_BUILD_NUMBER', 'Bitbucket Pipelines'],
  ['TF_BUILD', 'Azure Pipelines'],
  ['CODEBUILD_BUILD_ID', 'AWS CodeBuild'],
  ['FORGEJO_ACTIONS', 'Forgejo Actions'],
  ['GITEA_ACTIONS', 'Gitea Actions'],
] as const;

/** `a self-hosted runner of GitHub Actions, on an EC2 instance, in a container` */
export function hostKind(env: Environment, { vendor, container }: Machine): string {
  const inContainer = container || Boolean(env['KUBERNETES_SERVICE_HOST']);
  const onEc2 = vendor === 'Amazon EC2';
  const job = jobOf(env);
  const base = onEc2 ? 'an EC2 instance' : 'a machine outside EC2 (a laptop or a server)';
  const where = job === undefined ? [base] : [job, ...(onEc2 ? ['on an EC2 instance'] : [])];
  return [...where, ...(inContainer ? ['in a container'] : [])].join(', ');
}

function jobOf(env: Environment): string | undefined {
  // Forgejo and Gitea set GITHUB_ACTIONS, too.
  const service = services.find(([variable]) => env[variable])?.[1];
  if (service !== undefined) return `a job of ${service}`;
  if (env['GITHUB_ACTIONS'] === 'true') {
    const hosted = env['RUNNER_ENVIRONMENT'] === 'github-hosted';
    return hosted ? 'a GitHub-hosted runner' : 'a self-hosted runner of GitHub Actions';
  }
  return env['CI'] ? 'a job of a CI service' : undefined;
}
