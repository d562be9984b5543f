/** `--trust`, `--branch`, `--git-tag` and `--environment` as text → whom the role trusts. Pure. */
import type { Trust, TrustedRepository } from '../../src/aws/trust-policy.ts';
import { Failure } from '../../src/errors.ts';

export interface TrustOptions {
  readonly trust: readonly string[];
  readonly branch: readonly string[];
  readonly 'git-tag': readonly string[];
  readonly environment: readonly string[];
  readonly 'pull-request': boolean;
}

/**
 * `OWNER/REPO` or `OWNER@ID/REPO@ID`.
 *
 * @source GitHub Docs: names of owners are letters, digits and hyphens (and `_` for managed users), of repositories also
 *   `.` and `_`
 */
const repositoryText = /^([A-Za-z0-9][A-Za-z0-9_-]*)(?:@(\d+))?\/([A-Za-z0-9._-]+)(?:@(\d+))?$/;

/** Characters that git refuses in a branch or a tag, or that a policy reads as a pattern; git-check-ref-format(1). */
const unfitForRef = /[\s~^:?*[\\${}]|\p{Cc}|[^ -\u{FF}]|\.\.|@\{|^$|^\/|\/$/u;
const unfitForEnvironment = /[*?${}]|\p{Cc}|[^ -\u{FF}]|^$/u;

/** @throws INPUT_INVALID */
export function parseTrust(options: TrustOptions): Pick<Trust, 'repositories' | 'contexts'> {
  const contexts = [
    ...options.branch.map((name) => `ref:refs/heads/${checked('--branch', name, unfitForRef)}`),
    ...options['git-tag'].map(tagContext),
    // GitHub writes a colon in the name of an environment as %3A.
    ...options.environment.map(
      (name) => `environment:${checked('--environment', name, unfitForEnvironment).replaceAll(':', '%3A')}`,
    ),
    ...(options['pull-request'] ? ['pull_request'] : []),
  ];
  const repositories = options.trust.map(parseRepository);
  if (repositories.length > 0 && contexts.length === 0) {
    throw invalid(
      '--trust does not say which jobs of the repository may assume the role',
      'pass --branch main, --environment production, --git-tag v1.2.3 or --pull-request',
    );
  }
  if (repositories.length === 0 && contexts.length > 0) {
    throw invalid(
      '--branch, --git-tag, --environment and --pull-request belong to --trust',
      'pass --trust OWNER/REPO, too',
    );
  }
  return { repositories, contexts };
}

/** A star at the end is meant as one: git allows none in the name of a tag. */
function tagContext(text: string): string {
  const star = /.\*$/s.test(text) ? '*' : '';
  const name = star === '' ? text : text.slice(0, -1);
  return `ref:refs/tags/${checked('--git-tag', name, unfitForRef)}${star}`;
}

function checked(option: string, name: string, unfit: RegExp): string {
  if (!unfit.test(name)) return name;
  throw invalid(
    `${option} has characters that GitHub does not use there, or that a policy reads as a pattern: "${name}"`,
    option === '--git-tag'
      ? "write the name of one tag, or a beginning and a star: 'v*'"
      : 'write one name; several times for several names',
  );
}

function parseRepository(text: string): TrustedRepository {
  const [, owner, ownerId, repository, repositoryId] = repositoryText.exec(text) ?? [];
  if (owner && repository) return { owner, repository, ownerId, repositoryId };
  throw invalid(
    `--trust is not a repository of GitHub: "${text}"`,
    'write OWNER/REPO, or with their ids OWNER@ID/REPO@ID',
  );
}

function invalid(problem: string, hint: string): Failure {
  return new Failure('INPUT_INVALID', problem, { hint });
}
