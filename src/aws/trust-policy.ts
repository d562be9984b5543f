/** Repositories of GitHub → the trust policy of a role that their jobs may assume. Pure. */
import { stsAudience } from '../keys/partition.ts';
import { oneOrMany, type Statement } from './statement.ts';

/** A repository, and the ids that GitHub puts into the immutable form of `sub`. */
export interface TrustedRepository {
  readonly owner: string;
  readonly repository: string;
  /** Absent: not known. */
  readonly ownerId?: string | undefined;
  readonly repositoryId?: string | undefined;
}

export interface Trust {
  readonly repositories: readonly TrustedRepository[];
  /** What the jobs run for: `ref:refs/heads/main`, `environment:production`, `pull_request`. */
  readonly contexts: readonly string[];
  readonly account: string;
  readonly partition: string;
}

const issuer = 'token.actions.githubusercontent.com';

/**
 * Names both forms of `sub`. Repositories that were made, renamed or moved after 15 July 2026 have the form with ids.
 *
 * An id that is not known is written as `*`. This lets in no other owner or repository: `sub` begins with the owner's name, and
 * names of owners and repositories have no `@`, `/` or `:`. It also lets in whoever registers the same names later, as the
 * older form does.
 *
 * @source GitHub Docs, "OpenID Connect reference" (`sub`, immutable subject claims); IAM User Guide, "Create a role for OpenID
 *   Connect federation"
 */
export function trustStatement({ repositories, contexts, account, partition }: Trust): Statement {
  const subjects = repositories.flatMap((one) => contexts.flatMap((context) => subjectsOf(one, context)));
  const aud = { [`${issuer}:aud`]: stsAudience(partition) };
  const sub = { [`${issuer}:sub`]: oneOrMany(subjects) };
  const exact = !subjects.some((subject) => subject.includes('*'));
  return {
    Sid: 'TrustGitHub',
    Effect: 'Allow',
    Principal: { Federated: `arn:${partition}:iam::${account}:oidc-provider/${issuer}` },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: exact ? { StringEquals: { ...aud, ...sub } } : { StringEquals: aud, StringLike: sub },
  };
}

function subjectsOf(
  { owner, repository, ownerId = '*', repositoryId = '*' }: TrustedRepository,
  context: string,
): string[] {
  return [
    `repo:${owner}/${repository}:${context}`,
    `repo:${owner}@${ownerId}/${repository}@${repositoryId}:${context}`,
  ];
}
