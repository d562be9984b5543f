/**
 * The identity of a job of a CI service other than GitHub's: the claims that its documentation names. Pure.
 *
 * GitLab: docs.gitlab.com/ci/secrets/id_token_authentication. Buildkite: buildkite.com/docs/agent/cli/reference/oidc.
 * CircleCI: circleci.com/docs/guides/permissions-authentication/openid-connect-tokens. Bitbucket:
 * support.atlassian.com/bitbucket-cloud/docs/deploy-on-aws-using-bitbucket-pipelines-openid-connect. Jenkins:
 * plugins.jenkins.io/oidc-provider, whose tokens have a list of audiences.
 */
import type { Claims } from './job.ts';

export type CiService = 'GitLab' | 'Buildkite' | 'CircleCI' | 'Bitbucket' | 'Jenkins';

/** Where the job runs: each service has its own words for it. */
export interface CiJob {
  /** The project's name. Default: `app`. */
  readonly project?: string;
  /** Default: `main`. */
  readonly branch?: string;
  /** Seconds since the token was made. Default: 0. */
  readonly tokenAge?: number;
}

const organization = '6a8c1f7e-1d0b-4b58-9a43-0a5c2a7f4e11';
const workspace = '37f7aa0f-722b-4737-a1ba-74f42f300734';
const sha = '8f0c6f1c6c1b4f0f8d6b0f2f4f9c0a7a3c1e5d2b';
/** A UUID that is the project's own. */
const idOf = (project: string): string =>
  project === 'app' ? '1d397906-81bf-459e-9a8d-eae79c0bc5f3' : '5b8d2f00-0000-4000-8000-000000000000';

interface Identity {
  readonly issuer: string;
  readonly sub: string;
  readonly lifetime: number;
  readonly more: Claims;
}

type Place = Required<Pick<CiJob, 'project' | 'branch'>>;

/** Everything but the audience and the times. */
const identities: Readonly<Record<CiService, (job: Place) => Identity>> = {
  GitLab: ({ project, branch }) => ({
    issuer: 'https://gitlab.com',
    sub: `project_path:acme/${project}:ref_type:branch:ref:${branch}`,
    lifetime: 3600,
    more: {
      ...{ namespace_id: '72', namespace_path: 'acme', project_id: '20', project_path: `acme/${project}` },
      ...{ user_id: '1', user_login: 'dev', pipeline_id: '574', pipeline_source: 'push', job_id: '302', sha },
      ...{ ref: branch, ref_type: 'branch', ref_path: `refs/heads/${branch}`, ref_protected: 'true' },
      ...{ runner_id: 1, runner_environment: 'gitlab-hosted' },
    },
  }),
  Buildkite: ({ project, branch }) => ({
    issuer: 'https://agent.buildkite.com',
    sub: `organization:acme:pipeline:${project}:ref:refs/heads/${branch}:commit:${sha}:step:clone`,
    lifetime: 300,
    more: {
      ...{ organization_slug: 'acme', pipeline_slug: project, build_number: 42, build_branch: branch },
      ...{ build_commit: sha, step_key: 'clone', job_id: '0184990a-477b-4fa8-9968-496074483cee' },
    },
  }),
  CircleCI: ({ project, branch }) => ({
    issuer: `https://oidc.circleci.com/org/${organization}`,
    sub:
      `org/${organization}/project/${idOf(project)}/user/9c1b2d3e-0000-4000-8000-000000000001` +
      `/vcs-origin/github.com/acme/${project}/vcs-ref/refs/heads/${branch}`,
    lifetime: 3600,
    more: {
      'oidc.circleci.com/org-id': organization,
      'oidc.circleci.com/project-id': idOf(project),
      'oidc.circleci.com/vcs-origin': `github.com/acme/${project}`,
      'oidc.circleci.com/vcs-ref': `refs/heads/${branch}`,
      'oidc.circleci.com/ssh-rerun': false,
    },
  }),
  Bitbucket: ({ project, branch }) => ({
    issuer: 'https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc',
    sub: `{${idOf(project)}}:{0f0e0d0c-0000-4000-8000-000000000002}`,
    lifetime: 3600,
    more: {
      ...{ workspaceUuid: `{${workspace}}`, repositoryUuid: `{${idOf(project)}}`, branchName: branch },
      ...{ stepUuid: '{0f0e0d0c-0000-4000-8000-000000000002}' },
    },
  }),
  Jenkins: ({ project, branch }) => ({
    issuer: 'https://jenkins.example.com/oidc',
    sub: `https://jenkins.example.com/job/${project}/job/${branch}/`,
    lifetime: 3600,
    more: { build_number: 42 },
  }),
};

/** What a token is asked for with. */
export interface CiTokenRequest {
  readonly audience: string;
  readonly job: CiJob;
}

export function ciClaims(service: CiService, { audience, job }: CiTokenRequest, now: Date): Claims {
  const { project = 'app', branch = 'main', tokenAge = 0 } = job;
  const { issuer, sub, lifetime, more } = identities[service]({ project, branch });
  const iat = Math.floor(now.getTime() / 1000) - tokenAge;
  const aud = service === 'Jenkins' ? [audience] : audience;
  return { ...more, iss: issuer, sub, aud, iat, exp: iat + lifetime };
}
