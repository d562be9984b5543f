/** The identity of a workflow's job: GitHub's claims and the subject. Pure. */
import { randomUUID } from 'node:crypto';

import { GITHUB_ISSUER } from '../iam/iam.ts';

export interface Job {
  /** Default: `acme/app`. */
  readonly repository?: string;
  /** Default: `refs/heads/main`, or `refs/pull/1/merge` for a pull request. */
  readonly ref?: string;
  /** The job's environment; it replaces the ref in the subject. */
  readonly environment?: string;
  /** The event. Default: `push`. `pull_request` replaces the ref in the subject. */
  readonly event?: string;
  /** `repo:acme@1234/app@5678:…`, the form of repositories created since 2026-07-15. Default: false. */
  readonly immutableSubject?: boolean;
  /** The subject itself, for a repository with a custom one. */
  readonly sub?: string;
  /** Default: github.com's. */
  readonly issuer?: string;
  /** Replaces or adds claims, including `exp` and `iss`. */
  readonly claims?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

export type Claims = Readonly<Record<string, string | number | boolean | readonly string[]>>;

const OWNER_ID = '1234';
const REPOSITORY_ID = '5678';
/** As in the example of GitHub's "OpenID Connect reference". */
const LIFETIME_SECONDS = 300;
const NOT_BEFORE_SECONDS = 600;

export function ownerOf({ repository = 'acme/app' }: Job): string {
  return repository.split('/', 1)[0] ?? '';
}

export function claimsOf(job: Job, audience: string | undefined, now: Date): Claims {
  const { repository = 'acme/app', event = 'push', issuer = GITHUB_ISSUER } = job;
  const ref = refOf(job);
  const sha = '8f0c6f1c6c1b4f0f8d6b0f2f4f9c0a7a3c1e5d2b';
  const workflow = `${repository}/.github/workflows/ci.yml@${ref}`;
  return {
    jti: randomUUID(),
    sub: job.sub ?? subjectOf(job),
    aud: audience ?? `https://github.com/${ownerOf(job)}`,
    ref,
    sha,
    repository,
    repository_owner: ownerOf(job),
    repository_owner_id: OWNER_ID,
    run_id: '9876543210',
    run_number: '42',
    run_attempt: '1',
    repository_visibility: 'private',
    repository_id: REPOSITORY_ID,
    actor_id: '4321',
    actor: 'octocat',
    workflow: 'ci',
    head_ref: event === 'pull_request' ? 'topic' : '',
    base_ref: event === 'pull_request' ? 'main' : '',
    event_name: event,
    ref_protected: 'false',
    ref_type: ref.startsWith('refs/tags/') ? 'tag' : 'branch',
    workflow_ref: workflow,
    workflow_sha: sha,
    job_workflow_ref: workflow,
    job_workflow_sha: sha,
    runner_environment: 'github-hosted',
    iss: issuer,
    ...validity(now),
    ...(job.environment !== undefined && { environment: job.environment }),
    ...job.claims,
  };
}

function validity(now: Date): Claims {
  const iat = Math.floor(now.getTime() / 1000);
  return { nbf: iat - NOT_BEFORE_SECONDS, exp: iat + LIFETIME_SECONDS, iat };
}

function refOf({ ref, event }: Job): string {
  return ref ?? (event === 'pull_request' ? 'refs/pull/1/merge' : 'refs/heads/main');
}

function subjectOf(job: Job): string {
  const { repository = 'acme/app', environment, event, immutableSubject = false } = job;
  const [owner = '', name = ''] = repository.split('/');
  const subject = immutableSubject ? `${owner}@${OWNER_ID}/${name}@${REPOSITORY_ID}` : repository;
  if (environment !== undefined) return `repo:${subject}:environment:${environment.replaceAll(':', '%3A')}`;
  return event === 'pull_request' ? `repo:${subject}:pull_request` : `repo:${subject}:ref:${refOf(job)}`;
}
